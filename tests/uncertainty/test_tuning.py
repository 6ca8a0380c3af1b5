"""The scale and the error that made some residuals are found again."""

import numpy as np
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from xdpl.uncertainty.tuning import Spectrum, log_likelihood


def test_likelihood_is_that_of_a_normal_distribution():
    rng = np.random.default_rng(0)
    apart, residual, steps = rng.normal(size=(3, 6)), rng.normal(size=6), np.arange(6.0)
    damped = apart.T @ apart * np.exp(-0.5 * ((steps[:, None] - steps) / 2.0) ** 2)
    exact = [
        multivariate_normal(np.zeros(6), s**2 * damped + e**2 * np.eye(6)).logpdf(residual)
        for s, e in ((1.0, 0.5), (2.0, 1.5))
    ]
    spectrum = Spectrum.of(residual, apart, steps, 2.0)
    found = [log_likelihood([spectrum], s, e) for s, e in ((1.0, 0.5), (2.0, 1.5))]
    np.testing.assert_allclose(found[1] - found[0], exact[1] - exact[0])


def test_scale_and_error_are_found_again():
    rng = np.random.default_rng(1)
    steps = np.arange(60.0)
    spectra = []
    for _ in range(200):
        apart = np.cumsum(rng.normal(size=(4, 60)), axis=1) / 10
        damped = apart.T @ apart * np.exp(-0.5 * ((steps[:, None] - steps) / 5.0) ** 2)
        covariance = 3.0**2 * damped + 0.5**2 * np.eye(60)
        spectra.append(Spectrum.of(rng.multivariate_normal(np.zeros(60), covariance), apart, steps, 5.0))
    best = minimize(lambda v: -log_likelihood(spectra, *np.exp(v)), [0.0, 0.0], method="Nelder-Mead")
    np.testing.assert_allclose(np.exp(best.x), [3.0, 0.5], rtol=0.05)
