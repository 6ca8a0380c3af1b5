"""There and back between bounds."""

import numpy as np
import xarray as xr
from helpers_learn import Bucket

from xdpl.uncertainty.unbounded import from_unbounded, to_unbounded


def test_there_and_back():
    leak, split = Bucket().parameters
    theta = xr.Dataset({"leak": ("site", [0.02, 0.1, 0.8]), "split": ("site", [0.1, 0.5, 0.9])})
    raw = to_unbounded(theta, Bucket())
    np.testing.assert_allclose(raw["split"], np.log([1 / 9, 1, 9]), atol=1e-12)
    share = np.log(0.1 / 0.01) / np.log(90.0)
    np.testing.assert_allclose(raw["leak"][1], np.log(share / (1 - share)))
    for p in (leak, split):
        np.testing.assert_allclose(from_unbounded(raw[p.name], p), theta[p.name])


def test_nothing_leaves_the_bounds():
    leak, split = Bucket().parameters
    edges = to_unbounded(xr.Dataset({"leak": ("site", [0.01, 0.9]), "split": ("site", [0.0, 1.0])}), Bucket())
    assert np.isfinite(edges.to_array()).all()
    far = xr.DataArray([-800.0, 800.0])
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(from_unbounded(far, leak), [0.01, 0.9])
        np.testing.assert_allclose(from_unbounded(far, split), [0.0, 1.0], atol=1e-200)
