"""Observations of a target, averaged over windows in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Windows"]


@dataclass(frozen=True)
class Windows:
    """Means over windows, of the steps with an observation only.

    Averaging is what tells errors of a simulation, which last, from those of observations, which do not.

    Parameters
    ----------
    observed : ndarray, (time, site)
        In double precision; NaN where there is none.
    length : int
        Steps of a window; the last one may be shorter.
    """

    observed: np.ndarray
    length: int

    @property
    def counts(self) -> np.ndarray:
        """Observations in each window, (window, site)."""
        return self._sums(~np.isnan(self.observed) * 1.0)

    def means(self, series: np.ndarray) -> np.ndarray:
        """Of a series (..., time, site) where there is an observation, (..., window, site); else NaN."""
        seen = ~np.isnan(self.observed)
        counts = self.counts
        return np.where(counts > 0, self._sums(np.where(seen, series, 0.0)) / counts.clip(1.0), np.nan)

    def scatter(self, series: np.ndarray) -> float:
        """Standard deviation around the means of windows, where there is an observation.

        Parameters
        ----------
        series : ndarray, (..., time, site)
        """
        seen = ~np.isnan(self.observed)
        counts = self.counts
        bare = np.where(seen, series, 0.0)
        squares = self._sums(bare**2) - self._sums(bare) ** 2 / counts.clip(1.0)
        lead = int(np.prod(series.shape[:-2]))
        free = lead * (counts - 1.0).clip(0.0).sum()
        return float(np.sqrt(squares.clip(0.0).sum() / free)) if free else float("nan")

    def _sums(self, series: np.ndarray) -> np.ndarray:
        starts = np.arange(0, series.shape[-2], self.length)
        return np.add.reduceat(series, starts, axis=-2)
