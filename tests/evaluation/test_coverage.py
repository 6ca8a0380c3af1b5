"""Coverage by hand, in other units, of some dims."""

import numpy as np
import pytest
import xarray as xr

from xdpl.errors import InputErrors
from xdpl.evaluation import coverage


@pytest.fixture
def pair():
    low, high = np.zeros((4, 3)), np.full((4, 3), 2.0)
    coords = {"quantile": [0.05, 0.95], "site": [1, 2, 3]}
    intervals = xr.Dataset(
        {"q": (("quantile", "time", "site"), np.stack([low, high]), {"units": "mm"})}, coords
    )
    values = np.array([[1.0, 3.0, 2.0], [-1.0, 3.0, 0.0], [0.5, 1.0, np.nan], [1.0, 9.0, np.nan]])
    return intervals, xr.Dataset({"q": (("time", "site"), values, {"units": "mm"})}, {"site": [1, 2, 3]})


def test_by_hand(pair):
    whole = coverage(*pair)
    np.testing.assert_allclose(whole["q"], 6 / 10)
    assert whole["q"].attrs["units"] == "1" and np.isclose(whole.attrs["nominal"], 0.9)
    np.testing.assert_allclose(coverage(*pair, dim="time")["q"], [0.75, 0.25, 1.0])


def test_units_convert(pair):
    intervals, truth = pair
    truth["q"] = (truth["q"] / 1000).assign_attrs(units="m")
    np.testing.assert_allclose(coverage(intervals, truth)["q"], 6 / 10)


def test_lazy(pair, counter):
    found = coverage(pair[0].chunk(site=1), pair[1].chunk(site=1), dim="time")
    assert counter.calls == 0
    np.testing.assert_allclose(found["q"], [0.75, 0.25, 1.0])


def test_every_problem_at_once(pair):
    intervals, truth = pair
    with pytest.raises(InputErrors, match="two quantiles or more") as caught:
        coverage(intervals.isel(quantile=[0]), truth.rename(q="other"))
    assert {e.subject for e in caught.value.exceptions} == {"intervals", "truth"}
    with pytest.raises(InputErrors, match="dims of q"):
        coverage(intervals, truth, dim="day")
    with pytest.raises(InputErrors, match="the same labels"):
        coverage(intervals, truth.assign_coords(site=[1, 2, 4]))
