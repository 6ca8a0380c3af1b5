import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xdpl.training.losses import LOSSES, Spread

NAN = np.nan
OBSERVED = np.array([[1.0, 2.0, NAN], [NAN, 4.0, 0.5], [3.0, 1.0, NAN], [2.5, 3.0, 1.5]])
SIMULATED = np.array([[1.5, 1.0, 9.0], [7.0, 3.5, 1.0], [2.0, 1.5, -3.0], [3.0, 2.0, 1.0]])
STD = np.array([0.5, 2.0, 1.5])
TYPICAL = 1.2


def by_hand(name, simulated, observed, std):
    """Series by series over the pairs that have an observation."""
    pairs = [(s[~np.isnan(o)], o[~np.isnan(o)]) for s, o in zip(simulated.T, observed.T, strict=True)]
    if name == "rmse":
        return np.sqrt(np.mean(np.concatenate([s - o for s, o in pairs]) ** 2))
    if name == "rmse_log":
        s, o = (np.concatenate([pair[i] for pair in pairs]) for i in (0, 1))
        low = [np.log10(np.sqrt(v + 1e-6) + 0.1) for v in (s, o)]
        return 0.75 * np.sqrt(np.mean((s - o) ** 2)) + 0.25 * np.sqrt(np.mean((low[0] - low[1]) ** 2))
    rmse = np.array([np.sqrt(np.mean((s - o) ** 2)) for s, o in pairs])
    if name == "site_rmse":
        return rmse.mean()
    if name == "nrmse":
        return (rmse / (std + 0.12)).mean()
    if name == "nse":
        return (rmse**2 / (std + 0.1) ** 2).mean()
    kge = [
        np.sqrt(
            (np.corrcoef(s, o)[0, 1] - 1) ** 2 + (s.std() / o.std() - 1) ** 2 + (s.mean() / o.mean() - 1) ** 2
        )
        for s, o in pairs
    ]
    return np.mean(kge)


def evaluate(name, simulated, observed, std, dtype=torch.float64, typical=TYPICAL):
    """Loss and its gradient with respect to the simulation."""
    simulated = torch.tensor(simulated, dtype=dtype, requires_grad=True)
    spread = Spread(torch.tensor(std, dtype=dtype), typical)
    loss = LOSSES[name](simulated, torch.tensor(observed, dtype=dtype), spread)
    loss.backward()
    return loss.item(), simulated.grad.numpy()


def test_names():
    assert set(LOSSES) == {"nrmse", "rmse", "rmse_log", "site_rmse", "nse", "kge"}


def test_rmse_in_numbers():
    # Errors 0.5, -1, 0.5; -1, -0.5, 0.5, -1; 0.5, -0.5.
    assert evaluate("rmse", SIMULATED, OBSERVED, STD)[0] == pytest.approx(np.sqrt(4.5 / 9))
    expected = (np.sqrt(1.5 / 3) + np.sqrt(2.5 / 4) + 0.5) / 3
    assert evaluate("site_rmse", SIMULATED, OBSERVED, STD)[0] == pytest.approx(expected)


def column(*values):
    return np.array(values, dtype=float)[:, None]


def test_of_one_series_in_numbers():
    # Errors 1 and -2 where observed; σ is 0.4.
    simulated, observed = column(3.0, 8.0, 2.0), column(2.0, NAN, 4.0)
    std = np.array([0.4])
    assert evaluate("nse", simulated, observed, std)[0] == pytest.approx(2.5 / 0.5**2)
    assert evaluate("rmse", simulated, observed, std)[0] == pytest.approx(np.sqrt(2.5))
    assert evaluate("site_rmse", simulated, observed, std)[0] == pytest.approx(np.sqrt(2.5))
    assert evaluate("nrmse", simulated, observed, std, typical=1.0)[0] == pytest.approx(np.sqrt(2.5) / 0.5)
    # Of a spread below one too; where nothing varies anywhere, errors are in units of the target.
    assert evaluate("nrmse", simulated, observed, std, typical=0.5)[0] == pytest.approx(np.sqrt(2.5) / 0.45)
    assert evaluate("nrmse", simulated, observed, [0.0], typical=0.0)[0] == pytest.approx(np.sqrt(2.5))
    # Correlation -1, standard deviations 0.5 and 1, means 2.5 and 3.
    kge = np.sqrt(2.0**2 + 0.5**2 + (2.5 / 3.0 - 1.0) ** 2)
    assert evaluate("kge", simulated, observed, std)[0] == pytest.approx(kge, rel=1e-5)


@pytest.mark.parametrize("name", ["rmse", "site_rmse", "nrmse", "nse"])
def test_of_a_single_observation_in_numbers(name):
    expected = {"rmse": 3.0, "site_rmse": 3.0, "nrmse": 3.0 / 0.52, "nse": (3.0 / 0.5) ** 2}
    simulated, observed = column(1.0, 9.0), column(NAN, 6.0)
    assert evaluate(name, simulated, observed, np.array([0.4]))[0] == pytest.approx(expected[name])


def test_rmse_log_of_a_dry_day_in_numbers():
    # log10(√1e-6 + 0.1) = log10(0.101) observed, log10(√(0.81 + 1e-6) + 0.1) simulated; below zero is zero.
    low = np.log10(np.sqrt(0.810001) + 0.1) - np.log10(0.101)
    for dry in (0.0, -0.5):
        found = evaluate("rmse_log", column(0.81), column(dry), STD[:1])[0]
        assert found == pytest.approx(0.75 * (0.81 - dry) + 0.25 * low, rel=1e-7)


@pytest.mark.parametrize("name", LOSSES)
def test_by_hand(name):
    # The last series has two pairs; its KGE is defined.
    simulated = SIMULATED.copy()
    simulated[3, 2] = 1.4
    found = evaluate(name, simulated, OBSERVED, STD)[0]
    assert found == pytest.approx(by_hand(name, simulated, OBSERVED, STD), rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
@given(seed=st.integers(0, 10_000), offset=st.floats(0.5, 50.0))
def test_by_hand_on_random_series(name, seed, offset):
    rng = np.random.default_rng(seed)
    observed = 4.0 + offset + rng.normal(size=(30, 4))
    simulated = observed + 0.7 * rng.normal(size=(30, 4))
    observed[rng.random((30, 4)) < 0.4] = NAN
    std = rng.uniform(0.1, 3.0, 4)
    found = evaluate(name, simulated, observed, std)[0]
    assert found == pytest.approx(by_hand(name, simulated, observed, std), rel=1e-4)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_perfect_fit(name, dtype):
    observed = np.where(np.isnan(OBSERVED), 2.0, OBSERVED)
    loss, gradient = evaluate(name, observed, observed, STD, dtype)
    assert 0 <= loss < 2e-3
    assert np.isfinite(gradient).all()


DEGENERATE = {
    "all NaN": np.full((4, 3), NAN),
    "one series all NaN": np.where(np.arange(3) == 1, NAN, SIMULATED + 0.5),
    "a single observation each": np.where(np.arange(4)[:, None] == 2, SIMULATED + 0.5, NAN),
    "constant": np.full((4, 3), 3.0),
    "constant zero": np.zeros((4, 3)),
    "mean zero": np.array([[1.0], [-1.0], [2.0], [-2.0]]) + np.zeros(3),
    "tiny": 1e-8 * SIMULATED,
    "huge": 1e6 * SIMULATED,
}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("case", DEGENERATE)
@pytest.mark.parametrize("simulated", ["some", "constant", "as observed"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_finite_in_degenerate_cases(name, case, simulated, dtype):
    observed = DEGENERATE[case]
    filled = np.where(np.isnan(observed), 1.0, observed)
    values = {"some": SIMULATED, "constant": np.full((4, 3), 0.3), "as observed": filled}[simulated]
    loss, gradient = evaluate(name, values, observed, STD, dtype)
    assert np.isfinite(loss)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", LOSSES)
def test_without_observations_there_is_no_loss_and_no_gradient(name):
    loss, gradient = evaluate(name, SIMULATED, np.full((4, 3), NAN), STD)
    assert loss < 1e-5
    np.testing.assert_array_equal(gradient, 0.0)


@pytest.mark.parametrize("name", LOSSES)
def test_what_was_simulated_without_observation_does_not_matter(name):
    other = np.where(np.isnan(OBSERVED), 1e3, SIMULATED)
    a, b = (evaluate(name, s, OBSERVED, STD) for s in (SIMULATED, other))
    assert a[0] == b[0]
    np.testing.assert_array_equal(a[1], b[1])
    np.testing.assert_array_equal(a[1][np.isnan(OBSERVED)], 0.0)


@pytest.mark.parametrize("name", LOSSES)
def test_unobserved_series_do_not_dilute(name):
    nothing = np.full((4, 2), NAN)
    wide = [np.hstack([a, b]) for a, b in ((SIMULATED, nothing + 1), (OBSERVED, nothing))]
    wide[0] = np.nan_to_num(wide[0], nan=7.0)
    loss = evaluate(name, *wide, np.append(STD, [1.0, 1.0]))[0]
    assert loss == pytest.approx(evaluate(name, SIMULATED, OBSERVED, STD)[0], rel=1e-12)


def test_kge_leaves_out_single_observations():
    observed = OBSERVED.copy()
    observed[3, 2] = NAN
    expected = by_hand("kge", SIMULATED[:, :2], observed[:, :2], STD[:2])
    assert evaluate("kge", SIMULATED, observed, STD)[0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_gradcheck(name):
    observed, spread = torch.tensor(OBSERVED), Spread(torch.tensor(STD), TYPICAL)
    values = SIMULATED.copy()
    values[3, 2] = 1.4
    simulated = torch.tensor(values, requires_grad=True)
    assert torch.autograd.gradcheck(lambda s: LOSSES[name](s, observed, spread), simulated)
