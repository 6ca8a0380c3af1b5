"""Run a model forward: Dataset in, Dataset out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from array_api_compat import is_cupy_array

from xdpl import engines, models, units
from xdpl.engines.tracing.trace import step_of
from xdpl.errors import Problems, short
from xdpl.labelled import blocks, schema
from xdpl.labelled.attrs import provenance, variable_attrs
from xdpl.labelled.parameters import resolve

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from xdpl.models import Model

__all__ = ["simulate"]


def simulate(
    ds: xr.Dataset,
    model: str | Model,
    parameters: xr.Dataset | Mapping[str, Any] | None = None,
    *,
    forcings: Mapping[str, str] | None = None,
    outputs: Sequence[str] | None = None,
    initial: xr.Dataset | None = None,
    engine: str | None = None,
    dtype: DTypeLike | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Run a process model over a dataset.

    Parameters
    ----------
    ds : Dataset
        Forcings with a `time` dimension and any site dimensions, with units.
    model : str or Model
        A name, such as ``"vic"``, or an instance with its own options.
    parameters : Dataset or mapping, optional
        One variable per parameter, with units, on any of the site dimensions and
        further ones (a member dimension comes back in the output). Numbers in a
        mapping are in the declared units. Parameters that are not given take
        their default, and the output says which.
    forcings : mapping of str to str, optional
        Which variable of `ds` is which forcing. Others are found by name, then
        by CF standard name.
    outputs : sequence of str, optional
        Fluxes and states to return; the model's main outputs if not given.
    initial : Dataset, optional
        States before the first step, with units; the model's own if not given.
    engine : {"array", "cuda", "numba"}, optional
        What runs the time loop: a kernel compiled for the CPU (numpy arrays) or
        the GPU (cupy arrays), by default, or plain array functions.
    dtype : dtype, optional
        Floating type to compute in; that of the forcings if not given.
    progress : bool
        Show a bar over the parts of a run; of each block where `ds` is lazy.

    Returns
    -------
    Dataset
        The outputs in declared units, in the dimension order of the forcings.
        Sites whose forcing or parameters are NaN throughout are NaN. Lazy where
        `ds` is.

    Raises
    ------
    InputErrors
        With every problem of the input: variables, units, time, names.

    Examples
    --------
    >>> import xdpl
    >>> ds = xdpl.data.twin(shape=(2, 2), years=1)
    >>> sim = ds.dpl.simulate("vic")
    """
    name = model if isinstance(model, str) else getattr(model, "name", short(model))
    problems = Problems(f"simulate({name!r})")
    model = models.get(model, problems.call)
    wanted = _wanted(model, outputs, problems)
    found = schema.forcings(ds, model, forcings, problems)
    engines.check(engine, any(_on_gpu(f.data) for f in found.values()), problems)
    _check_dtype(dtype, problems)
    theta, defaulted = resolve(model, parameters, problems)
    start = None if initial is None else _initial(model, initial, problems)
    for key, array in (theta | (start or {})).items():
        schema.check_labels(key, array, ds, problems, fix="reindex_like(ds), or select the sites of both")
    problems.raise_if_any()

    arrays = {k: schema.as_float(f.data, dtype) for k, f in found.items()}
    # One floating type for all: float64 parameters would promote a float32 run.
    kind = np.result_type(*(a.dtype for a in arrays.values()))
    arrays, theta = ({k: a.astype(kind, copy=False) for k, a in group.items()} for group in (arrays, theta))
    start = None if start is None else {k: a.astype(kind, copy=False) for k, a in start.items()}
    if (engine or engines.choose(_like(next(iter(arrays.values()))))) != "array":
        # What kernels cannot run is said now, also where the run itself is lazy.
        step_of(model, wanted)
    results = blocks.apply(model, arrays, theta, start, wanted, engine=engine, progress=progress)
    order = _dim_order(ds, [f.variable for f in found.values()])
    out = xr.Dataset()
    for key, array in zip(wanted, results, strict=True):
        dims = [d for d in array.dims if d not in order] + [d for d in order if d in array.dims]
        out[key] = array.transpose(*dims)
        out[key].attrs = variable_attrs(model.output(key))
    out = out.assign_coords({k: c for k, c in ds.coords.items() if set(c.dims) <= set(out.dims)})
    # Of coordinates too: chunks they were stored in need not fit those of the output.
    out = out.drop_encoding()
    out.attrs = provenance(f"{model.name} simulation", model) | {
        "forcings": json.dumps({k: f.variable for k, f in found.items()}),
        "default_parameters": json.dumps(defaulted),
    }
    quantified = [ds[f.variable] for f in found.values() if units.is_quantified(ds[f.variable])]
    return units.quantify_like(out, quantified[0]) if quantified else out


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


def _initial(model: Model, initial: xr.Dataset, problems: Problems) -> dict[str, xr.DataArray]:
    from xdpl.labelled.lookup import in_units

    start = {}
    for state in model.states:
        if state.name not in initial:
            problems.add(
                state.name,
                expected=f"an initial state in {state.units!r}",
                got="none",
                fix=f"simulate(..., outputs={[s.name for s in model.states]}).isel(time=-1) of a run before",
            )
            continue
        start[state.name] = in_units(initial[state.name], state.units, problems)
    return start


def _dim_order(ds: xr.Dataset, variables: Sequence[str]) -> list[str]:
    order: list[str] = []
    for variable in variables:
        order += [str(d) for d in ds[variable].dims if d not in order]
    return order
