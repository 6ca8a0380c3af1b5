"""What the declarations of a model must agree on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xdpl.models.base import Model

__all__ = ["check_routes"]


def check_routes(model: Model) -> None:
    """Check that a model declares what its routes name.

    Raises
    ------
    ValueError
        If a route takes a flux or parameters that the model does not declare, or two take
        the same, or of different length, or a state is called like that of a route.
    """
    fluxes = [flux.name for flux in model.fluxes]
    declared = [parameter.name for parameter in model.parameters]
    name = getattr(model, "name", type(model).__name__)
    for i, route in enumerate(model.routes):
        where = f"{name}: the route of {route.flux!r}"
        if route.flux not in fluxes:
            msg = f"{where} needs it among the fluxes: {', '.join(fluxes)}"
            raise ValueError(msg)
        missing = [p.name for p in route.parameters if p.name not in declared]
        if missing:
            msg = f"{where} needs {', '.join(missing)} among the parameters: {', '.join(declared)}"
            raise ValueError(msg)
        if route.flux in [other.flux for other in model.routes[:i]]:
            msg = f"{where} is there twice"
            raise ValueError(msg)
        if route.length != model.routes[0].length:
            msg = f"{where} has {route.length} steps, another has {model.routes[0].length}"
            raise ValueError(msg)
        if route.state.name in model.all_outputs():
            msg = f"{where} keeps a state {route.state.name!r}, which the model has already"
            raise ValueError(msg)
