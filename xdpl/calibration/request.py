"""A call of `calibrate`: its arguments, and whether they make sense."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl import engines, models
from xdpl.calibration.methods import Begin, find
from xdpl.calibration.objectives import OBJECTIVES
from xdpl.engines.tracing.trace import step_of
from xdpl.labelled import schema
from xdpl.labelled.choices import check_periods
from xdpl.labelled.parameters import resolve
from xdpl.labelled.targets import find_targets
from xdpl.models.black_box import refuse_black_box
from xdpl.models.ordering import Ordering

if TYPE_CHECKING:
    from xdpl.errors import Problems
    from xdpl.models import Model, Parameter

__all__ = ["Inputs", "Request", "inspect"]

_INTEGERS = {"evaluations": 1, "warmup": 0, "seed": 0}
_LABELS = 'select the sites of both, or .reindex_like(ds, method="nearest", tolerance=...)'


@dataclass(frozen=True)
class Request:
    """The arguments of `calibrate`, as given."""

    model: str | Model
    target: str | Mapping[str, str]
    method: str | Begin
    options: Mapping[str, Any]
    objective: str
    evaluations: int | None
    forcings: Mapping[str, str] | None
    train: slice | None
    sites: xr.DataArray | None
    warmup: int
    fixed: xr.Dataset | Mapping[str, Any] | None
    start: xr.Dataset | Mapping[str, Any] | None
    order: Sequence[Sequence[str]]
    engine: str | None
    dtype: Any
    seed: int
    checkpoint: Path | None


@dataclass(frozen=True)
class Inputs:
    """What a request refers to, found in the dataset and in declared units.

    Parameters
    ----------
    model : Model
    begin : callable
        Begins an optimiser.
    forcings : dict of str to Found
    output : str
        Output of the model that is compared.
    target : Found
    free : tuple of Parameter
        Those that are calibrated.
    fixed, start : dict of str to DataArray
        Of the parameters that are not, and of all.
    ordering : Ordering
        Of the free ones.
    """

    model: Model
    begin: Begin
    forcings: dict[str, schema.Found]
    output: str
    target: schema.Found
    free: tuple[Parameter, ...]
    fixed: dict[str, xr.DataArray]
    start: dict[str, xr.DataArray]
    ordering: Ordering

    @property
    def variables(self) -> list[str]:
        """Variables of the dataset that are forcings."""
        return [v for f in self.forcings.values() for k, v in f.sources.items() if k != "area"]


def inspect(ds: xr.Dataset, request: Request, problems: Problems) -> Inputs:
    """Check a request against a dataset without computing.

    Raises
    ------
    InputErrors
        With every problem found.
    """
    model = models.get(request.model, problems.call)
    if isinstance(model, models.NetworkOnly):
        problems.add(
            "model",
            expected="a process model",
            got="NetworkOnly, which has no parameters of its own",
            fix='ds.dpl.learn(model, ..., network="lstm")',
        )
        problems.raise_all()
    found = schema.forcings(ds, model, request.forcings, problems)
    dims = [d for f in found.values() for d in f.data.dims] if found else list(ds.dims)
    site_dims = tuple(dict.fromkeys(str(d) for d in dims if d != "time"))
    targets = find_targets(ds, model, request.target, request.forcings, site_dims, problems)
    if len(targets) > 1:
        problems.add(
            "target", expected="one output", got=", ".join(targets), fix="calibrate one after the other"
        )
    check_periods(ds, request.train, None, request.sites, site_dims, problems)
    _check_values(request, problems)
    engines.check(request.engine, False, problems, model)
    begin = find(request.method, request.options, problems)
    if getattr(begin, "needs_slopes", False):
        refuse_black_box(model, problems, expected="a model with gradients", fix='method="sce-ua"')
    given = request.fixed if request.fixed is not None else {}
    fixed = _static(ds, model, given, "fixed", site_dims, problems)
    start = _static(ds, model, request.start or {}, "start", site_dims, problems)
    names = [str(k) for k in (given.data_vars if isinstance(given, xr.Dataset) else given)]
    free = tuple(p for p in model.parameters if p.name not in names)
    ordering = _ordering(model, request.order, names, problems)
    if not free:
        problems.add("fixed", expected="not all parameters", got="all", fix="leave those to calibrate out")
    problems.raise_if_any()
    if request.engine != "array" and not isinstance(model, models.BlackBox):
        # What kernels cannot run is said before the first run.
        step_of(model, list(targets))
    ((output, target),) = targets.items()
    return Inputs(model, begin, found, output, target, free, {k: fixed[k] for k in names}, start, ordering)


def _ordering(
    model: Model,
    given: Sequence[Sequence[str]],
    fixed: Sequence[str],
    problems: Problems,
) -> Ordering:
    """What keeps an order, all of it free."""
    ordering = Ordering.of(model, given, problems)
    if held := [p.name for p in ordering.sequence if p.name in fixed]:
        problems.add(
            "order",
            expected="parameters that are calibrated",
            got=f"{', '.join(held)} among the fixed ones",
            fix="leave them out of one of both",
        )
    return ordering


def _static(
    ds: xr.Dataset,
    model: Model,
    given: Any,
    argument: str,
    site_dims: tuple[str, ...],
    problems: Problems,
) -> dict[str, xr.DataArray]:
    """Parameters on the dims of the sites."""
    values, _ = resolve(model, given, problems)
    for name, array in values.items():
        if not set(array.dims) <= set(site_dims):
            problems.add(
                f"{argument}[{name!r}]",
                expected=f"dims among {site_dims}",
                got=f"dims {array.dims}",
                fix=f"select one of each other dim, such as .isel({array.dims[0]}=0)",
            )
        schema.check_labels(name, array, ds, problems, fix=_LABELS)
    return values


def _check_values(request: Request, problems: Problems) -> None:
    for name, lowest in _INTEGERS.items():
        value = getattr(request, name)
        whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
        if not (whole and value >= lowest) and not (name == "evaluations" and value is None):
            fix = f"{name}={lowest}" if name != "evaluations" else "leave evaluations out"
            problems.add(name, expected=f"an integer of at least {lowest}", got=repr(value), fix=fix)
    if request.objective not in list(OBJECTIVES):
        problems.add(
            "objective",
            expected=f"one of {', '.join(OBJECTIVES)}",
            got=repr(request.objective),
            fix='objective="nse"',
        )
    try:
        known = np.dtype(request.dtype).name in ("float32", "float64")
    except TypeError:
        known = False
    if not known:
        problems.add("dtype", expected="float32 or float64", got=repr(request.dtype), fix='dtype="float32"')
    folder = None if request.checkpoint is None else request.checkpoint.parent
    if folder is not None and not folder.is_dir():
        problems.add(
            str(request.checkpoint),
            expected="a checkpoint in a folder that exists",
            got=f"no folder {str(folder)!r}",
            fix="make the folder first",
        )
