"""From the arguments of a run to checked arrays in declared units."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from array_api_compat import is_cupy_array

from xdpl import engines, models
from xdpl.engines.tracing.trace import step_of
from xdpl.errors import Problems, short
from xdpl.labelled import schema
from xdpl.labelled.attrs import parameters_hash
from xdpl.labelled.flat import LAG
from xdpl.labelled.floats import cast, common_type
from xdpl.labelled.members import check_average, check_members, check_routes, member_coords
from xdpl.labelled.parameters import resolve
from xdpl.labelled.states import initial_states

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from xdpl.models import Model

__all__ = ["Prepared", "prepare"]


_LABELS = 'select the sites of both, or .reindex_like(ds, method="nearest", tolerance=...)'


@dataclass(frozen=True)
class Prepared:
    """What a run needs, found, checked and in one floating type.

    Parameters
    ----------
    model : Model
    outputs : list of str
    found : dict of str to Found
        Forcings as they were found.
    forcings, parameters : dict of str to DataArray
    defaulted : list of str
        Parameters that took their default.
    initial : dict of str to DataArray or None
    engine : str or None
    coords : dict of str to DataArray
        Coordinates of the dims of members.
    parameters_hash : str
    average : tuple of str
        Dims of members to average over.
    """

    model: Model
    outputs: list[str]
    found: dict[str, schema.Found]
    forcings: dict[str, xr.DataArray]
    parameters: dict[str, xr.DataArray]
    defaulted: list[str]
    initial: dict[str, xr.DataArray] | None
    engine: str | None
    coords: dict[Hashable, xr.DataArray]
    parameters_hash: str
    average: tuple[str, ...]


def prepare(
    call: str,
    ds: xr.Dataset,
    model: str | Model,
    parameters: xr.Dataset | Mapping[str, Any] | None,
    *,
    forcings: Mapping[str, str] | None,
    outputs: Sequence[str] | None,
    initial: xr.Dataset | None,
    engine: str | None,
    dtype: DTypeLike | None,
    average: str | Sequence[str] | None = None,
    states: bool = False,
) -> Prepared:
    """Check everything before anything is computed; arguments as in `xdpl.simulate`.

    Parameters
    ----------
    states : bool
        Whether final states are wanted.

    Raises
    ------
    InputErrors
        With every problem of the input.
    UnsupportedOperation
        If the step of the model does what kernels cannot.
    """
    name = model if isinstance(model, str) else getattr(model, "name", short(model))
    problems = Problems(f"{call}({name!r})")
    model = models.get(model, problems.call)
    if isinstance(model, models.NetworkOnly):
        _refuse_alone(problems)
    wanted = _wanted(model, outputs, problems)
    found = schema.forcings(ds, model, forcings, problems)
    engines.check(engine, any(_on_gpu(f.data) for f in found.values()), problems, model)
    _check_dtype(dtype, problems)
    theta, defaulted = resolve(model, parameters, problems)
    start = None if initial is None else initial_states(model, ds, initial, problems)
    for key, array in (theta | (start or {})).items():
        schema.check_labels(key, array, ds, problems, fix=_LABELS)
    check_members([*theta.values(), *(start or {}).values()], problems)
    if isinstance(model, models.BlackBox):
        _check_whole_series(model, theta, initial is not None or states, problems)
    drivers = {k: f.data for k, f in found.items()}
    check_routes(model, drivers, theta, start or {}, problems)
    own = {d for a in drivers.values() for d in a.dims} | ({LAG} if model.routes else set())
    averaged = check_average(average, own, theta | (start or {}), problems)
    for key, array in theta.items():
        schema.check_chunks(key, array, problems, of="parameters")
    problems.raise_if_any()

    # One floating type for all: float64 parameters would promote a float32 run.
    kind = common_type(drivers.values()) if dtype is None else np.dtype(dtype)
    arrays = cast(drivers, kind)
    if engines.compiles(model, engine, _like(next(iter(arrays.values())))):
        # What kernels cannot run is said now, also where the run itself is lazy.
        step_of(model, wanted)
    return Prepared(
        model,
        wanted,
        found,
        arrays,
        cast(theta, kind),
        defaulted,
        None if start is None else cast(start, kind),
        engine,
        member_coords((parameters, initial), own),
        parameters_hash(theta),
        averaged,
    )


def _refuse_alone(problems: Problems) -> None:
    problems.add(
        "model",
        expected="a process model",
        got="NetworkOnly, which has no step and no parameters: a network predicts its outputs",
        fix='fit = ds.dpl.learn(model, ..., network="lstm"), then fit.simulate(ds)',
    )
    problems.raise_all()


def _check_whole_series(
    model: Model, theta: Mapping[str, xr.DataArray], states: bool, problems: Problems
) -> None:
    """Note what a program that runs whole series by itself cannot take or give."""
    if states:
        expected = f"no states, which {model.name!r} as a BlackBox keeps to itself"
        fix = "run the whole period, with years before it to warm up"
        problems.add("states", expected=expected, got="initial or final ones asked for", fix=fix)
    for name, array in theta.items():
        if "time" in array.dims:
            expected = "one value for a run, as a BlackBox takes it"
            problems.add(name, expected=expected, got=f"dims {array.dims}", fix=f'{name}.mean("time")')


def _like(array: xr.DataArray) -> Any:
    """An array of the kind that blocks of the data are."""
    return getattr(array.data, "_meta", array.data)


def _on_gpu(array: xr.DataArray) -> bool:
    return bool(is_cupy_array(_like(array)))


def _wanted(model: Model, outputs: Sequence[str] | None, problems: Problems) -> list[str]:
    known = model.all_outputs()
    chosen = (
        list(model.outputs) if outputs is None else [outputs] if isinstance(outputs, str) else list(outputs)
    )
    if not chosen:
        problems.add("outputs", expected=f"some of {', '.join(known)}", got="none", fix="outputs=None")
    for name in chosen:
        if name not in known:
            problems.add("outputs", expected=f"among {', '.join(known)}", got=repr(name), fix="remove it")
    return list(dict.fromkeys(chosen))


def _check_dtype(dtype: DTypeLike | None, problems: Problems) -> None:
    try:
        floating = dtype is None or np.dtype(dtype).kind == "f"
    except TypeError:
        floating = False
    if not floating:
        problems.add("dtype", expected="a floating type", got=repr(dtype), fix='dtype="float64"')
