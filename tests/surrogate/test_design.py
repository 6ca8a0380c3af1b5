"""Which parameters a model is run with."""

import numpy as np
import pytest
import xarray as xr
from helpers_learn import Bucket, world

from xdpl.errors import InputErrors
from xdpl.evaluation.bounds import share
from xdpl.surrogate import design


def places(theta):
    return np.stack([share(theta[p.name].values, p) for p in Bucket().parameters], axis=-1).reshape(-1, 2)


@pytest.mark.parametrize("method", ["sobol", "latin-hypercube"])
def test_all_sites_together_fill_the_space(method):
    theta = design(world(), Bucket(), 16, method=method)
    assert theta["leak"].dims == ("draw", "lat", "lon")
    assert theta["leak"].attrs["units"] == "d-1"
    found = places(theta)
    # Tenths of each parameter have as many points as they should, to one or two of 96.
    for column in found.T:
        counts = np.histogram(column, bins=8, range=(0.0, 1.0))[0]
        assert counts.min() >= 10 and counts.max() <= 14
    assert abs(np.corrcoef(found.T)[0, 1]) < 0.15
    # Neither do sites or draws have a part of it.
    assert float(theta["split"].std("draw").min()) > 0.2
    assert float(theta["split"].std(("lat", "lon")).min()) > 0.1


def test_the_same_seed_gives_the_same():
    xr.testing.assert_equal(design(world(), Bucket(), 3, seed=4), design(world(), Bucket(), 3, seed=4))
    assert not design(world(), Bucket(), 3, seed=5).equals(design(world(), Bucket(), 3, seed=4))


def test_around_an_estimate():
    middle = xr.Dataset({"split": 0.3 + 0.0 * world()["sand"]}).assign_attrs()
    middle["split"].attrs["units"] = "1"
    theta = design(world(), Bucket(), 64, around=middle, spread=0.1)
    found = places(theta)
    np.testing.assert_allclose(found[:, 1].mean(), 0.3, atol=0.02)
    np.testing.assert_allclose(found[:, 1].std(), 0.1, rtol=0.1)
    # What is not in the estimate is around its default.
    leak = Bucket().parameters[0]
    np.testing.assert_allclose(found[:, 0].mean(), share(np.array(leak.default), leak), atol=0.02)


def test_around_an_estimate_at_a_bound():
    theta = design(world(), Bucket(), 64, around={"split": 1.0}, spread=0.2)
    assert float(theta["split"].max()) <= 1.0
    assert float((theta["split"] == 1.0).mean()) < 0.05, "points do not pile up at the bound"


def test_every_problem():
    with pytest.raises(InputErrors) as caught:
        design(world(), Bucket(), 0, method="grid", spread=0.0, seed=-1, around={"leek": 1.0})
    subjects = [e.subject for e in caught.value.exceptions]
    assert subjects == ["count", "method", "spread", "seed", "leek"]
