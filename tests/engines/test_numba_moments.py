"""Sums over time, against numpy."""

import numpy as np
import pytest

from xdpl.engines.numba.moments import moments


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sites", [1, 255, 256, 600])
def test_sums(dtype, sites):
    rng = np.random.default_rng(sites)
    s = rng.normal(5.0, 2.0, (40, 3, sites)).astype(dtype)
    o, w = rng.normal(5.0, 2.0, (40, sites)), (rng.random((40, sites)) < 0.7).astype(float)
    c = rng.normal(5.0, 1.0, sites)
    found = moments(s, o, w, c, whole=True)
    above, target = (s.astype(float) - c) * w[:, None], ((o - c) * w)[:, None]
    expected = [(above - target) ** 2, above, above**2, above * target]
    np.testing.assert_allclose(found, [e.sum(axis=0) for e in expected], rtol=1e-10, atol=1e-10)


def test_only_squares_of_differences_unless_more_is_wanted():
    s, o = np.ones((5, 2, 3)), np.zeros((5, 3))
    found = moments(s, o, np.ones((5, 3)), np.zeros(3), whole=False)
    np.testing.assert_array_equal(found[0], 5.0)
    np.testing.assert_array_equal(found[1:], 0.0)


def test_what_is_not_finite_shows():
    s = np.ones((5, 2, 1))
    s[2, 0, 0], s[2, 1, 0] = np.nan, np.inf
    with np.errstate(all="ignore"):
        found = moments(s, np.zeros((5, 1)), np.ones((5, 1)), np.zeros(1), whole=False)
    assert not np.isfinite(found[0]).any()
