"""Learning beside a network alone: advantage and crossover, on curves whose answer is known."""

import numpy as np
import pytest
import xarray as xr

from xdpl.experiments.data_efficiency import advantage
from xdpl.experiments.reports.data_efficiency import table

SIZES = [10, 100, 1000]


def result(gains, noise=0.0):
    """Errors of which those of the network are larger by given gains, for each number of days."""
    rng = np.random.default_rng(0)
    gains = np.asarray(gains, float)
    values = np.stack([np.full_like(gains, 5.0), 5.0 + gains])[..., None, None] + noise * rng.normal(
        size=(2, *gains.shape, 2, 40)
    )
    dims = ("contender", "days", "size", "seed", "site")
    ds = xr.Dataset(
        {"rmse": (dims, values, {"units": "1"}), "extreme_bias": (dims, 0.1 * values)},
        {"contender": ["dpl", "lstm"], "days": [90, 180, 365], "size": SIZES, "seed": [0, 1]},
    )
    return ds.assign_attrs(score="rmse", target="soil_moisture")


GAINS = [[3.0, 2.0, 1.0], [3.0, 1.0, -1.0], [-1.0, -2.0, -3.0]]


def test_advantage_and_crossover():
    found = advantage(result(GAINS), lower=True)
    np.testing.assert_allclose(found["advantage"], GAINS)
    expected = [np.inf, 10.0**2.5, 10.0]
    np.testing.assert_allclose(found["crossover"], expected)
    np.testing.assert_allclose(found["crossover_low"], expected)
    np.testing.assert_allclose(found["crossover_high"], expected)


def test_of_a_score_that_is_better_when_larger():
    found = advantage(result(GAINS), lower=False)
    np.testing.assert_allclose(found["advantage"], -np.asarray(GAINS))


def test_noise_makes_intervals():
    found = advantage(result(GAINS, noise=3.0), lower=True)
    assert (found["advantage_low"] < found["advantage"]).all()
    assert (found["advantage"] < found["advantage_high"]).all()
    assert float(found["crossover_low"][1]) < 10.0**2.5 < float(found["crossover_high"][1])
    text = table(found)
    assert "none of these" in text and "days above the training range" in text


@pytest.mark.parametrize("last", [-1.0, -4.0])
def test_the_last_crossing_counts(last):
    """A network that is better once, but not with more sites, is not as good yet."""
    found = advantage(result([[-1.0, 1.0, last]] * 3), lower=True)
    np.testing.assert_allclose(found["crossover"], 100.0 * 10.0 ** (1.0 / (1.0 - last)))
