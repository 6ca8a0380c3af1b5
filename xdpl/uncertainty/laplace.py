"""A Laplace approximation of the last layer of a network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from xdpl.errors import Problems, short
from xdpl.fit import Fit
from xdpl.labelled.tree import refuse_tree
from xdpl.networks.bounded import ParameterNetwork
from xdpl.uncertainty.curvature import curvature
from xdpl.uncertainty.evidence import best_precision
from xdpl.uncertainty.head import head_of, head_weights, with_head
from xdpl.uncertainty.numbers import check_error, check_samples
from xdpl.uncertainty.observations import observations
from xdpl.uncertainty.posterior import Posterior
from xdpl.uncertainty.support import check_fit

__all__ = ["laplace"]

# The eigenvectors of more weights take minutes, and gigabytes.
_MOST_WEIGHTS = 10_000


def laplace(
    fit: Fit,
    ds: xr.Dataset,
    *,
    sites: xr.DataArray | None = None,
    time: slice | None = None,
    observation_error: float | Mapping[str, float] | None = None,
    prior_precision: float | None = None,
    probes: int = 64,
    samples: int = 200,
    seed: int = 0,
) -> Posterior:
    """Distribution of parameters from how much the training tells of the last layer of a network.

    Parameters
    ----------
    fit : Fit
        Of an `MLP` with static parameters; members may be several.
    ds : Dataset
        With forcings, attributes and observed targets of the training.
    sites : DataArray of bool, optional
        Training sites; all if not given.
    time : slice, optional
        Training period, by dates; that of the fit if not given. Its warm-up is not counted.
    observation_error : float or mapping of str to float, optional
        Standard deviation of the observations, of each target, in units of the model; else the
        root mean square residual of the training.
    prior_precision : float, optional
        Inverse variance of the normal prior of every weight, whose mean zero stands for the defaults;
        else that with the largest marginal likelihood (MacKay 1992).
    probes : int
        Adjoint runs from which the Gauss-Newton matrix is estimated.
    samples : int
        Sets of weights that stand for the distribution.
    seed : int
        Of probes and samples.

    Returns
    -------
    Posterior
        With scale 1.

    Raises
    ------
    InputErrors
        If the fit has another network or dynamic parameters, its last layer more than 10000 weights,
        or `ds` lacks something.

    Notes
    -----
    The weights w of the last layer are normal around the trained ones, with the inverse of
    H + λ as covariance; H = Σ (φ φᵀ) ⊗ (Jᵀ J / σ²) over sites, with φ the features that the layer
    reads and J the sensitivity of the series to its outputs (Daxberger et al. 2021). Errors of
    observations are taken as normal and independent, with one σ everywhere, whatever the loss of the training
    was: where errors last for days, or differ between sites, the distribution is too narrow.
    See `Posterior.tuned`.

    References
    ----------
    MacKay (1992), doi:10.1162/neco.1992.4.3.448; Daxberger et al. (2021), arXiv:2106.14806;
    Hutchinson (1989), doi:10.1080/03610918908812806, for the estimate of H.
    """
    refuse_tree("laplace", ds)
    problems = Problems("laplace")
    if not check_fit(fit, problems, "fit"):
        problems.raise_all()
    _check(fit, prior_precision, problems)
    for name, count in (("samples", samples), ("probes", probes)):
        check_samples(count, problems, name)
    given = check_error(observation_error, list(fit.targets), problems)
    data = observations(fit, ds, sites, time, problems)
    found = curvature(fit, data, given, probes, seed)
    network = fit.network
    assert isinstance(network, ParameterNetwork)
    head = head_of(network)
    assert head is not None
    weights = head_weights(head)
    values, vectors = np.linalg.eigh(found.matrix)
    values = values.clip(0.0)
    squares = float((weights**2).sum())
    precision = best_precision(values, squares) if prior_precision is None else float(prior_precision)
    normal = np.random.default_rng(seed).normal(size=(samples, len(values)))
    drawn = (normal / np.sqrt(values + precision)) @ vectors.T
    # Around the trained weights exactly, and of their covariance, which `Posterior` scales with one more.
    drawn = (drawn - drawn.mean(axis=0)) / math.sqrt(1.0 + 1.0 / samples)
    fits = tuple(with_head(fit, weights + d.reshape(weights.shape)) for d in drawn)
    settings = {
        "method": "Laplace approximation of the last layer",
        "prior_precision": precision,
        "weights": len(values),
        "weights_told_by_data": float((values / (values + precision)).sum()),
        "training_sites": data.sites,
    }
    return Posterior(fits, found.observation_error, settings=settings)


def _check(fit: Fit, precision: Any, problems: Problems) -> None:
    assert isinstance(fit.network, ParameterNetwork)
    head = head_of(fit.network)
    if head is None:
        problems.add(
            "fit",
            expected="a network 'mlp', whose last layer is linear",
            got=f"network {fit.network_spec.kind!r}",
            fix='learn(..., network="mlp"), or deep_ensemble of several seeds',
        )
    elif head_weights(head).size > _MOST_WEIGHTS:
        problems.add(
            "fit",
            expected=f"at most {_MOST_WEIGHTS} weights in the last layer",
            got=f"{head_weights(head).size}",
            fix="fewer hidden units or members, or deep_ensemble of several seeds",
        )
    real = isinstance(precision, int | float) and not isinstance(precision, bool)
    if precision is not None and not (real and math.isfinite(precision) and precision > 0.0):
        problems.add(
            "prior_precision",
            expected="a number above zero",
            got=short(precision),
            fix="leave it out: the data then choose it",
        )
