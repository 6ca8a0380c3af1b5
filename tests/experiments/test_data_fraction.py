"""The share of sites that learning needs, on curves whose answer is known."""

import numpy as np
import pytest
import xarray as xr

from xdpl.experiments.data_fraction import fraction_needed
from xdpl.experiments.reports.data_fraction import table

SIZES = [10, 100, 1000]


def result(ours, others, noise=0.0):
    """Errors of two seeds and 50 sites around given curves."""
    rng = np.random.default_rng(0)
    curves = np.array([ours, others, np.add(others, 1.0)], float)
    values = curves[:, :, None, None] + noise * rng.normal(size=(3, len(SIZES), 2, 50))
    ds = xr.Dataset(
        {"rmse": (("contender", "size", "seed", "site"), values, {"units": "1"})},
        {"contender": ["dpl", "donors", "regression"], "size": SIZES, "seed": [0, 1]},
    )
    return ds.assign_attrs(score="rmse", target="soil_moisture")


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        ([5.0, 4.0, 3.0], 0.1),  # at the second size exactly
        ([6.0, 3.0, 2.0], 10.0 ** (1 + 2.0 / 3.0) / 1000.0),  # two thirds on the way along logarithms
        ([4.0, 3.0, 3.0], 0.01),  # from the start
        ([9.0, 8.0, 7.0], np.inf),  # never
        ([3.0, 5.0, 3.0], 10.0**2.5 / 1000.0),  # by luck at first, for good later
    ],
)
def test_where_curves_meet(ours, expected):
    found = fraction_needed(result(ours, [9.0, 6.0, 4.0]), lower=True)
    assert float(found["fraction"]) == pytest.approx(expected)
    assert float(found["reference"]) == 4.0
    np.testing.assert_allclose(found["fraction_resampled"], expected)


def test_of_a_score_that_is_better_when_larger():
    mirrored = -result([6.0, 3.0, 2.0], [9.0, 6.0, 4.0])
    mirrored = mirrored.assign_attrs(score="rmse", target="streamflow")
    mirrored["rmse"].attrs["units"] = "1"
    # Here the one that was worse by one is better by one.
    mirrored["rmse"].loc[{"contender": "regression"}] -= 5.0
    found = fraction_needed(mirrored, lower=False)
    assert float(found["fraction"]) == pytest.approx(10.0 ** (1 + 2.0 / 3.0) / 1000.0)


def test_noise_makes_an_interval():
    found = fraction_needed(result([6.0, 3.0, 2.0], [9.0, 6.0, 4.0], noise=2.0), lower=True)
    low, high = np.quantile(found["fraction_resampled"], [0.05, 0.95])
    assert low < float(found["fraction"]) < high
    assert "% of them, 90 % interval" in table(found)
