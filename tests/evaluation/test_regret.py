"""What scores lose against an oracle."""

import numpy as np
import pytest
import xarray as xr

from xdpl.errors import InputErrors
from xdpl.evaluation import by_group, regret


def scores(rmse, nse, bias):
    ds = xr.Dataset({"rmse": ("site", rmse), "nse": ("site", nse), "bias": ("site", bias)})
    ds["rmse"].attrs = ds["bias"].attrs = {"units": "mm d-1"}
    ds["nse"].attrs = {"units": "1"}
    return ds.assign_coords(site=[1, 2])


OURS = scores([2.0, 1.0], [0.5, 0.9], [-3.0, 1.0])
BEST = scores([1.0, 1.5], [0.8, 0.8], [1.0, -2.0])


def test_worse_is_above_zero():
    found = regret(OURS, BEST)
    np.testing.assert_allclose(found["rmse"], [1.0, -0.5])
    np.testing.assert_allclose(found["nse"], [0.3, -0.1])
    np.testing.assert_allclose(found["bias"], [2.0, -1.0])
    assert found["rmse"].attrs["units"] == "mm d-1"
    xr.testing.assert_identical(found["site"], OURS["site"])
    nothing = regret(OURS, OURS)
    assert all((nothing[k] == 0.0).all() for k in nothing)


def test_groups_of_it():
    groups = xr.DataArray([0, 1], {"site": [1, 2]}, "site")
    np.testing.assert_allclose(by_group(regret(OURS, BEST), groups)["nse"], [0.3, -0.1])


def test_only_what_both_have():
    assert list(regret(OURS, BEST[["nse"]])) == ["nse"]
    several = xr.concat([OURS, OURS], "seed", coords="minimal", compat="override")
    assert regret(several, BEST)["rmse"].dims == ("seed", "site")


def test_every_problem():
    other = BEST.assign(rmse=BEST["rmse"].assign_attrs(units="m3 m-3")).assign_coords(site=[1, 3])
    with pytest.raises(InputErrors, match="regret cannot run") as caught:
        regret(OURS, other)
    assert [e.subject for e in caught.value.exceptions] == ["rmse", "site"]
    with pytest.raises(InputErrors, match="oracle: expected a metric that scores has too"):
        regret(OURS, xr.Dataset({"count": ("site", [3, 4])}))
