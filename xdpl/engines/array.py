"""Engine `array`: a plain time loop over the step, in any array namespace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from array_api_compat import array_namespace

from xdpl.models.base import Model

__all__ = ["run"]

Array = Any


def run(
    model: Model,
    forcings: Mapping[str, Array],
    parameters: Mapping[str, Array],
    *,
    initial: Mapping[str, Array] | None = None,
    outputs: Sequence[str] = (),
    members: int | None = None,
    average: bool = True,
    progress: bool = False,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Run a model over time; the readable reference that other engines match.

    Fluxes are those of the step, before any routes of the model.

    Parameters
    ----------
    model : Model
    forcings : mapping of str to array, (time, *sites)
        Every declared forcing, in declared units.
    parameters : mapping of str to array, ([time,] [member,] *sites)
        Every declared parameter; with a time axis it varies in time.
    initial : mapping of str to array, ([member,] *sites), optional
        States before the first step; the model's own if not given.
    outputs : sequence of str
        Names of the fluxes and states to return.
    members : int, optional
        Parameter sets that run for each site; then parameters and states have a
        member axis. None for one set without that axis.
    average : bool
        Return the mean of the series over members instead of each.
    progress : bool
        Show a bar over time steps.

    Returns
    -------
    series : dict of str to array, (time, *sites), or (time, member, *sites)
    final : dict of str to array, ([member,] *sites)
        All states after the last step.
    """
    first = next(iter(forcings.values()))
    xp = array_namespace(first)
    shape = tuple(first.shape[1:]) if members is None else (members, *first.shape[1:])
    moving = {k for k, v in parameters.items() if v.ndim > len(shape)}

    def parameters_at(t: int) -> Any:
        return model.pack("parameters", {k: v[t, ...] if k in moving else v for k, v in parameters.items()})

    p = parameters_at(0)
    state = initial if initial is not None else model.initial_states(xp, p)
    rows: dict[str, list[Array]] = {name: [] for name in outputs}
    for t in _steps(first.shape[0], model.name, progress):
        if moving:
            p = parameters_at(t)
        forcing = model.pack("forcings", {k: xp.broadcast_to(v[t, ...], shape) for k, v in forcings.items()})
        state, fluxes = model.step(xp, model.pack("states", state), forcing, p)
        for name in outputs:
            value = fluxes[name] if name in fluxes else state[name]
            rows[name].append(value if members is None or not average else xp.mean(value, axis=0))
    return {name: xp.stack(values, axis=0) for name, values in rows.items()}, dict(state)


def _steps(length: int, name: str, progress: bool) -> Iterable[int]:
    if not progress:
        return range(length)
    from tqdm.auto import tqdm

    bar: Iterable[int] = tqdm(range(length), desc=name, unit="step")
    return bar
