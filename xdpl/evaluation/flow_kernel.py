"""Metrics of streamflow, of plain arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["flow_formulas"]

_Array = np.ndarray[Any, np.dtype[Any]]

# Shares of all flows and shares of the time that a flow is exceeded (Yilmaz et al. 2008, section 3.3).
_HIGH, _LOW = 0.02, 0.3
_MIDDLE = (0.2, 0.7)
# Of the mean observed flow: logarithms of smaller flows are those of this one.
_FLOOR = 1e-6
# Steps between peaks, and around a peak (Kratzert et al. 2021).
_BETWEEN, _AROUND = 100, 3


def flow_formulas(simulated: _Array, observed: _Array, *, days: _Array) -> dict[str, _Array]:
    """`FLOW_METRICS` of every site.

    Parameters
    ----------
    simulated, observed : array, (site, day)
        Both NaN where either is missing.
    days : array of int, (day,)
        Number of each day, increasing; there may be gaps.

    Returns
    -------
    dict of array, (site,)
    """
    # Duration curves, the lowest flow first and NaN last; each series has its own order of days.
    sim, obs = np.sort(simulated, axis=1), np.sort(observed, axis=1)
    count = (~np.isnan(obs)).sum(axis=1, keepdims=True)
    low, high = (np.maximum(np.rint(share * count).astype(int), 1) for share in (_LOW, _HIGH))
    rank = np.arange(obs.shape[1])
    lowest, highest = rank < low, (rank >= count - high) & (rank < count)
    floor = _FLOOR * _mean(obs, rank < count)[:, None]
    log_sim, log_obs = (np.log(np.maximum(curve, floor)) for curve in (sim, obs))
    peaks = [_peak_timing(*pair, days) for pair in zip(simulated, observed, strict=True)]
    return {
        "percent_bias": _percent(_total(sim, rank < count), _total(obs, rank < count)),
        "fhv": _percent(_total(sim, highest), _total(obs, highest)),
        "fms": _percent(_drop(sim, floor, count), _drop(obs, floor, count)),
        # Positive where the simulated curve is the flatter one.
        "flv": -_percent(_total(log_sim - log_sim[:, :1], lowest), _total(log_obs - log_obs[:, :1], lowest)),
        # By the flow and not by the rank: all days of equal flow are in.
        "rmse_low": _rmse(simulated, observed, observed <= _at(obs, low - 1)),
        "rmse_high": _rmse(simulated, observed, observed >= _at(obs, count - high)),
        "peak_timing": np.asarray(peaks),
    }


def _at(curve: _Array, index: _Array) -> _Array:
    return np.take_along_axis(curve, index, axis=1)


def _total(values: _Array, where: _Array) -> _Array:
    return np.asarray(np.where(where, values, 0.0).sum(axis=1))


def _mean(values: _Array, where: _Array) -> _Array:
    return np.asarray(_total(values, where) / where.sum(axis=1))


def _percent(simulated: _Array, observed: _Array) -> _Array:
    return np.asarray(100.0 * (simulated - observed) / np.where(observed == 0.0, np.nan, observed))


def _rmse(simulated: _Array, observed: _Array, where: _Array) -> _Array:
    return np.sqrt(_mean((simulated - observed) ** 2, where))


def _drop(curve: _Array, floor: _Array, count: _Array) -> _Array:
    """Difference of the logarithms of flow between the two ends of the middle segment."""
    ends = (_quantile(curve, 1.0 - exceeded, count) for exceeded in _MIDDLE)
    upper, lower = (np.log(np.maximum(flow, floor)) for flow in ends)
    return np.asarray((upper - lower)[:, 0])


def _quantile(curve: _Array, q: float, count: _Array) -> _Array:
    below = (q * (count - 1)).astype(int)
    weight = q * (count - 1) - below
    above = np.minimum(below + 1, count - 1)
    return np.asarray(_at(curve, below) * (1.0 - weight) + _at(curve, above) * weight)


def _peak_timing(simulated: _Array, observed: _Array, days: _Array) -> float:
    from scipy.signal import find_peaks

    known = ~np.isnan(observed)
    simulated, observed, days = simulated[known], observed[known], days[known]
    peaks, _ = find_peaks(observed, distance=_BETWEEN, prominence=observed.std())
    peaks = peaks[(peaks >= _AROUND) & (peaks < observed.size - _AROUND)]
    # A window with a gap could hide the simulated peak.
    peaks = peaks[days[peaks + _AROUND] - days[peaks - _AROUND] == 2 * _AROUND]
    if not peaks.size:
        return np.nan
    windows = simulated[peaks[:, None] + np.arange(-_AROUND, _AROUND + 1)]
    return float(np.abs(windows.argmax(axis=1) - _AROUND).mean())
