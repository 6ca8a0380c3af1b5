"""What a plan refers to, found in the dataset and checked before the first training."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from xdpl import units
from xdpl.cross_validation import periods, splitting
from xdpl.cross_validation.further import OWN, check_scores
from xdpl.errors import InputError, InputErrors, Problems
from xdpl.evaluation.checks import names
from xdpl.labelled.grid import Grid
from xdpl.labelled.host import on_host
from xdpl.training import arrays
from xdpl.training.request import Inputs, Request, inspect

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.cross_validation.plan import Plan
    from xdpl.evaluation.protocols import Split

__all__ = ["Ready", "ready"]

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Ready:
    """What can run.

    Parameters
    ----------
    splits : tuple of Split
    inputs : dict of str to Inputs
        By label of the model.
    variable : str
        The observed target.
    """

    splits: tuple[Split, ...]
    inputs: dict[str, Inputs]
    variable: str

    @property
    def site_dims(self) -> tuple[str, ...]:
        """Names of the site dims, in the order of the target."""
        return tuple(str(d) for d in self.splits[0].test.dims)

    @property
    def variables(self) -> list[str]:
        """Variables of the dataset that any of the models uses."""
        used: dict[str, None] = {}
        for found in self.inputs.values():
            for source in (*found.forcings.values(), found.target):
                used |= dict.fromkeys(source.sources.values())
            used |= dict.fromkeys(found.attributes)
            used |= dict.fromkeys(name for known in found.priors.values() for name in known.prior.variables)
        return sorted(used)


def ready(ds: xr.Dataset, plan: Plan) -> Ready:
    """Find everything and check it.

    Raises
    ------
    InputErrors
        With every problem, those of the arguments too.
    """
    problems = plan.problems
    inputs = _each(plan, problems, lambda label: _inspect(ds, plan, label))
    spans = periods.spans(ds, {"train": plan.train, "test": plan.test}, problems)
    problems.raise_if_any()
    variable = _one_target(ds, inputs, problems)
    problems.raise_if_any()
    grid = Grid.of(ds, [variable])
    _check_free(grid, problems)
    template = grid.unflatten(np.logical_and.reduce([_usable(grid, found) for found in inputs.values()]))
    splits = splitting.splits_of(plan.protocol, template, problems)
    problems.raise_if_any()
    periods.check_apart(ds, plan, splits, spans, problems)
    first = next(iter(inputs.values()))
    observed = first.target.data
    if plan.scores is not None:
        tested = on_host(observed).isel(time=spans["test"])
        check_scores(plan.scores, tested.assign_attrs(units=_scored_in(ds, first)), problems)
    splitting.check_observed(
        splits, {k: _seen(grid, observed, ds, span) for k, span in spans.items()}, problems
    )
    _each(plan, problems, lambda label: _check_values(ds, plan, label, inputs[label], splits))
    problems.raise_if_any()
    return Ready(splits, inputs, variable)


def _each(plan: Plan, problems: Problems, function: Callable[[str], T]) -> dict[str, T]:
    """Results for every model; a problem that not all of them have names those that do."""
    results: dict[str, T] = {}
    having: dict[tuple[str, str, str, str], list[str]] = {}
    for label in plan.models:
        try:
            results[label] = function(label)
        except InputErrors as errors:
            for e in errors.exceptions:
                assert isinstance(e, InputError)
                having.setdefault((e.subject, e.expected, e.got, e.fix), []).append(label)
    for (subject, expected, got, fix), labels in having.items():
        prefix = "" if len(labels) == len(plan.models) else f"{names(labels)}: "
        problems.add(f"{prefix}{subject}", expected=expected, got=got, fix=fix)
    return results


def _inspect(ds: xr.Dataset, plan: Plan, label: str) -> Inputs:
    # The training period is that of all models: it is checked once, elsewhere.
    return inspect(ds, _request(plan, label, train=None), Problems("cross_validate"))


def _request(plan: Plan, label: str, *, train: slice | None) -> Request:
    arguments = plan.models[label] | {"train": train, "sites": None, "seed": plan.seeds[0]}
    return Request(**{f.name: arguments[f.name] for f in dataclasses.fields(Request)})


def _one_target(ds: xr.Dataset, inputs: dict[str, Inputs], problems: Problems) -> str:
    """The observed variable, one for all models, in whose units all scores are."""
    for label, found in inputs.items():
        if len(found.targets) > 1:
            problems.add(
                "target",
                expected="one target, of which scores compare",
                got=f"{names(found.targets)} of {label}",
                fix="cross_validate with one of them",
            )
    variables = dict.fromkeys(found.target.variable for found in inputs.values())
    scored = dict.fromkeys(_scored_in(ds, found) for found in inputs.values())
    for subject, several in (("target", variables), ("units of the target", scored)):
        if len(several) > 1:
            problems.add(
                subject,
                expected="the same for all models, so that scores compare",
                got=names(several),
                fix="cross_validate once for each",
            )
    return next(iter(variables))


def _scored_in(ds: xr.Dataset, found: Inputs) -> str:
    """Units of scores: a volume flow is scored as a depth, in those of the model."""
    if found.target.area:
        return found.model.output(found.output).units
    return str(units.read(ds[found.target.variable]))


def _usable(grid: Grid, found: Inputs) -> np.ndarray:
    """Sites a model can ever be trained on or tested at, (site,)."""
    series = [found.target.data, *(f.data for f in found.forcings.values())]
    parts = [on_host(a).notnull().any("time") for a in series]
    known = [grid.flatten(on_host(units.magnitude(a)).notnull(), bool) for a in found.attributes.values()]
    return np.logical_and.reduce([*(grid.flatten(a, bool) for a in parts), np.logical_or.reduce(known)])


def _check_free(grid: Grid, problems: Problems) -> None:
    for name in OWN:
        if name in grid.dims or name in grid.coords:
            problems.add(
                name,
                expected="another name, which the scores need themselves",
                got="a coordinate of the sites",
                fix=f'ds.rename({{"{name}": "site_{name}"}}), or drop_vars',
            )


def _seen(grid: Grid, observed: xr.DataArray, ds: xr.Dataset, span: slice) -> xr.DataArray:
    """Sites observed in a period."""
    return grid.unflatten(grid.flatten(on_host(observed.isel(time=span)).notnull().any("time"), bool))


def _check_values(ds: xr.Dataset, plan: Plan, label: str, found: Inputs, splits: tuple[Split, ...]) -> None:
    """Raise if values of any site that takes part cannot be learned from, or run with."""
    problems = Problems("cross_validate")
    request = _request(plan, label, train=plan.train)
    sources = [v for f in found.forcings.values() for k, v in f.sources.items() if k != "area"]
    grid = Grid.of(ds, sources)
    part = splits[0].train | splits[0].test
    for split in splits[1:]:
        part = part | split.train | split.test
    when = arrays.periods(ds, request.train, request.validate)
    _check_attributes(grid, found, problems)
    arrays.gather(ds, found, grid, part, request.validate, when, problems)


def _check_attributes(grid: Grid, found: Inputs, problems: Problems) -> None:
    """A fit is run over the whole dataset, where it takes all attributes of a site or none."""
    missing = {k: ~np.isfinite(grid.flatten(units.magnitude(v))) for k, v in found.attributes.items()}
    every = np.logical_and.reduce(list(missing.values()))
    for name, absent in missing.items():
        gaps = absent & ~every
        if gaps.any():
            problems.add(
                name,
                expected="attributes without NaN (all of them NaN marks a site to leave out)",
                got=f"NaN at {gaps.sum()} of {gaps.size} sites, first {grid.label(int(np.argmax(gaps)))}",
                fix=f'ds = ds.where(ds["{name}"].notnull()), or fill them',
            )
