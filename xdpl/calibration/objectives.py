"""What calibration minimises: one number for each simulated series, NaN observations left out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_numpy_array

__all__ = ["OBJECTIVES", "Objective"]

Array = Any

OBJECTIVES = {
    "kge": "1 - KGE",
    "nse": "1 - NSE",
    "rmse": "RMSE",
    "rmse_log": "RMSE mixed with that of logarithms",
}

# Keeps square roots differentiable at a perfect fit.
_TINY = 1e-24


@dataclass(frozen=True)
class Objective:
    """An objective of series against the observations of their sites; less is better.

    Parameters
    ----------
    name : {"kge", "nse", "rmse", "rmse_log"}
    observed : ndarray of float64, (time, site)
        NaN where there is no observation.

    Notes
    -----
    With N observations o of a site and what was simulated s:
    ``nse`` is Σ(s - o)² / Σ(o - ō)², 1 less the efficiency of Nash and Sutcliffe (1970),
    doi:10.1016/0022-1694(70)90255-6; ``kge`` the distance √((r - 1)² + (σs/σo - 1)² + (μs/μo - 1)²)
    of Gupta et al. (2009), doi:10.1016/j.jhydrol.2009.08.003; ``rmse`` is √(Σ(s - o)² / N), in
    units of the target; ``rmse_log`` three parts of it and one part that of
    log10(√(s + 1e-6) + 0.1), Feng et al. (2022), doi:10.1029/2022WR032404.
    Where one is not defined (constant observations, say) it is infinite.
    """

    name: str
    observed: np.ndarray

    def __call__(self, simulated: Array) -> Array:
        """The objective of every series.

        Parameters
        ----------
        simulated : array, (time, member, site)
            Of any namespace; of torch, with a gradient.

        Returns
        -------
        array, (member, site)
            Of numpy in double precision, else of the type of the simulated.
        """
        if self.name == "rmse_log":
            return 0.75 * self._rmse(simulated) + 0.25 * self._of_logarithms._rmse(_low_flow(simulated))
        if self.name == "rmse":
            return self._rmse(simulated)
        xp, known = array_namespace(simulated), self._known
        if self.name == "nse":
            squares = self._sums(simulated, whole=False)[0]
            return squares / _like(xp, known.squares, squares)
        squares, total, total_squares, products = self._sums(simulated, whole=True)
        count, centre, spread = (_like(xp, v, squares) for v in (known.count, known.centre, known.squares))
        mean = total / count
        variance = total_squares / count - mean * mean
        std = xp.sqrt(xp.where(variance > 0.0, variance, 0.0) + _TINY)
        std_observed = xp.sqrt(spread / count)
        # Both are sums of what is above the observed mean: those of the observed are zero.
        correlation = products / count / (std * std_observed)
        bias = mean / centre
        return xp.sqrt((correlation - 1.0) ** 2 + (std / std_observed - 1.0) ** 2 + bias * bias + _TINY)

    def _rmse(self, simulated: Array) -> Array:
        xp = array_namespace(simulated)
        squares = self._sums(simulated, whole=False)[0]
        return xp.sqrt(squares / _like(xp, self._known.count, squares) + _TINY)

    def _sums(self, simulated: Array, *, whole: bool) -> Any:
        """Sums over time, as `xdpl.engines.numba.moments` gives them."""
        known = self._known
        if is_numpy_array(simulated) and simulated.dtype.name in ("float32", "float64"):
            from xdpl.engines.numba.moments import moments

            series = np.ascontiguousarray(simulated)
            return moments(series, known.filled, known.weight, known.centre, whole=whole)
        xp = array_namespace(simulated)
        observed, weight, centre = (
            _like(xp, v, simulated) for v in (known.filled[:, None], known.weight[:, None], known.centre)
        )
        above, target = (simulated - centre) * weight, (observed - centre) * weight
        squares = xp.sum((above - target) ** 2, axis=0)
        if not whole:
            return (squares,)
        return squares, *(xp.sum(v, axis=0) for v in (above, above * above, above * target))

    @cached_property
    def _known(self) -> _Known:
        return _Known.of(self.observed)

    @cached_property
    def _of_logarithms(self) -> Objective:
        return Objective("rmse", _low_flow(self.observed))


@dataclass(frozen=True)
class _Known:
    """What the observations give once for all."""

    filled: np.ndarray
    weight: np.ndarray
    count: np.ndarray
    centre: np.ndarray
    squares: np.ndarray

    @classmethod
    def of(cls, observed: np.ndarray) -> _Known:
        valid = ~np.isnan(observed)
        count = valid.sum(axis=0).astype(np.float64)
        filled = np.where(valid, observed, 0.0)
        # A site without observations has no mean; its objectives are not used.
        centre = filled.sum(axis=0) / np.maximum(count, 1.0)
        squares = np.where(valid, (observed - centre) ** 2, 0.0).sum(axis=0)
        return cls(filled, valid.astype(np.float64), count, centre, squares)


def _low_flow(flow: Array) -> Array:
    xp = array_namespace(flow)
    # Streamflow below zero, which only a diverged run has, counts as none.
    return xp.log10(xp.sqrt(xp.where(flow < 0.0, 0.0, flow) + 1e-6) + 0.1)


def _like(xp: Any, values: np.ndarray, like: Array) -> Array:
    """Values of the host where and of what type an array is."""
    from array_api_compat import device

    return values if is_numpy_array(like) else xp.asarray(values, dtype=like.dtype, device=device(like))
