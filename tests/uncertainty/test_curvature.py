"""The Gauss-Newton matrix against one from finite differences; the evidence against a closed form."""

import numpy as np
import pytest
from helpers_learn import quick, world
from scipy.stats import multivariate_normal

from xdpl.errors import Problems
from xdpl.uncertainty.curvature import curvature
from xdpl.uncertainty.evidence import best_precision, log_evidence
from xdpl.uncertainty.head import head_of, head_weights, with_head
from xdpl.uncertainty.observations import observations
from xdpl.uncertainty.residuals import simulated


@pytest.fixture(scope="module")
def fit():
    return quick(epochs=10)


def by_differences(fit, data, error):
    weights = head_weights(head_of(fit.network))
    seen = ~np.isnan(data.observed["runoff"].numpy())
    columns = []
    for i in range(weights.size):
        step = np.zeros(weights.size)
        step[i] = 1e-2
        up, down = (
            simulated(with_head(fit, weights + sign * step.reshape(weights.shape)), data)["runoff"].numpy()
            for sign in (1, -1)
        )
        columns.append(((up - down) / 2e-2)[seen].astype(float))
    jacobian = np.stack(columns, axis=1) / error
    return jacobian.T @ jacobian


def test_matrix_is_that_of_finite_differences(fit):
    data = observations(fit, world(), None, None, Problems("x"))
    found = curvature(fit, data, {"runoff": 0.7}, probes=2000, seed=0)
    assert found.observation_error == {"runoff": 0.7}
    expected = by_differences(fit, data, 0.7)
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected))) + 1e-3 * expected.max()
    assert abs(found.matrix - expected).max() < 0.1 * expected.max()
    assert np.median(abs(found.matrix - expected) / scale) < 0.05
    np.testing.assert_allclose(np.trace(found.matrix), np.trace(expected), rtol=0.05)


def test_members_too():
    fit = quick(members=3)
    data = observations(fit, world(), None, None, Problems("x"))
    found = curvature(fit, data, {"runoff": 0.7}, probes=2000, seed=0)
    expected = by_differences(fit, data, 0.7)
    np.testing.assert_allclose(np.trace(found.matrix), np.trace(expected), rtol=0.05)
    assert abs(found.matrix - expected).max() < 0.1 * expected.max()


def test_evidence_of_a_linear_model():
    """y = X w + noise of variance one: the marginal likelihood is a normal density."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 4))
    y = x @ rng.normal(size=4) + rng.normal(size=30)
    values = np.linalg.eigvalsh(x.T @ x)

    def exact(precision):
        return multivariate_normal(np.zeros(30), np.eye(30) + x @ x.T / precision).logpdf(y)

    def approximate(precision):
        # Around the maximum of the posterior the approximation is exact, with its residuals.
        w = np.linalg.solve(x.T @ x + precision * np.eye(4), x.T @ y)
        fit = -0.5 * ((y - x @ w) ** 2).sum()
        return log_evidence(values, float(w @ w), precision) + fit

    difference = [exact(p) - approximate(p) for p in (0.1, 1.0, 10.0)]
    np.testing.assert_allclose(difference, difference[0])


def test_best_precision_is_best():
    values, squares = np.array([100.0, 10.0, 1.0]), 6.0
    best = best_precision(values, squares)
    told = (values / (values + best)).sum()
    # MacKay's fixed point.
    np.testing.assert_allclose(best, told / squares, rtol=1e-3)
