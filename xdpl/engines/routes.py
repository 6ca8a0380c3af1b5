"""Routes of a model: fluxes delayed after the time loop, whichever engine ran it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from array_api_compat import array_namespace, device

from xdpl.models.base import Model
from xdpl.models.checks import check_routes
from xdpl.models.routes import GammaHydrograph

__all__ = ["run_with_routes"]

Array = Any
Convolve = Callable[[Any, Array, Array, Array], tuple[Array, Array]]


def run_with_routes(
    run: Callable[..., tuple[dict[str, Array], dict[str, Array]]],
    model: Model,
    forcings: Mapping[str, Array],
    parameters: Mapping[str, Array],
    *,
    initial: Mapping[str, Array] | None = None,
    outputs: Sequence[str] = (),
    members: int | None = None,
    average: bool = True,
    states: bool = True,
    convolve: Convolve,
    **options: Any,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Run the step of a model, then its routes.

    Parameters
    ----------
    run : callable
        Of an engine; gives fluxes as the step does.
    model, forcings, parameters, outputs, members, **options
        As in `xdpl.engines.array.run`. Parameters of routes may lack the member axis, and
        have none of time.
    initial : mapping of str to array, optional
        States of routes may be missing: there is then no water on the way.
    average : bool
        Where the parameters of routes lack the member axis, the mean of the members is
        routed, once, and so are then the states of routes; else each is routed before
        the mean is taken.
    states : bool
        Whether the states of routes are wanted, of fluxes that `outputs` lack too.
    convolve : callable
        As `xdpl.routing.convolve`.

    Raises
    ------
    ValueError
        If a parameter of a route has a time axis, or the model lacks what a route names.
    """
    check_routes(model)
    routes = [route for route in model.routes if states or route.flux in outputs]
    dims = next(iter(forcings.values())).ndim - 1
    averaged = members is not None and average
    each = averaged and any(_own(route, parameters, dims) for route in routes)
    _check_time(model, parameters, dims + (members is not None))
    found, final = run(
        model,
        forcings,
        parameters,
        initial=None if initial is None else {s.name: initial[s.name] for s in model.states},
        outputs=tuple(dict.fromkeys((*outputs, *(route.flux for route in routes)))),
        members=members,
        average=average and not each,
        **options,
    )
    for route in routes:
        flux = found[route.flux]
        xp = array_namespace(flux)
        before = _before(route, flux, initial or {}, averaged and not each, dims)
        weights = _with_axes(xp, route.weights(xp, *(parameters[p.name] for p in route.parameters)), flux)
        found[route.flux], after = convolve(xp, flux, weights, before)
        if states:
            final[route.state.name] = after
    series = {k: found[k] for k in outputs}
    if each:
        series = {k: array_namespace(v).mean(v, axis=1) for k, v in series.items()}
    return series, final


def _own(route: GammaHydrograph, parameters: Mapping[str, Array], dims: int) -> bool:
    """Whether members have routes of their own."""
    return any(parameters[p.name].ndim > dims for p in route.parameters)


def _check_time(model: Model, parameters: Mapping[str, Array], still: int) -> None:
    for route in model.routes:
        for p in route.parameters:
            if parameters[p.name].ndim > still:
                msg = f"{p.name}: a parameter of a route belongs to a site, and has no time axis"
                raise ValueError(msg)


def _before(
    route: GammaHydrograph, series: Array, initial: Mapping[str, Array], averaged: bool, dims: int
) -> Array:
    """The steps before a series, as far as they are known; with a member axis if the series has one."""
    xp = array_namespace(series)
    before = initial.get(route.state.name)
    if before is None:
        shape = (route.length - 1, *series.shape[1:])
        return xp.zeros(shape, dtype=series.dtype, device=device(series))
    if averaged and before.ndim > dims + 1:
        return xp.mean(before, axis=1)
    return _with_axes(xp, before, series)


def _with_axes(xp: Any, v: Array, series: Array) -> Array:
    """With the axes of members that all share."""
    while v.ndim < series.ndim:
        v = xp.expand_dims(v, axis=1)
    return v
