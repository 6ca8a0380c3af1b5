"""Held-out sites that count, and draws of them."""

import numpy as np
import pytest
import xarray as xr

from xdpl.errors import InputErrors
from xdpl.experiments.resampling import at_scored_sites, drawn

DIMS = ("size", "seed")


def score(values):
    return xr.DataArray(values, dims=("lat", "seed", "lon", "size"), name="rmse")


def test_only_sites_with_every_score_count():
    values = np.arange(48.0).reshape(2, 3, 4, 2)
    values[0, :, 1] = np.nan  # not held out
    values[1, 2, 3, 0] = np.nan  # without a score in one trial
    found = at_scored_sites(score(values), DIMS, "f")
    assert found.shape == (2, 3, 6)
    assert sorted(found[1, 0]) == sorted(
        values[lat, 0, lon, 1] for lat, lon in np.ndindex(2, 4) if (lat, lon) not in {(0, 1), (1, 3)}
    )


def test_no_such_site_is_refused():
    values = np.ones((2, 3, 4, 2))
    values[:, 0, :, 0] = np.nan
    with pytest.raises(
        InputErrors, match=r"rmse: expected held-out sites where every trial has a score, got none"
    ):
        at_scored_sites(score(values), DIMS, "f")


def test_draws_keep_trials_of_a_seed_and_a_site_together():
    # Each value names its seed and its site.
    values = 10.0 * np.arange(4)[:, None] + np.arange(5)
    both = np.stack([values, values + 1000.0])
    draws = list(drawn(both))
    assert len(draws) == 1000
    for draw in draws[:50]:
        np.testing.assert_array_equal(draw[1], draw[0] + 1000.0)
        assert (draw[0] // 10 == draw[0][:, :1] // 10).all()
        assert (draw[0] % 10 == draw[0][:1] % 10).all()
    # With replacement: a seed is left out of a draw with probability (3/4)**4.
    without = np.mean([0 not in draw[0, :, 0] // 10 for draw in draws])
    assert abs(without - 0.75**4) < 0.06
