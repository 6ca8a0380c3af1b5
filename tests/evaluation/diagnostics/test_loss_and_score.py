"""What a loss of one kind costs in a score of another: the formulas, and series that follow them."""

import numpy as np
import pytest

from xdpl.evaluation.diagnostics import loss_and_score as ls


def series(correlation, ratio, n=400):
    """Two series with exactly this correlation and ratio of standard deviations, and no bias."""
    a, b = np.random.default_rng(0).normal(size=(2, n))
    observed = (a - a.mean()) / a.std()
    other = b - b.mean() - (b @ observed) / n * observed
    other /= other.std()
    return ratio * (correlation * observed + np.sqrt(1 - correlation**2) * other), observed


@pytest.mark.parametrize("correlation", [0.1, 0.4, 0.9])
@pytest.mark.parametrize("ratio", [0.4, 1.0, 1.3])
def test_formulas_are_those_of_series(correlation, ratio):
    simulated, observed = series(correlation, ratio)
    r, α = np.array(correlation), np.array(ratio)
    np.testing.assert_allclose(ls.rmse(r, α), np.sqrt(np.mean((simulated - observed) ** 2)), rtol=1e-10)
    expected = 1 - np.sqrt((correlation - 1) ** 2 + (ratio - 1) ** 2)
    np.testing.assert_allclose(ls.kge(r, α), expected)


def test_kge_inflates_the_variance():
    r = np.array(0.4)
    np.testing.assert_allclose(ls.rmse(r, ls.best_ratio(ls.KGE, r)), np.sqrt(2 * (1 - 0.4)))
    np.testing.assert_allclose(ls.rmse(r, ls.best_ratio(ls.SQUARED, r)), np.sqrt(1 - 0.4**2))
    np.testing.assert_allclose(ls.cost("kge", "site_rmse", r), np.sqrt(1.2 / 0.84) - 1)
    np.testing.assert_allclose(ls.cost("kge", "nse", r), np.sqrt(2 / 1.4) - 1)


def test_squared_errors_damp_it():
    np.testing.assert_allclose(ls.cost("nrmse", "kge", np.array(0.4)), (np.sqrt(2) - 1) * 0.6)


def test_best_ratios_are_the_best_of_all():
    r, α = np.array(0.4), np.linspace(0, 2, 20001)
    assert α[np.argmin(ls.rmse(r, α))] == pytest.approx(float(ls.best_ratio(ls.SQUARED, r)), abs=1e-4)
    assert α[np.argmax(ls.kge(r, α))] == pytest.approx(float(ls.best_ratio(ls.KGE, r)), abs=1e-4)
    assert float(ls.best_ratio(ls.SQUARED, np.array(-0.3))) == 0.0


def test_one_kind_costs_nothing_and_a_mix_is_not_known():
    r = np.array([-0.5, 0.0, 0.4, 0.99])
    assert not ls.cost("nrmse", "nse", r).any()
    assert not ls.cost("kge", "kge", r).any()
    assert np.isnan(ls.cost("rmse_log", "kge", r)).all()
    assert (ls.cost("kge", "rmse", r) > 0).all()
