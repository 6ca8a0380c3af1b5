"""The fraction of sites at a bound, on the scale of the parameter."""

import dask
import numpy as np
import pint
import pytest
import xarray as xr
from helpers_learn import Bucket, fitted, twin

import xdpl
from xdpl.errors import InputErrors
from xdpl.evaluation import at_bounds


@pytest.fixture
def theta():
    """Bounds of `leak` are 0.01 and 0.9, on a logarithmic scale; of `split` 0 and 1."""
    leak = [[0.01, 0.0104, 0.0106, 0.1], [0.9, 0.86, 0.85, np.nan]]
    split = [[0.0, 0.009, 0.011, 0.5], [1.0, 0.995, 0.98, 0.3]]
    return xr.Dataset(
        {
            "leak": (("seed", "site"), leak, {"units": "d-1"}),
            "split": (("seed", "site"), split, {"units": "1", "silly": 1}),
        }
    )


def test_by_hand(theta):
    # A hundredth of log(0.9 / 0.01) is 0.045: up to 0.01046, and from 0.8604.
    found = at_bounds(theta, Bucket())
    assert list(found) == ["leak", "split"]
    np.testing.assert_allclose(found["leak"], 3 / 7)
    np.testing.assert_allclose(found["split"], 4 / 8)
    assert found["split"].attrs == {
        "units": "1",
        "long_name": "fraction of sites with split within 1 % of a bound",
    }
    np.testing.assert_allclose(at_bounds(theta, Bucket(), margin=0.03)["split"], 6 / 8)


def test_other_dims_stay(theta):
    found = at_bounds(theta, Bucket(), dim="site")
    np.testing.assert_allclose(found["leak"], [2 / 4, 1 / 3])
    np.testing.assert_allclose(found["split"], [2 / 4, 2 / 4])
    assert np.isnan(at_bounds(theta.where(theta["split"] > 5), Bucket())["leak"])


def test_the_model_is_known_from_the_attributes():
    ds = twin()
    theta = fitted().parameters(ds)
    found = at_bounds(theta)
    assert list(found) == [p.name for p in xdpl.models.get("vic").parameters]
    assert (found.to_array() == 0.0).all()
    with pytest.raises(InputErrors, match=r"at_bounds\(parameters, model\)"):
        at_bounds(theta.drop_attrs(deep=False))


def test_units_lazy_and_quantified(theta):
    expected = at_bounds(theta, Bucket(), dim="site")
    other = theta.assign(split=(100 * theta["split"]).assign_attrs(units="percent"))
    xr.testing.assert_allclose(at_bounds(other, Bucket(), dim="site"), expected)

    def refuse(*_, **__):
        raise AssertionError("computed too early")

    with dask.config.set(scheduler=refuse):
        lazy = at_bounds(theta.chunk(seed=1, site=2), Bucket(), dim="site")
    assert lazy["leak"].chunks == ((1, 1),)
    xr.testing.assert_identical(lazy.compute(scheduler="synchronous"), expected)
    registry = pint.UnitRegistry()
    split = theta["split"].copy(data=registry.Quantity(theta["split"].values, "1"))
    quantified = at_bounds(theta.assign(split=split.drop_attrs()), Bucket(), dim="site")
    np.testing.assert_allclose(quantified["leak"].data.magnitude, expected["leak"])


def test_every_problem(theta):
    with pytest.raises(InputErrors, match="margin: expected above 0 and below"):
        at_bounds(theta, Bucket(), margin=0.5)
    wrong = theta.assign(leek=theta["leak"], split=theta["split"] + 3.0)
    with pytest.raises(InputErrors, match="at_bounds cannot run") as caught:
        at_bounds(wrong.assign(split=wrong["split"].assign_attrs(units="1")), Bucket(), dim="basin")
    assert [e.subject for e in caught.value.exceptions] == ["leek", "split", "dim"]
