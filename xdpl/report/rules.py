"""What a report warns of: each rule looks at the facts and says what it found and what to do.

A rule gives a list of findings, empty if all is well, or None if the facts do not tell.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from xdpl.evaluation import by_group
from xdpl.observation import Identity
from xdpl.report.labels import label_names
from xdpl.report.numbers import number, percent, with_units

if TYPE_CHECKING:
    from xdpl.evaluation.declared import Metric
    from xdpl.report.facts import Facts, OfTarget

__all__ = ["RULES", "Finding", "Rule"]

AFFINE_SHARE = 0.8
SPIKE = 100.0
AT_BOUNDS = 0.1
UNSCORED = 0.1
WORST_GROUP = 1.5
OVERFITTED = 1.3


@dataclass(frozen=True)
class Finding:
    """One thing to be careful about.

    Parameters
    ----------
    found, todo : str
        With its number, and what to do.
    """

    found: str
    todo: str


@dataclass(frozen=True)
class Rule:
    """One thing that is looked at.

    Parameters
    ----------
    says : str
        What holds when nothing is found.
    page : str
        Of the documentation, by its title.
    look : callable
    """

    says: str
    page: str
    look: Callable[[Facts], list[Finding] | None]


def diverged(facts: Facts) -> list[Finding] | None:
    """Training that broke off, or numbers of its history that are not finite."""
    history = facts.fit.history
    broken = {k: int((~np.isfinite(history[k])).sum()) for k in ("loss", "gradient_norm")}
    found = [
        Finding(f"the {k.replace('_', ' ')} is not finite in {n} epochs", "Train again; see gradient_audit.")
        for k, n in broken.items()
        if n
    ]
    if facts.fit.settings["stopped"] == "diverged":
        text = f"training broke off after epoch {history.sizes['epoch']}: loss or gradient was not finite"
        found.append(Finding(text, "Lower learning_rate; look at the gradients with gradient_audit."))
    return found


def spiked(facts: Facts) -> list[Finding] | None:
    """Gradients far above the usual ones."""
    norms = facts.fit.history["gradient_norm"].values
    norms = norms[np.isfinite(norms)]
    if not norms.size:
        return None
    times = float(norms.max() / np.median(norms)) if np.median(norms) > 0 else 0.0
    if times < SPIKE:
        return []
    text = f"the largest mean gradient norm of an epoch is {number(times)} times the median one"
    return [Finding(text, "Look where with gradient_audit; a lower learning_rate or clip may help.")]


_WHERE = {"range": "over the bounds", "estimate": "at what was learned"}


def untrusted_surrogate(facts: Facts) -> list[Finding] | None:
    """Parameters learned through a network that does not answer them as the model does."""
    s = facts.fit.settings
    if "rounds" not in s:
        return []
    failed = facts.fit.history["audit_failed"].sel(round=s["best_round"]).any("target")
    names = {w: [str(k) for k in failed["parameter"].values[failed.sel(where=w).values]] for w in _WHERE}
    return [
        Finding(
            f"{_WHERE[w]} the surrogate does not answer {', '.join(k)} as the model does: what was learned of"
            " them may be wrong",
            "More draws or updates in Loop, or leave them out.",
        )
        for w, k in names.items()
        if k
    ]


def transfer_failed(facts: Facts) -> list[Finding] | None:
    """Parameters that are worth little without the observation operator."""
    tests = _known(facts, lambda t: t.transfer)
    if tests is None:
        return None
    return [
        Finding(
            f"transfer test FAIL for {t.output}: without the observation operator the RMSE is "
            f"{number(t.transfer['ratio'])} times that of the training, and "
            f"{number(t.transfer.attrs['limit'])} is the limit",
            "Do not use these parameters in the model alone; hold the operator back, or leave it out.",
        )
        for t in tests
        if t.transfer is not None and bool(t.transfer["failed"])
    ]


def affine(facts: Facts) -> list[Finding] | None:
    """A gain that the operator has without any parameter."""
    tests = _known(facts, lambda t: t.transfer)
    if tests is None:
        return None
    shares = {t.output: float(t.transfer["affine_share"]) for t in tests if t.transfer is not None}
    return [
        Finding(
            f"affine share {number(share)} for {output}: the observation operator alone gains that part",
            "Hardly anything was learned about the parameters: hold the operator back, or leave it out.",
        )
        for output, share in shares.items()
        if share >= AFFINE_SHARE
    ]


def no_gain(facts: Facts) -> list[Finding] | None:
    """Scores no better than those of default parameters."""
    tests = _known(facts, lambda t: t.uncalibrated)
    if tests is None:
        return None
    found = []
    for t in tests:
        learned, default = (_median(t, scores) for scores in (t.scores, t.uncalibrated))
        if _loss(t.main, learned) >= _loss(t.main, default):
            text = (
                f"{t.main.name} of {t.output}: median {_said(t, learned)}, with default parameters "
                f"{_said(t, default)}: nothing was gained"
            )
            found.append(Finding(text, "Train longer, or other attributes; see how much there is to gain."))
    return found


def trained_on(facts: Facts) -> list[Finding] | None:
    """Scores of days that were trained on."""
    if facts.period is None:
        return None
    train = facts.fit.settings["train"]
    if not facts.period.overlaps(train):
        return []
    days = f"{facts.period.first} to {facts.period.last}"
    text = f"the scored period, {days}, has days of the training, {train[0]} to {train[1]}"
    return [Finding(text, "Unless these sites were held out, score other days: time=slice(...).")]


def overfitted(facts: Facts) -> list[Finding] | None:
    """Errors much larger than in the training."""
    tests = _known(facts, lambda t: t.transfer)
    if tests is None or facts.period is None or facts.period.overlaps(facts.fit.settings["train"]):
        return None
    plain = [t for t in tests if facts.fit.operators[t.output].kind == Identity.kind]
    found = []
    for t in plain:
        assert t.transfer is not None and t.scores is not None
        ratio = float(t.scores["rmse"].median()) / float(t.transfer["training_rmse"].median())
        if ratio >= OVERFITTED:
            text = f"median RMSE of {t.output} is {number(ratio)} times that of the training period"
            found.append(Finding(text, "More sites or days, fewer weights, dropout, or validate=."))
    return found if plain else None


def worst_group(facts: Facts) -> list[Finding] | None:
    """A group of sites far worse than all together."""
    tests = _known(facts, lambda t: t.groups)
    if tests is None:
        return None
    found = []
    for t in tests:
        assert t.scores is not None and t.groups is not None
        medians = by_group(t.scores[[t.main.name]], t.groups)[t.main.name]
        losses = np.asarray(_loss(t.main, medians.values))
        if not np.isfinite(losses).any():
            continue
        worst = int(np.nanargmax(losses))
        overall = _median(t, t.scores)
        times = losses[worst] / _loss(t.main, overall) if _loss(t.main, overall) > 0 else np.nan
        if times >= WORST_GROUP:
            name = label_names(t.groups)[int(medians["group"][worst])]
            error = "error" if t.main.best != "high" else f"1 − {t.main.name}"
            text = (
                f"worst group of {t.output}, {name}: median {t.main.name} "
                f"{_said(t, medians.values[worst])}, of all sites {_said(t, overall)} "
                f"({error} {number(times)} times as large)"
            )
            found.append(
                Finding(text, 'Do not speak of the mean alone; try objective="group-dro" with groups=.')
            )
    return found


def bounded(facts: Facts) -> list[Finding] | None:
    """Parameters that lie at their bounds."""
    if facts.at_bounds is None:
        return None
    shares = {str(k): float(v) for k, v in facts.at_bounds.data_vars.items()}
    many = {k: v for k, v in sorted(shares.items(), key=lambda kv: -kv[1]) if v > AT_BOUNDS}
    if not many:
        return []
    text = f"at a bound: {', '.join(f'{k} ({percent(v)} of the sites)' for k, v in many.items())}"
    return [Finding(text, "Bounds decide there, or another process is made up for; look at the maps.")]


def unseen(facts: Facts) -> list[Finding] | None:
    """Parameters that the observations cannot see."""
    tests = _known(facts, lambda t: t.told)
    if tests is None:
        return None
    each = [json.loads(t.told.attrs["unseen_at_most_sites"]) for t in tests if t.told is not None]
    names = [name for name in each[0] if all(name in others for others in each)]
    if not names:
        return []
    count = f"{len(names)} parameter{'s' * (len(names) > 1)}"
    text = f"not seen by the observations of most sites: {', '.join(names)} ({count})"
    return [
        Finding(text, "Their maps are starting values or come from elsewhere: do not read them as findings.")
    ]


def unscored(facts: Facts) -> list[Finding] | None:
    """Sites that were run but have no score."""
    tests = _known(facts, lambda t: t.scores)
    if tests is None:
        return None
    found = []
    for t in tests:
        assert t.scores is not None
        run = t.scores["rmse"].size if facts.parameters is None else _sites(facts)
        scored = int(t.scores["rmse"].notnull().sum())
        if scored < (1.0 - UNSCORED) * run:
            text = f"{t.output} is scored at {scored} of {run} sites; the others have too few observations"
            found.append(Finding(text, "Say so beside the scores, or take a longer period: time=."))
    return found


def interrupted(facts: Facts) -> list[Finding] | None:
    """Training that was stopped by hand."""
    s = facts.fit.settings
    if s["stopped"] != "interrupted":
        return []
    done = facts.fit.history.sizes["epoch"]
    text = f"training was stopped by hand after {done} of {s['epochs']} epochs"
    return [Finding(text, "Call learn again with checkpoint= to go on.")]


def still_falling(facts: Facts) -> list[Finding] | None:
    """A best epoch that is the last one."""
    s = facts.fit.settings
    if not s["validate"]:
        return None
    if s["best_epoch"] < facts.fit.history.sizes["epoch"]:
        return []
    text = f"the best epoch, {s['best_epoch']}, is the last: the validation loss may fall further"
    return [Finding(text, "Train for more epochs=.")]


def no_progress(facts: Facts) -> list[Finding] | None:
    """A loss that did not fall."""
    loss = facts.fit.history["loss"].values
    if loss.size < 2:
        return None
    if loss[-1] < loss[0]:
        return []
    text = (
        f"the training loss went from {number(loss[0])} in the first epoch to {number(loss[-1])} in the last"
    )
    return [Finding(text, "Another learning_rate, or look at the gradients with gradient_audit.")]


def no_validation(facts: Facts) -> list[Finding] | None:
    """Weights that nothing chose."""
    if facts.fit.settings["validate"]:
        return []
    text = "there was no validation: the last weights count, whatever they are worth"
    return [Finding(text, "Give learn a period or sites: validate=.")]


RULES = (
    Rule("loss and gradients are finite", "Can these parameters be trusted?", diverged),
    Rule("the surrogate answers as the model does", "Learn through a surrogate", untrusted_surrogate),
    Rule("the transfer test passes", "Observations with a bias", transfer_failed),
    Rule(f"the affine share is below {AFFINE_SHARE}", "Observations with a bias", affine),
    Rule("scores are better than with default parameters", "How much there is to gain", no_gain),
    Rule("scores are of days without training", "Test on time, sites and regions", trained_on),
    Rule(
        f"RMSE is below {OVERFITTED} times that of the training",
        "Test on time, sites and regions",
        overfitted,
    ),
    Rule(f"the worst group is below {WORST_GROUP} times the median", "Wet and dry regimes", worst_group),
    Rule(
        f"at most {percent(AT_BOUNDS)} of the sites are at a bound",
        "Can these parameters be trusted?",
        bounded,
    ),
    Rule("the observations of most sites see each parameter", "Can these parameters be trusted?", unseen),
    Rule(
        f"at least {percent(1 - UNSCORED)} of the sites have a score",
        "My data has other names and units",
        unscored,
    ),
    Rule("the loss fell", "How learning works", no_progress),
    Rule(f"no gradient is {SPIKE:.0f} times the median", "Can these parameters be trusted?", spiked),
    Rule("training was not stopped by hand", "Stop, resume, save", interrupted),
    Rule("the best epoch is not the last", "Choose a network", still_falling),
    Rule("there was a validation", "Choose a network", no_validation),
)


def _known(facts: Facts, part: Callable[[OfTarget], object]) -> list[OfTarget] | None:
    """Targets of which something is known; None if there is none."""
    return [t for t in facts.targets if part(t) is not None] or None


def _median(target: OfTarget, scores: object) -> float:
    return float(scores[target.main.name].median())  # type: ignore[index]


def _loss(metric: Metric, value: float | np.ndarray) -> float | np.ndarray:
    """How far from perfect."""
    return 1.0 - value if metric.best == "high" else np.abs(value)


def _said(target: OfTarget, value: float) -> str:
    assert target.scores is not None
    return with_units(value, target.scores[target.main.name].attrs.get("units", "1"))


def _sites(facts: Facts) -> int:
    assert facts.parameters is not None
    return int(next(iter(facts.parameters.data_vars.values())).notnull().sum())
