"""Normalised columns in any array namespace."""

from __future__ import annotations

from typing import Any

from array_api_compat import device

from xdpl.networks.scaling import Moments

__all__ = ["as_like", "normal"]

Array = Any


def as_like(xp: Any, values: Any, like: Array) -> Array:
    """Numbers of the host where an array lies, in its type."""
    return xp.asarray(values, dtype=like.dtype, device=device(like))


def normal(xp: Any, columns: Array, moments: Moments) -> Array:
    """Columns (site, column) less their means and over their standard deviations."""
    return (columns - as_like(xp, moments.mean, columns)) / as_like(xp, moments.std, columns)
