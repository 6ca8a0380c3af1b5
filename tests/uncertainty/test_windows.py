"""Means over windows by hand; the error of observations told from errors that last."""

import numpy as np

from xdpl.uncertainty.windows import Windows


def test_means_by_hand():
    observed = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, 4.0], [5.0, 6.0], [7.0, np.nan]])
    windows = Windows(observed, 2)
    np.testing.assert_array_equal(windows.counts, [[2, 0], [1, 2], [1, 0]])
    np.testing.assert_array_equal(windows.means(observed), [[2.0, np.nan], [5.0, 5.0], [7.0, np.nan]])
    series = np.arange(20.0).reshape(2, 5, 2)
    expected = [[[1.0, np.nan], [6.0, 6.0], [8.0, np.nan]], [[11.0, np.nan], [16.0, 16.0], [18.0, np.nan]]]
    np.testing.assert_array_equal(windows.means(series), expected)


def test_scatter_is_not_of_errors_that_last():
    rng = np.random.default_rng(0)
    simulated = rng.normal(size=(400, 30))
    lasting = np.repeat(rng.normal(size=(20, 30)), 20, axis=0)
    observed = simulated + 5.0 * lasting + 0.3 * rng.normal(size=(400, 30))
    observed[rng.random(observed.shape) < 0.5] = np.nan
    np.testing.assert_allclose(Windows(observed, 20).scatter(observed - simulated), 0.3, rtol=0.02)


def test_nothing_twice_in_a_window_has_no_scatter():
    observed = np.full((4, 2), np.nan)
    observed[::2] = 1.0
    assert np.isnan(Windows(observed, 2).scatter(observed))
