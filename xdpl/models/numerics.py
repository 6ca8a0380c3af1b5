"""Elementwise functions whose values and gradients stay finite at the corners."""

from __future__ import annotations

from typing import Any

__all__ = ["positive", "ramp", "safe_power"]

Array = Any


def positive(xp: Any, x: Array) -> Array:
    """Positive part of `x`: max(x, 0)."""
    return xp.clip(x, min=0.0)


def ramp(xp: Any, x: Array, lower: Array, upper: Array) -> Array:
    """Linear rise from 0 at `lower` to 1 at `upper`, constant outside (upper > lower)."""
    return xp.clip((x - lower) / (upper - lower), min=0.0, max=1.0)


def safe_power(xp: Any, x: Array, y: Array, tiny: float = 1e-8) -> Array:
    """`x**y` for x >= 0, exactly 0 with zero gradient up to `tiny`; NaN stays NaN.

    The base is replaced before the power is taken, so that neither branch of
    the selection can produce 0·inf in a gradient.
    """
    none = x <= tiny
    return xp.where(none, 0.0, xp.where(none, 1.0, x) ** y)
