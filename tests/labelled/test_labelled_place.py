import numpy as np
import pytest
import xarray as xr

from xdpl.errors import Problems
from xdpl.labelled.place import find_place, in_degrees


def places(**names):
    return xr.Dataset(coords={k: ("site", [1.0, 2.0], v) for k, v in names.items()})


@pytest.mark.parametrize(
    ("ds", "found"),
    [
        (places(lat={}, latitude={}), "latitude"),
        (places(lat={}, y={"standard_name": "latitude"}), "lat"),
        (places(y={"standard_name": "latitude"}), "y"),
    ],
)
def test_by_name_then_standard_name(ds, found):
    problems = Problems("test")
    assert find_place(ds, "latitude", problems) == found and not problems.found
    assert find_place(ds.rename({found: "here"}), "latitude", problems, {"latitude": "here"}) == "here"


@pytest.mark.parametrize(
    ("ds", "mapping", "got"),
    [
        (places(x={}), None, "none"),
        (places(a={"standard_name": "longitude"}, b={"standard_name": "longitude"}), None, "2 with that"),
        (places(lon={}), {"longitude": "x"}, "no variable 'x'"),
    ],
)
def test_missing_or_ambiguous(ds, mapping, got):
    problems = Problems("test")
    assert find_place(ds, "longitude", problems, mapping) is None
    (problem,) = problems.found
    assert problem.subject == "longitude" and got in problem.got


def test_in_degrees():
    problems = Problems("test")
    ds = xr.Dataset(coords={"lon": ("site", [0.0, np.pi], {"units": "radian"})})
    np.testing.assert_allclose(in_degrees(ds, "lon", "longitude", problems), [0.0, 180.0])
    assert not problems.found


@pytest.mark.parametrize(
    ("kind", "value", "units", "expected"),
    [
        ("latitude", 91.0, "degrees_north", "between -90 and 90"),
        ("longitude", 361.0, "degrees_east", "between -180 and 360"),
        ("longitude", 1.0, None, "units convertible to 'degrees'"),
        ("latitude", 1.0, "m", "units convertible to 'degrees'"),
    ],
)
def test_what_is_no_position(kind, value, units, expected):
    problems = Problems("test")
    ds = xr.Dataset(coords={"here": ("site", [value], {} if units is None else {"units": units})})
    in_degrees(ds, "here", kind, problems)
    (problem,) = problems.found
    assert problem.subject == kind and expected in problem.expected
