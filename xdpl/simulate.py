"""Run a model forward: Dataset in, Dataset out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

from xdpl.blackbox.failures import Failures
from xdpl.labelled import blocks
from xdpl.labelled.label import labelled, run_attrs
from xdpl.labelled.prepare import prepare
from xdpl.labelled.schema import present
from xdpl.labelled.tree import over_nodes
from xdpl.models import BlackBox

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import DTypeLike

    from xdpl.models import Model

__all__ = ["simulate"]


@overload
def simulate(
    ds: xr.Dataset,
    model: str | Model,
    parameters: xr.Dataset | Mapping[str, Any] | None = ...,
    *,
    forcings: Mapping[str, str] | None = ...,
    outputs: Sequence[str] | None = ...,
    initial: xr.Dataset | None = ...,
    engine: str | None = ...,
    dtype: DTypeLike | None = ...,
    average: str | Sequence[str] | None = ...,
    progress: bool = ...,
    return_states: Literal[False] = ...,
) -> xr.Dataset: ...
@overload
def simulate(
    ds: xr.Dataset,
    model: str | Model,
    parameters: xr.Dataset | Mapping[str, Any] | None = ...,
    *,
    forcings: Mapping[str, str] | None = ...,
    outputs: Sequence[str] | None = ...,
    initial: xr.Dataset | None = ...,
    engine: str | None = ...,
    dtype: DTypeLike | None = ...,
    average: str | Sequence[str] | None = ...,
    progress: bool = ...,
    return_states: Literal[True],
) -> tuple[xr.Dataset, xr.Dataset]: ...
@over_nodes(present)
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
    average: str | Sequence[str] | None = None,
    progress: bool = False,
    return_states: bool = False,
) -> xr.Dataset | tuple[xr.Dataset, xr.Dataset]:
    """Run a process model over a dataset.

    Parameters
    ----------
    ds : Dataset
        Forcings with a `time` dimension and any site dimensions, with units. Or a
        `DataTree`: its nodes that have forcings are run, and a tree comes back.
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
        States before the first step, with units, such as a run before returned;
        the model's own if not given.
    engine : {"array", "cuda", "numba", "process"}, optional
        What runs the time loop: a kernel compiled for the CPU (numpy arrays) or
        the GPU (cupy arrays), by default, or plain array functions. A `BlackBox` has
        ``"process"`` and no other.
    dtype : dtype, optional
        Floating type to compute in; that of the forcings if not given.
    average : str or sequence of str, optional
        Dims of members over which the outputs are averaged while they are computed, which
        takes the memory of one member. Streamflow is then routed after the mean is taken,
        unless the parameters of its route have such a dim.
    progress : bool
        Show a bar over the parts of a run; of each block where `ds` is lazy.
    return_states : bool
        Also return the states after the last step. Given as `initial` to a run of
        the following period, that run continues bit for bit.

    Returns
    -------
    sim : Dataset
        The outputs in declared units, in the dimension order of the forcings.
        Sites whose forcing or parameters are NaN throughout are NaN. Lazy where
        `ds` is, on the GPU where its arrays are, quantified if a forcing is.
    states : Dataset
        Only with `return_states`: one variable per state, without a time dimension
        but with the coordinate `time` of the last step; of each member also where outputs
        are averaged. Water on its way to the outlet, such as ``unrouted_streamflow``, has a
        dim ``lag``: the flux before routing in the last steps, the oldest first, labelled
        by the steps between each and `time`.

    Raises
    ------
    InputErrors
        With every problem of the input: variables, units, time, names.

    Warns
    -----
    UserWarning
        If runs of a `BlackBox` failed, which are NaN; attributes count them, and list their
        messages. Where `ds` is lazy there is a warning for each block, and no attributes.

    Examples
    --------
    >>> import xdpl
    >>> ds = xdpl.data.twin(shape=(2, 2), years=1)
    >>> sim = ds.dpl.simulate("vic")
    """
    failures = Failures()
    run = prepare(
        "simulate",
        ds,
        model,
        parameters,
        forcings=forcings,
        outputs=outputs,
        initial=initial,
        engine=engine,
        dtype=dtype,
        average=average,
        states=return_states,
    )
    series, final = blocks.apply(
        run.model,
        run.forcings,
        run.parameters,
        run.initial,
        run.outputs,
        engine=engine,
        progress=progress,
        states=return_states,
        average=run.average,
        time=ds.indexes["time"] if isinstance(run.model, BlackBox) else None,
        failures=failures,
    )
    named = {run.model.output(k): v for k, v in zip(run.outputs, series, strict=True)}
    attrs = run_attrs(ds, run, "simulation")
    if run.average:
        attrs["averaged_over"] = json.dumps(run.average)
    if failures.runs:
        attrs |= failures.attrs()
        failures.warn(f"simulate({run.model.name!r})", "NaN", stacklevel=3)
    sim = labelled(ds, run, named, attrs)
    if not return_states:
        return sim
    declared = (*run.model.states, *run.model.route_states)
    states = labelled(ds, run, dict(zip(declared, final, strict=True)), run_attrs(ds, run, "final states"))
    return sim, states.assign_coords(time=ds["time"][-1].drop_encoding())
