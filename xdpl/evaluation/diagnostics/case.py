"""A model at given parameters against observations: checked, and gathered as plain arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl import engines, models, units
from xdpl.engines.tracing.trace import step_of
from xdpl.evaluation.checks import names
from xdpl.labelled import schema
from xdpl.labelled.choices import after_warmup, check_period
from xdpl.labelled.grid import Grid
from xdpl.labelled.parameters import check_bounds, resolve
from xdpl.labelled.series import check_series
from xdpl.labelled.targets import find_targets
from xdpl.labelled.tree import refuse_tree
from xdpl.models.black_box import refuse_black_box

if TYPE_CHECKING:
    from xdpl.errors import Problems
    from xdpl.models import Model

__all__ = ["Case", "Request", "gather"]

_LABELS = 'select the sites of both, or .reindex_like(ds, method="nearest", tolerance=...)'


@dataclass(frozen=True)
class Request:
    """What a diagnostic is asked for; arguments as in `xdpl.evaluation.identifiability`.

    Parameters
    ----------
    parameters, target, attributes, forcings, time, engine
        As given.
    warmup : int, optional
        Steps that run before the period; the whole record before it if not given.
    dims : tuple of str
        Dims of the result that are none of the sites.
    unobserved : bool
        Whether sites without observations stay; some must have one.
    """

    parameters: xr.Dataset | Mapping[str, Any] | None
    target: str | Mapping[str, str]
    attributes: Sequence[str] = ()
    forcings: Mapping[str, str] | None = None
    time: slice | None = None
    engine: str | None = None
    warmup: int | None = None
    dims: tuple[str, ...] = ()
    unobserved: bool = False


@dataclass(frozen=True)
class Case:
    """The sites that have forcings, parameters and observations.

    Parameters
    ----------
    model : Model
    output : str
    variables : list of str
        Of the dataset, that are forcings.
    forcings : dict of str to ndarray of float64, (warmup + time, site)
    parameters : dict of str to ndarray of float64, (site,)
    observed : ndarray of float64, (time, site)
        NaN where there is no observation.
    attributes : ndarray of float64, (site, attribute)
    warmup : int
        Steps before the period.
    keys : ndarray of int, (site,)
        Positions in the dataset.
    grid : Grid
    dims : list of str
        Of the sites, in the order of the forcings.
    defaulted : list of str
        Parameters that took their default.
    period : tuple of str
        First and last day that is compared.
    """

    model: Model
    output: str
    variables: list[str]
    forcings: dict[str, np.ndarray]
    parameters: dict[str, np.ndarray]
    observed: np.ndarray
    attributes: np.ndarray
    warmup: int
    keys: np.ndarray
    grid: Grid
    dims: list[str]
    defaulted: list[str]
    period: tuple[str, str]

    def placed(self, values: np.ndarray, missing: float = np.nan) -> xr.DataArray:
        """Values (site, ...) on the site dims; the other axes become ``dim_0`` and so on."""
        whole = np.full((self.grid.size, *values.shape[1:]), missing, values.dtype)
        whole[self.keys] = values
        extra = [f"dim_{i}" for i in range(values.ndim - 1)]
        array = xr.DataArray(
            whole.reshape(*self.grid.shape, *values.shape[1:]), dims=[*self.grid.dims, *extra]
        )
        return array.assign_coords(self.grid.coords).transpose(*self.dims, *extra)


def gather(ds: xr.Dataset, model: str | Model, request: Request, problems: Problems) -> Case:
    """Check everything, then read values.

    Raises
    ------
    InputErrors
        With every problem of the arguments and of what the dataset has, and those of `problems`;
        then of its values: gaps in forcings, infinite values, no observation.
    UnsupportedOperation
        If the step of the model does what kernels cannot, and the engine is not ``"array"``.
    """
    refuse_tree(problems.call, ds)
    model = models.get(model, problems.call)
    if isinstance(model, models.NetworkOnly):
        problems.add(
            "model",
            expected="a process model",
            got="NetworkOnly, which has no parameters of its own",
            fix='a process model, such as "vic"',
        )
        problems.raise_all()
    fix = 'a process model, such as "vic"'
    refuse_black_box(model, problems, expected="a model with gradients", fix=fix)
    found = schema.forcings(ds, model, request.forcings, problems)
    lead = [d for f in found.values() for d in f.data.dims] if found else list(ds.dims)
    site_dims = tuple(dict.fromkeys(str(d) for d in lead if d != "time"))
    _check_dims(site_dims, request.dims, problems)
    targets = find_targets(ds, model, request.target, request.forcings, site_dims, problems)
    if len(targets) > 1:
        problems.add("target", expected="one output", got=", ".join(targets), fix="ask for one at a time")
    engines.check(request.engine, False, problems, model)
    if request.time is not None:
        _check_time(request.time, ds, problems)
    theta, defaulted = resolve(model, request.parameters, problems)
    for name, array in theta.items():
        if not set(array.dims) <= set(site_dims):
            problems.add(
                f"parameters[{name!r}]",
                expected=f"dims among {site_dims}",
                got=f"dims {array.dims}",
                fix=f"select one of each other dim, such as .isel({array.dims[0]}=0)",
            )
        schema.check_labels(name, array, ds, problems, fix=_LABELS)
    attributes = schema.static(ds, list(request.attributes), site_dims, "an attribute", problems)
    problems.raise_if_any()
    if request.engine != "array":
        step_of(model, list(targets))
    ((output, target),) = targets.items()
    return _values(ds, model, output, target, found, theta, defaulted, attributes, request, problems)


def _check_dims(site_dims: Sequence[str], own: Sequence[str], problems: Problems) -> None:
    for dim in set(site_dims) & set(own):
        problems.add(
            dim,
            expected=f"site dims other than {names(own)}, which the result has",
            got=f"a site dim {dim!r}",
            fix=f'ds.rename({{"{dim}": "site"}})',
        )


def _check_time(time: Any, ds: xr.Dataset, problems: Problems) -> None:
    if isinstance(time, slice):
        check_period("time", time, ds, problems)
        return
    fix = 'time=slice("2000-01-01", "2000-12-31")'
    problems.add("time", expected="a slice of dates", got=repr(time), fix=fix)


def _values(
    ds: xr.Dataset,
    model: Model,
    output: str,
    target: schema.Found,
    found: dict[str, schema.Found],
    theta: dict[str, xr.DataArray],
    defaulted: list[str],
    attributes: dict[str, xr.DataArray],
    request: Request,
    problems: Problems,
) -> Case:
    variables = [v for f in found.values() for k, v in f.sources.items() if k != "area"]
    # Dims by name, so that a transposed dataset gives the same numbers.
    grid = Grid.of(ds.transpose(*sorted(ds.dims, key=str)), variables)
    first, last, warmup = _period(ds, request, problems)
    theta = {k: v.compute() for k, v in theta.items()}
    for p in model.parameters:
        check_bounds(p, theta[p.name], problems)
    span = {"time": slice(first - warmup, last + 1)}
    forcings = {k: grid.flatten(f.data.isel(span)) for k, f in found.items()}
    observed = grid.flatten(target.data.isel(time=slice(first, last + 1)))
    columns = [grid.flatten(v) for v in (*theta.values(), *map(units.magnitude, attributes.values()))]
    used = np.asarray(~np.isnan(columns).any(axis=0))
    for series in forcings.values():
        used &= ~np.isnan(series).all(axis=0)
    check_series(forcings, {output: observed}, used, found | {output: target}, grid, problems)
    seen = used & ~np.isnan(observed).all(axis=0)
    if not seen.any():
        problems.add(
            target.variable,
            expected="observations in the period at sites with forcings, parameters and attributes",
            got="none",
            fix="another time, or other sites",
        )
    problems.raise_if_any()
    used = used if request.unobserved else seen
    count = len(theta)
    dates = ds["time"].dt.strftime("%Y-%m-%d").values
    return Case(
        model,
        output,
        variables,
        {k: np.ascontiguousarray(v[:, used]) for k, v in forcings.items()},
        {k: v[used] for k, v in zip(theta, columns[:count], strict=True)},
        np.ascontiguousarray(observed[:, used]),
        np.stack(columns[count:], axis=1)[used] if attributes else np.empty((int(used.sum()), 0)),
        warmup,
        np.flatnonzero(used),
        grid,
        [str(d) for d in next(iter(found.values())).data.dims if d != "time"],
        defaulted,
        (str(dates[first]), str(dates[last])),
    )


def _period(ds: xr.Dataset, request: Request, problems: Problems) -> tuple[int, int, int]:
    """First and last step that are compared, and the number of steps that run before them."""
    positions = xr.DataArray(np.arange(ds.sizes["time"]), {"time": ds["time"]}, dims="time")
    inside = positions if request.time is None else positions.sel(time=request.time)
    first, last = int(inside[0]), int(inside[-1])
    if request.warmup is None:
        return first, last, first
    first = after_warmup(first, last, request.warmup, problems)
    problems.raise_if_any()
    return first, last, request.warmup
