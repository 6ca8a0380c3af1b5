import itertools

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from xdpl.errors import InputErrors
from xdpl.evaluation import period_fractions


def days(n, start="2015-01-01", **kwargs):
    time = xr.date_range(start, periods=n, **kwargs)
    return xr.Dataset({"x": ("time", np.arange(n))}, {"time": time})


def test_by_hand():
    parts = period_fractions(days(10), {"train": 0.6, "validate": 0.2, "test": 0.2})
    assert list(parts) == ["train", "validate", "test"]
    chosen = [days(10).sel(time=part).x.values.tolist() for part in parts.values()]
    assert chosen == [[0, 1, 2, 3, 4, 5], [6, 7], [8, 9]]


def test_what_is_left_over_is_in_no_period():
    assert days(10).sel(time=period_fractions(days(10), {"train": 0.5})["train"]).sizes["time"] == 5


@given(st.lists(st.integers(1, 20), min_size=1, max_size=6), st.integers(120, 1000))
def test_periods_follow_one_another(weights, n):
    ds = days(n)
    fractions = {str(i): weight / sum(weights) for i, weight in enumerate(weights)}
    parts = period_fractions(ds, fractions)
    chosen = [ds.sel(time=part).x.values for part in parts.values()]
    np.testing.assert_array_equal(np.concatenate(chosen), np.arange(n))
    for values, fraction in zip(chosen, fractions.values(), strict=True):
        assert abs(len(values) - fraction * n) <= 1
    slices = list(parts.values())
    assert all(a.stop < b.start for a, b in itertools.pairwise(slices))


def test_other_calendars_dims_and_arrays():
    ds = days(360, calendar="360_day", use_cftime=True) if _has_cftime() else days(360)
    part = period_fractions(ds.x.rename(time="step"), {"a": 0.5, "b": 0.5}, dim="step")["b"]
    np.testing.assert_array_equal(ds.x.rename(time="step").sel(step=part), np.arange(180, 360))


def _has_cftime():
    try:
        import cftime  # noqa: F401
    except ImportError:
        return False
    return True


def test_problems():
    with pytest.raises(InputErrors) as caught:
        period_fractions(days(10).drop_vars("time"), {"a": 1.5, "b": -0.1})
    assert [e.subject for e in caught.value.exceptions] == ["fractions['b']", "fractions", "time"]
    with pytest.raises(InputErrors, match="out of order"):
        period_fractions(days(10).isel(time=slice(None, None, -1)), {"a": 1})
    with pytest.raises(InputErrors, match="repeated labels"):
        period_fractions(days(10).isel(time=[0, 0, 1]), {"a": 1})
    with pytest.raises(InputErrors, match=r"fractions\['b'\]: expected at least one time step"):
        period_fractions(days(10), {"a": 0.99, "b": 0.01})
    with pytest.raises(InputErrors, match="at least one, together at most 1, got 0"):
        period_fractions(days(10), {})
    with pytest.raises(InputErrors, match="a dim with a coordinate"):
        period_fractions(days(10), {"a": 1}, dim="step")
