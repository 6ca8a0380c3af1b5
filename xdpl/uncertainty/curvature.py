"""How much observations tell of the weights of the last layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from xdpl.fit import Fit
from xdpl.networks.bounded import ParameterNetwork
from xdpl.uncertainty.head import head_of, watched
from xdpl.uncertainty.observations import Observations
from xdpl.uncertainty.residuals import forward_of, root_mean_squares

__all__ = ["Curvature", "curvature"]


@dataclass(frozen=True)
class Curvature:
    """The Gauss-Newton matrix of the weights of a last layer, and the residuals it is made with.

    Parameters
    ----------
    matrix : ndarray, (weight, weight)
        Of weights (feature + 1, column) in a row.
    observation_error : dict of str to float
        Of each target, in declared units.
    squared_features : float
        Sum of the squares of what a column is made of, that of its bias among it; the mean over sites.
    """

    matrix: np.ndarray
    observation_error: dict[str, float]
    squared_features: float


def curvature(fit: Fit, data: Observations, given: Mapping[str, float], probes: int, seed: int) -> Curvature:
    """Sum over sites of (φ φᵀ) ⊗ (Jᵀ J / σ²), with features φ and J that of the series by the columns.

    Parameters
    ----------
    fit : Fit
    data : Observations
    given : mapping of str to float
        Observation errors that are known.
    probes : int
        The adjoint gives εᵀ J for random signs ε of all observations of a site; the mean of
        (εᵀ J)ᵀ (εᵀ J) over so many of them is Jᵀ J but for noise, at a cost that depends neither on
        the length of the series nor on the number of parameters (Hutchinson 1989).
    seed : int
        Of the signs.
    """
    network = fit.network
    assert isinstance(network, ParameterNetwork)
    head = head_of(network)
    assert head is not None
    generator = torch.Generator().manual_seed(seed)
    with watched(head) as seen:
        series = forward_of(fit)(data.batch)
    (passed,) = seen
    mean = {k: v.detach() for k, v in series.items()}
    errors = root_mean_squares(mean, data) | dict(given)
    features = passed.features.numpy().astype(np.float64)
    features = np.concatenate([features, np.ones((len(features), 1))], axis=1)
    inner = np.zeros((len(features), *[passed.columns.shape[1]] * 2))
    for _ in range(probes):
        total = torch.zeros(())
        for name, simulated in series.items():
            seen_at = ~torch.isnan(data.observed[name])
            signs = torch.randint(0, 2, simulated.shape, generator=generator) * 2 - 1
            total = total + (simulated * signs * seen_at / errors[name]).sum()
        (slope,) = torch.autograd.grad(total, passed.columns, retain_graph=True)
        gradient = slope.numpy().astype(np.float64)
        inner += gradient[:, :, None] * gradient[:, None, :]
    squares = float((features**2).sum(axis=1).mean())
    return Curvature(_product(features, inner / probes), errors, squares)


def _product(features: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """Sum over sites of Kronecker products: of features (site, k) and of inner (site, i, j)."""
    sites, k = features.shape
    columns = inner.shape[1]
    outer = (features[:, :, None] * features[:, None, :]).reshape(sites, k * k)
    found = (outer.T @ inner.reshape(sites, columns**2)).reshape(k, k, columns, columns)
    return found.transpose(0, 2, 1, 3).reshape(k * columns, k * columns)
