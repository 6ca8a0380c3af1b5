"""A Laplace approximation of the last layer of a network."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
import xarray as xr

from xdpl.errors import Problems, short
from xdpl.fit import Ensemble, Fit
from xdpl.labelled.attrs import model_hash
from xdpl.labelled.tree import refuse_tree
from xdpl.networks.bounded import ParameterNetwork
from xdpl.uncertainty.curvature import Curvature, curvature
from xdpl.uncertainty.evidence import best_precision
from xdpl.uncertainty.head import head_of, head_weights, with_head
from xdpl.uncertainty.numbers import check_error, check_samples
from xdpl.uncertainty.observations import observations
from xdpl.uncertainty.posterior import Posterior
from xdpl.uncertainty.support import check_fit
from xdpl.uncertainty.unbounded import UNIFORM_VARIANCE

__all__ = ["laplace"]

# The eigenvectors of more weights take minutes, and gigabytes.
_MOST_WEIGHTS = 10_000


def laplace(
    fit: Fit | Ensemble,
    ds: xr.Dataset,
    *,
    sites: xr.DataArray | None = None,
    time: slice | None = None,
    observation_error: float | Mapping[str, float] | None = None,
    prior: float | Literal["bounds", "evidence"] = "bounds",
    probes: int = 64,
    samples: int = 100,
    seed: int = 0,
) -> Posterior:
    """Distribution of parameters from how much the training tells of the last layer of a network.

    Parameters
    ----------
    fit : Fit or Ensemble
        Of an `MLP` with static parameters; members may be several. The distributions around the fits of an
        ensemble, of one member each, are mixed (Eschenhagen et al. 2021), and taken as one normal one.
    ds : Dataset
        With forcings, attributes and observed targets of the training.
    sites : DataArray of bool, optional
        Training sites; all if not given.
    time : slice, optional
        Training period, by dates; that of the fit if not given. Its warm-up is not counted.
    observation_error : float or mapping of str to float, optional
        Standard deviation of the observations, of each target, in units of the model; else the
        root mean square residual of the training.
    prior : {"bounds", "evidence"} or float
        Where the data tell nothing, how wide: with ``"bounds"`` a parameter has at the training sites, in the
        mean, the standard deviation on the unbounded scale of a uniform distribution within its bounds
        (π / √3, that of the logistic distribution); with ``"evidence"`` the weights are as narrow as
        makes the data most likely (MacKay 1992). A number is the precision of the weights, their
        inverse variance.
    probes : int
        Adjoint runs from which the Gauss-Newton matrix is estimated.
    samples : int
        Sets of weights that stand for the distribution, of all fits together.
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
    reads and J the sensitivity of the series to its outputs (Daxberger et al. 2021). The prior is
    normal and the same for every weight, its mean zero standing for the defaults. Errors of
    observations are taken as normal and independent, with one σ everywhere, whatever the loss of the training
    was: where errors last for days, or differ between sites, the distribution is too narrow.
    See `Posterior.tuned`.

    References
    ----------
    MacKay (1992), doi:10.1162/neco.1992.4.3.448; Daxberger et al. (2021), arXiv:2106.14806;
    Eschenhagen et al. (2021), arXiv:2111.03577;
    Hutchinson (1989), doi:10.1080/03610918908812806, for the estimate of H.
    """
    refuse_tree("laplace", ds)
    problems = Problems("laplace")
    fits = fit.fits if isinstance(fit, Ensemble) else (fit,)
    for one in fits:
        if not check_fit(one, problems, "fit"):
            problems.raise_all()
    _check(fits, prior, problems)
    for name, count in (("samples", samples), ("probes", probes)):
        check_samples(count, problems, name)
    given = check_error(observation_error, list(fits[0].targets), problems)
    data = observations(fits[0], ds, sites, time, problems)
    counts = [len(part) for part in np.array_split(np.arange(max(samples, 2 * len(fits))), len(fits))]
    around = [
        _around(one, curvature(one, data, given, probes, seed), prior, count, seed + i)
        for i, (one, count) in enumerate(zip(fits, counts, strict=True))
    ]
    errors = [each.observation_error for each in around]
    settings = {
        "method": "Laplace approximation of the last layer",
        "centres": len(fits),
        "prior": prior if isinstance(prior, str) else "given",
        "prior_precision": [each.precision for each in around],
        "weights": [each.weights for each in around],
        "weights_told_by_data": [each.told for each in around],
        "training_sites": data.sites,
    }
    return Posterior(
        tuple(drawn for each in around for drawn in each.fits),
        {k: float(np.mean([e[k] for e in errors])) for k in errors[0]},
        settings=settings,
    )


@dataclass(frozen=True)
class _Around:
    """Draws of weights around those of one fit, and what they were drawn with."""

    fits: list[Fit]
    observation_error: dict[str, float]
    precision: float
    weights: int
    told: float


def _around(fit: Fit, found: Curvature, prior: float | str, count: int, seed: int) -> _Around:
    weights = head_weights(_head(fit))
    values, vectors = np.linalg.eigh(found.matrix)
    values = values.clip(0.0)
    if prior == "bounds":
        precision = found.squared_features / UNIFORM_VARIANCE
    elif prior == "evidence":
        precision = best_precision(values, float((weights**2).sum()))
    else:
        precision = float(prior)
    normal = np.random.default_rng(seed).normal(size=(count, len(values)))
    drawn = (normal / np.sqrt(values + precision)) @ vectors.T
    # The mean is known: it is that of the training.
    drawn -= drawn.mean(axis=0)
    fits = [with_head(fit, weights + d.reshape(weights.shape)) for d in drawn]
    told = float((values / (values + precision)).sum())
    return _Around(fits, found.observation_error, float(precision), len(values), told)


def _head(fit: Fit) -> torch.nn.Linear:
    assert isinstance(fit.network, ParameterNetwork)
    head = head_of(fit.network)
    assert head is not None
    return head


def _check(fits: Sequence[Fit], prior: Any, problems: Problems) -> None:
    for fit in fits:
        _check_head(fit, problems)
    if len(fits) > 1 and any(fit.settings["members"] > 1 for fit in fits):
        problems.add(
            "fit",
            expected="one fit, or fits of one member, since members of different seeds do not correspond",
            got=f"{len(fits)} fits of {fits[0].settings['members']} members",
            fix="laplace(ensemble.fits[0], ds)",
        )
    if len({model_hash(fit.model) for fit in fits}) > 1:
        problems.add("fit", expected="fits of one model", got="several", fix="learn(..., seed=range(5))")
    real = isinstance(prior, numbers.Real) and not isinstance(prior, bool)
    named = isinstance(prior, str) and prior in ("bounds", "evidence")
    if not (named or (real and math.isfinite(prior) and prior > 0.0)):
        problems.add(
            "prior",
            expected="'bounds', 'evidence' or a number above zero, the precision of the weights",
            got=short(prior),
            fix="leave it out: it is then as wide as the bounds",
        )


def _check_head(fit: Fit, problems: Problems) -> None:
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
