"""Water moving between four soil layers: Richards' equation after Campbell, one implicit step."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from xdpl.models.numerics import positive, safe_power

__all__ = ["Column", "campbell_column", "keep_in_bounds", "redistribute"]

Array = Any


class Column(NamedTuple):
    """Hydraulic properties of a column of one soil, as `redistribute` takes them.

    Attributes
    ----------
    capacities : sequence of array
        Water in each layer at saturation, mm.
    b : array
        Exponent of Campbell.
    gravity : array
        Saturated conductivity times the substep, mm.
    matric : sequence of array
        Of each interface between layers: its flux in a substep where the layer above is
        saturated and the one below is dry, without gravity, mm.
    outflow : array
        Fraction of the conductivity of the lowest layer that drains.
    """

    capacities: Sequence[Array]
    b: Array
    gravity: Array
    matric: Sequence[Array]
    outflow: Array


def campbell_column(
    thicknesses: Sequence[float],
    porosity: Array,
    psi_sat: Array,
    b: Array,
    ksat: Array,
    slope: Array,
    dt: float,
) -> Column:
    """Properties of a column over a time step of `dt` days.

    Parameters
    ----------
    thicknesses : sequence of float
        Of the layers, from above, m.
    porosity, psi_sat, b, ksat, slope : array
        Volume fraction; suction at saturation, m; exponent; conductivity at saturation,
        mm d-1; fraction of the conductivity that drains at the bottom.
    dt : float
        Days.
    """
    capacities = tuple(1000.0 * d * porosity for d in thicknesses)
    gravity = dt * ksat
    # The integral of D = K dpsi/dtheta from dry to saturated is ksat psi_sat b / (b + 3).
    potential = gravity * psi_sat * b / (b + 3.0)
    between = [0.5 * (d + below) for d, below in pairwise(thicknesses)]
    return Column(capacities, b, gravity, tuple(potential * (1.0 / d) for d in between), slope)


def redistribute(
    xp: Any, water: Sequence[Array], inflow: Array, uptake: Sequence[Array], column: Column
) -> list[Array]:
    """Fluxes out of the bottom of each layer over one step, downwards, mm.

    Each flux is linear in the change of the water of both its layers, with the exact
    derivatives at the old state. The unknowns are the fluxes, not the water contents: so
    contents that are updated with them keep the balance to round-off.

    Parameters
    ----------
    xp : namespace
    water : sequence of array
        In each layer before the step, mm.
    inflow : array
        Into the first layer over the step, mm.
    uptake : sequence of array
        Out of each layer by evaporation over the step, mm.
    column : Column

    Returns
    -------
    list of array
        One for each layer; that of the lowest one leaves the column.
    """
    b, last = column.b, len(water) - 1
    # Of each layer: relative conductivity, relative potential (the integral of D), their derivatives.
    conducted, potential, steeper, diffused = [], [], [], []
    for w, c in zip(water, column.capacities, strict=True):
        s = w / c
        u = safe_power(xp, s, b + 1.0)
        t = u * s
        conducted.append(u * t)
        potential.append(t * s)
        steeper.append(u * u * ((2.0 * b + 3.0) / c))
        diffused.append(t * ((b + 3.0) / c))
    # Fluxes at the old state and their derivatives by the water above (rise) and below (fall).
    fluxes, rises, falls = [], [], []
    for i in range(last):
        matric = column.matric[i]
        fluxes.append(matric * (potential[i] - potential[i + 1]) + column.gravity * conducted[i])
        rises.append(matric * diffused[i] + column.gravity * steeper[i])
        falls.append(matric * diffused[i + 1])
    drained = column.gravity * column.outflow
    fluxes.append(drained * conducted[last])
    rises.append(drained * steeper[last])
    right = [q - a * e for q, a, e in zip(fluxes, rises, uptake, strict=True)]
    right[0] = right[0] + rises[0] * inflow
    for i, fall in enumerate(falls):
        right[i] = right[i] + fall * uptake[i + 1]
    return _solve(right, rises, falls)


def _solve(right: Sequence[Array], rises: Sequence[Array], falls: Sequence[Array]) -> list[Array]:
    """Solve (1 + rise + fall) q_i - rise q_(i-1) - fall q_(i+1) = right (Thomas algorithm).

    The matrix is diagonally dominant with a pivot of at least one, whatever the soil.
    """
    known: list[Array] = []
    upper: list[Array] = []
    for i, (r, rise) in enumerate(zip(right, rises, strict=True)):
        pivot = 1.0 + rise if i == 0 else 1.0 + rise * (1.0 - upper[-1])
        if i < len(falls):
            pivot = pivot + falls[i]
        known.append((r if i == 0 else r + rise * known[-1]) / pivot)
        if i < len(falls):
            upper.append(falls[i] / pivot)
    solved = [known[-1]]
    for y, factor in zip(reversed(known[:-1]), reversed(upper), strict=True):
        solved.insert(0, y + factor * solved[0])
    return solved


def keep_in_bounds(
    xp: Any, water: Sequence[Array], inflow: Array, fluxes: Sequence[Array], capacities: Sequence[Array]
) -> tuple[list[Array], Array, Array]:
    """Move water by fluxes that are cut to what a layer has, and hand on what it cannot hold.

    Parameters
    ----------
    xp : namespace
    water : sequence of array
        In each layer, after evaporation, mm.
    inflow : array
        Into the first layer, mm.
    fluxes : sequence of array
        Out of the bottom of each layer, downwards, mm.
    capacities : sequence of array
        Of the layers, mm.

    Returns
    -------
    water : list of array
        In each layer, between nothing and its capacity, mm.
    drainage : array
        Out of the lowest layer, not negative, mm.
    excess : array
        What the first layer could not hold, mm.
    """
    moved: list[Array] = []
    for i, w in enumerate(water):
        held = w + inflow
        # Upwards, not more than the layer below has; nothing rises into the column.
        down = xp.maximum(fluxes[i], -water[i + 1]) if i + 1 < len(water) else positive(xp, fluxes[i])
        inflow = xp.minimum(down, held)
        moved.append(held - inflow)
    excess = 0.0 * moved[0]
    for i in reversed(range(len(water))):
        filled = moved[i] + excess
        excess = positive(xp, filled - capacities[i])
        moved[i] = filled - excess
    return moved, inflow, excess
