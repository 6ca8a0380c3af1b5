"""Convolution of a series with a unit hydrograph, in parts or at once."""

from __future__ import annotations

from typing import Any

__all__ = ["convolve", "last"]

Array = Any


def convolve(xp: Any, series: Array, weights: Array, before: Array) -> tuple[Array, Array]:
    """Delay a series; the readable reference that compiled convolutions match.

    Parameters
    ----------
    xp : namespace
    series : array, (time, ...)
        Before routing.
    weights : array, (length, ...)
        Share that leaves after 0, 1, ... steps.
    before : array, (length - 1, ...)
        The steps before the series, the oldest first.

    Returns
    -------
    routed : array, (time, ...)
    after : array, (length - 1, ...)
        What `before` is to a series that follows.

    Notes
    -----
    Every value is the sum over delays in the same order, wherever the series was cut: parts
    are the whole bit for bit.
    """
    steps, lags = series.shape[0], weights.shape[0] - 1
    whole = xp.concat([xp.broadcast_to(before, (lags, *series.shape[1:])), series], axis=0)
    routed = weights[0, ...] * series
    for k in range(1, lags + 1):
        routed = routed + weights[k, ...] * whole[lags - k : lags - k + steps, ...]
    return routed, whole[steps:, ...]


def last(xp: Any, series: Array, before: Array) -> Array:
    """As many steps as `before` has, up to the end of a series that follows it."""
    lags = before.shape[0]
    if series.shape[0] >= lags:
        return series[series.shape[0] - lags :, ...]
    before = xp.broadcast_to(before, (lags, *series.shape[1:]))
    return xp.concat([before[series.shape[0] :, ...], series], axis=0)
