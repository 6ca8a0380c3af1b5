"""Objectives of calibration against formulas written out, on every kind of array."""

import numpy as np
import pytest
import torch

from xdpl.calibration.objectives import OBJECTIVES, Objective

RNG = np.random.default_rng(0)
OBSERVED = RNG.gamma(1.0, 2.0, (60, 3))
OBSERVED[RNG.random(OBSERVED.shape) < 0.2] = np.nan
SIMULATED = RNG.gamma(1.2, 2.0, (60, 4, 3))


def by_hand(name, s, o):
    known = ~np.isnan(o)
    s, o = s[known], o[known]
    if name == "rmse":
        return np.sqrt(np.mean((s - o) ** 2))
    if name == "nse":
        return np.sum((s - o) ** 2) / np.sum((o - o.mean()) ** 2)
    if name == "kge":
        r = np.corrcoef(s, o)[0, 1]
        return np.sqrt((r - 1) ** 2 + (s.std() / o.std() - 1) ** 2 + (s.mean() / o.mean() - 1) ** 2)
    low_s, low_o = (np.log10(np.sqrt(v + 1e-6) + 0.1) for v in (s, o))
    return 0.75 * by_hand("rmse", s, o) + 0.25 * by_hand("rmse", low_s, low_o)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_each_objective_is_its_formula(name, backend):
    found = backend.numpy(Objective(name, OBSERVED)(backend.array(SIMULATED)))
    expected = [[by_hand(name, SIMULATED[:, m, i], OBSERVED[:, i]) for i in range(3)] for m in range(4)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("name", ["kge", "nse", "rmse"])
def test_single_precision_keeps_its_digits(name):
    """Flow of a large river: sums of squares in single precision would lose them."""
    shift = 1e3
    exact = Objective(name, OBSERVED + shift)((SIMULATED + shift).astype(np.float32).astype(np.float64))
    found = Objective(name, OBSERVED + shift)((SIMULATED + shift).astype(np.float32))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, exact, rtol=1e-12)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_perfect_simulation_has_the_least(name):
    filled = np.where(np.isnan(OBSERVED), 7.0, OBSERVED)
    found = Objective(name, OBSERVED)(filled[:, None])
    np.testing.assert_allclose(found, 0.0, atol=1e-10)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_slopes_are_those_of_differences(name):
    objective = Objective(name, OBSERVED)
    series = torch.tensor(SIMULATED, requires_grad=True)
    (slopes,) = torch.autograd.grad(objective(series).sum(), series)
    for place in ((5, 0, 0), (17, 2, 1), (40, 3, 2)):
        up, down = SIMULATED.copy(), SIMULATED.copy()
        up[place] += 1e-5
        down[place] -= 1e-5
        expected = (objective(up).sum() - objective(down).sum()) / 2e-5
        assert float(slopes[place]) == pytest.approx(expected, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_slopes_at_a_perfect_simulation_are_finite(name):
    filled = np.where(np.isnan(OBSERVED), 7.0, OBSERVED)
    series = torch.tensor(filled[:, None], requires_grad=True)
    (slopes,) = torch.autograd.grad(Objective(name, OBSERVED)(series).sum(), series)
    assert torch.isfinite(slopes).all()


def test_series_of_one_site_do_not_depend_on_others():
    objective = Objective("kge", OBSERVED)
    alone = Objective("kge", OBSERVED[:, 1:2])(SIMULATED[:, :, 1:2])
    np.testing.assert_array_equal(objective(SIMULATED)[:, 1:2], alone)
