"""Scores over sites, beside those of the uncalibrated model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdpl.evaluation.declared import METRICS
from xdpl.report.distribution import distribution
from xdpl.report.elements import heading, paragraph, table
from xdpl.report.numbers import number
from xdpl.report.quantiles import spread

if TYPE_CHECKING:
    from xdpl.report.facts import Facts, OfTarget

__all__ = ["scores"]

_HEAD = ("metric", "units", "median", "10 %", "90 %", "all pairs pooled", "uncalibrated, median")


def scores(facts: Facts) -> str:
    """A table for each target, and how its main metric is distributed."""
    if facts.period is None:
        return ""
    period = facts.period
    out = paragraph(
        f"Days {period.first} to {period.last} ({period.chosen}), output of the model as it is, without "
        "the observation operator. Quantiles are those of sites."
    )
    for i, target in enumerate(facts.targets):
        if len(facts.targets) > 1:
            out += heading(target.output)
        out += _table(target) + _picture(target, f"scores-{i}")
    return out


def _table(target: OfTarget) -> str:
    assert target.scores is not None and target.uncalibrated is not None
    rows = []
    for metric in METRICS:
        values = target.scores[metric.name]
        pooled, default = target.scores[f"pooled_{metric.name}"], target.uncalibrated[metric.name]
        numbers = [*spread(values), pooled, spread(default)[0]]
        rows.append(
            [f"{metric.name}: {metric.long_name}", values.attrs.get("units", "1"), *map(number, numbers)]
        )
    count = int(target.scores["rmse"].notnull().sum())
    caption = f"Scores of {target.output} against the variable {target.variable}, {count} sites"
    return table(caption, _HEAD, rows, words={1})


def _picture(target: OfTarget, name: str) -> str:
    assert target.scores is not None and target.uncalibrated is not None
    main = target.main.name
    runs = {"learned": target.scores, "uncalibrated": target.uncalibrated}
    runs = {k: v for k, v in runs.items() if bool(v[main].notnull().any())}
    if not runs:
        return paragraph(f"No site has a {main}: there are too few observations.")
    caption = f"Share of sites with {main} of {target.output} up to that value."
    return distribution(runs, main, name, caption)
