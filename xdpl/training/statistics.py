"""Statistics of the training sites and period: nothing else may be known."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from xdpl.models import NetworkOnly
from xdpl.networks.scaling import Moments, Scaling
from xdpl.training.request import Inputs

__all__ = ["level", "scaling", "spread"]


def level(trained: np.ndarray, training: np.ndarray) -> np.ndarray:
    """Mean per site (site,) of observations (time, site).

    Sites without observations in the period (held out) take the typical one of the
    training sites.
    """
    observed = ~np.isnan(trained)
    count = np.maximum(observed.sum(axis=0), 1)
    mean = np.where(observed, trained, 0.0).sum(axis=0, dtype=np.float64) / count
    return np.where(observed.any(axis=0), mean, np.median(mean[training & observed.any(axis=0)]))


def spread(trained: np.ndarray, training: np.ndarray) -> np.ndarray:
    """Standard deviation per site (site,) of observations (time, site).

    Sites without observations in the period (held out) take the typical one of the
    training sites.
    """
    observed = ~np.isnan(trained)
    count = np.maximum(observed.sum(axis=0), 1)
    mean = np.where(observed, trained, 0.0).sum(axis=0) / count
    std = np.sqrt((np.where(observed, trained - mean, 0.0) ** 2).sum(axis=0) / count)
    return np.where(observed.any(axis=0), std, np.median(std[training & observed.any(axis=0)]))


def scaling(
    inputs: Inputs,
    attributes: np.ndarray,
    forcings: dict[str, np.ndarray],
    trained: dict[str, np.ndarray],
    training: np.ndarray,
    period: tuple[int, int],
) -> Scaling:
    """Moments of what the network reads.

    Parameters
    ----------
    inputs : Inputs
    attributes : ndarray, (site, attribute)
    forcings : dict of str to ndarray, (time, site)
    trained : dict of str to ndarray, (training time, site)
        Of each target.
    training : ndarray of bool, (site,)
    period : tuple of int
        First and last time index of the training period.
    """

    def columns(series: Iterable[np.ndarray]) -> np.ndarray:
        return np.stack([v[:, training].ravel().astype(np.float64) for v in series], axis=1)

    first, last = period
    network = inputs.network
    alone = isinstance(inputs.model, NetworkOnly)
    past = columns(v[first : last + 1] for v in forcings.values())
    nothing = past[:, :0]
    return Scaling(
        Moments.of(attributes[training]),
        Moments.of(past if network.reads_forcings or network.steps else nothing),
        Moments.of(columns(trained.values()) if network.steps or alone else nothing),
    )
