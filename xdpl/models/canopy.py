"""What a canopy does with rain, and how it holds back evaporation."""

from __future__ import annotations

from typing import Any

from xdpl.models.numerics import positive

__all__ = ["intercept", "temperature_stress", "transpiration_factors"]

Array = Any

#: Rain and demand below this, in mm, count as none: their ratio has no gradient.
_NONE = 1e-8

#: Psychrometric constant at 101.3 kPa, kPa K-1 (Allen et al. 1998, eq. 8).
_PSYCHROMETRIC = 0.0674

#: Temperature without stress, degC, and the loss with its square, K-2 (Noilhan and Planton 1989).
_BEST, _CURVATURE = 25.0, 0.0016


def intercept(
    xp: Any, water: Array, rain: Array, demand: Array, capacity: Array
) -> tuple[Array, Array, Array]:
    """Exact step of dW/dt = P (1 - W/C) - E W/C at constant rain P and demand E.

    Parameters
    ----------
    xp : namespace
    water : array
        On the canopy before the step, mm.
    rain, demand : array
        Rain on the canopy and evaporation of a wet one over the step, mm.
    capacity : array
        C, above 0, mm.

    Returns
    -------
    water : array
        After the step, mm.
    throughfall : array
        Over the step, mm.
    wet : array
        Mean of W/C over the step: the fraction of `demand` that is met from the canopy.
    """
    # Where the capacity has changed, water above it falls at once.
    surplus = positive(xp, water - capacity)
    held = water - surplus
    total = rain + demand
    none = total <= _NONE
    safe = xp.where(none, 1.0, total)
    turnover = xp.where(none, 0.0, total) / capacity
    lost = -xp.expm1(-turnover)
    # Mean of exp(-turnover t) over the step; rain that counts as none falls through.
    staying = xp.where(none, 0.0, lost * capacity / safe)
    out = held * lost + rain * positive(xp, 1.0 - staying)
    after = held * (1.0 - lost) + rain * staying
    wet = xp.where(none, 0.0, xp.clip(out / safe, max=1.0))
    return after, surplus + positive(xp, out - demand * wet), wet


def temperature_stress(xp: Any, air_temperature: Array) -> Array:
    """Factor of Noilhan and Planton (1989) from 0 (closed stomata) to 1 (at 25 degC)."""
    return positive(xp, 1.0 - _CURVATURE * (_BEST - air_temperature) ** 2)


def transpiration_factors(
    xp: Any, air_temperature: Array, rc_min: Array, lai: Array, aerodynamic_resistance: float
) -> tuple[Array, Array]:
    """A and B of the ratio of transpiration to its demand, A g / (A g + B).

    Penman-Monteith over Penman is (delta + gamma) / (delta + gamma (1 + rc / ra)) with
    rc = rc_min / (lai F g): a product that stays finite where stomata close.

    Parameters
    ----------
    xp : namespace
    air_temperature : array
        degC.
    rc_min : array
        Stomatal resistance without stress, s m-1.
    lai : array
        Leaf area index, m2 m-2.
    aerodynamic_resistance : float
        s m-1.

    Returns
    -------
    a, b : array
        With the stress of temperature in `a`; g, the stress of the soil, is of the caller.
    """
    above = air_temperature + 237.3
    # Slope of the saturation vapour pressure, kPa K-1 (Allen et al. 1998, eq. 13).
    slope = 4098.0 * 0.6108 * xp.exp(17.27 * air_temperature / above) / above**2
    a = (slope + _PSYCHROMETRIC) * temperature_stress(xp, air_temperature)
    return a, _PSYCHROMETRIC * rc_min / (lai * aerodynamic_resistance)
