import numpy as np
import pytest

from xdpl.regionalisation.ridge import PENALTIES, ridge

RNG = np.random.default_rng(5)


def example(samples, predictors, targets=3, noise=0.5):
    x = RNG.normal(size=(samples, predictors))
    x -= x.mean(axis=0)
    y = 2.0 + x @ RNG.normal(size=(predictors, targets)) + noise * RNG.normal(size=(samples, targets))
    return x, y


def solved(x, y, penalty):
    """Constant and coefficients of one target by the normal equations, the constant free of penalty."""
    with_one = np.column_stack([np.ones(len(x)), x])
    weight = np.diag([0.0, *[penalty] * x.shape[1]])
    return np.linalg.solve(with_one.T @ with_one + weight, with_one.T @ y)


def left_out(x, y, penalty):
    """Squared error of each sample, predicted by a fit to all others."""
    errors = []
    for i in range(len(x)):
        rest = np.arange(len(x)) != i
        constant, *coefficients = solved(x[rest], y[rest], penalty)
        errors.append(y[i] - constant - x[i] @ np.array(coefficients))
    return np.sum(np.square(errors))


@pytest.mark.parametrize(("samples", "predictors"), [(12, 3), (5, 8), (3, 1)])
def test_the_penalty_is_that_of_the_least_error_of_an_explicit_loop(samples, predictors):
    x, y = example(samples, predictors)
    choices = 10.0 ** np.arange(-4.0, 3.0)
    found = ridge(x, y, choices)
    for t in range(y.shape[1]):
        errors = [left_out(x, y[:, t], samples * c) for c in choices]
        best = int(np.argmin(errors))
        assert found.penalties[t] == choices[best]
        constant, *coefficients = solved(x, y[:, t], samples * choices[best])
        np.testing.assert_allclose(found.constants[t], constant, rtol=1e-9)
        np.testing.assert_allclose(found.coefficients[t], coefficients, rtol=1e-7, atol=1e-10)
        of_mean = sum((y[i, t] - np.delete(y[:, t], i).mean()) ** 2 for i in range(samples))
        np.testing.assert_allclose(found.explained[t], 1.0 - errors[best] / of_mean, rtol=1e-6, atol=1e-9)


def test_two_samples_say_nothing_of_a_slope():
    # Without one of them the other is all there is, whatever the penalty.
    found = ridge(np.array([[-1.0], [1.0]]), np.array([[3.0], [5.0]]))
    assert found.penalties[0] == PENALTIES.max() and found.constants[0] == 4.0
    np.testing.assert_allclose(found.explained, 0.0, atol=1e-9)
    np.testing.assert_allclose(found.coefficients, 0.0, atol=1e-3)


def test_an_exact_relation_is_found():
    x, y = example(20, 2, noise=0.0)
    found = ridge(x, y)
    assert (found.penalties == PENALTIES.min()).all()
    np.testing.assert_allclose(found.constants + x @ found.coefficients.T, y, atol=1e-4)
    assert (found.explained > 0.999999).all()


def test_unrelated_predictors_are_shrunk_away():
    x, _ = example(30, 10)
    y = np.where(np.arange(30) % 2, 1.0, -1.0)[:, None] * 5.0
    plain = np.linalg.lstsq(x, y, rcond=None)[0]
    found = ridge(x, y)
    assert found.penalties[0] > 0.1
    assert np.abs(found.coefficients).max() < 0.5 * np.abs(plain).max()


def test_collinear_predictors():
    x, y = example(10, 1)
    found = ridge(np.column_stack([x, 3.0 * x, -x]), y)
    assert np.isfinite(found.coefficients).all()
    np.testing.assert_allclose(found.coefficients[:, 1], 3.0 * found.coefficients[:, 0], rtol=1e-8)


def test_a_constant_target_and_constant_predictors():
    x, y = example(6, 2)
    x[:, 1] = 0.0
    y[:, 0] = 0.1
    found = ridge(x, y)
    np.testing.assert_allclose(found.constants[0], 0.1)
    assert np.abs(found.coefficients[0]).max() < 1e-12 and np.isnan(found.explained[0])
    assert (found.coefficients[:, 1] == 0.0).all()
    assert np.isfinite(found.explained[1:]).all()
