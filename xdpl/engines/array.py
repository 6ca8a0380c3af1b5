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
    progress: bool = False,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Run a model over time; the readable reference that other engines match.

    Parameters
    ----------
    model : Model
    forcings : mapping of str to array, (time, *sites)
        Every declared forcing, in declared units.
    parameters : mapping of str to array, (*sites) or (time, *sites)
        Every declared parameter; with a time axis it varies in time.
    initial : mapping of str to array, (*sites), optional
        States before the first step; the model's own if not given.
    outputs : sequence of str
        Names of the fluxes and states to return.
    progress : bool
        Show a bar over time steps.

    Returns
    -------
    series : dict of str to array, (time, *sites)
    final : dict of str to array, (*sites)
        All states after the last step.
    """
    first = next(iter(forcings.values()))
    xp = array_namespace(first)
    site_ndim = first.ndim - 1
    moving = {k for k, v in parameters.items() if v.ndim > site_ndim}

    def parameters_at(t: int) -> Any:
        return model.pack("parameters", {k: v[t, ...] if k in moving else v for k, v in parameters.items()})

    p = parameters_at(0)
    state = initial if initial is not None else model.initial_states(xp, p)
    rows: dict[str, list[Array]] = {name: [] for name in outputs}
    for t in _steps(first.shape[0], model.name, progress):
        if moving:
            p = parameters_at(t)
        forcing = model.pack("forcings", {k: v[t, ...] for k, v in forcings.items()})
        state, fluxes = model.step(xp, model.pack("states", state), forcing, p)
        for name in outputs:
            rows[name].append(fluxes[name] if name in fluxes else state[name])
    return {name: xp.stack(values, axis=0) for name, values in rows.items()}, dict(state)


def _steps(length: int, name: str, progress: bool) -> Iterable[int]:
    if not progress:
        return range(length)
    from tqdm.auto import tqdm

    bar: Iterable[int] = tqdm(range(length), desc=name, unit="step")
    return bar
