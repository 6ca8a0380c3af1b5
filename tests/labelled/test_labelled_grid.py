"""Site dimensions to one axis and back."""

import numpy as np
import pytest
import xarray as xr
from model_cases import weather

from xdpl.labelled.attrs import model_hash, variable_attrs
from xdpl.labelled.grid import Grid
from xdpl.models import Parameter
from xdpl.models.vic import VIC


def grid_and_data():
    ds = weather(("lat", "lon"), (2, 3)).assign_coords(name=("lat", ["a", "b"]), season=("time", ["x"] * 40))
    ds["sand"] = ("lon", [1.0, 2.0, 3.0])
    return Grid.of(ds, ["precipitation", "sand"]), ds


def test_dims_shape_and_coordinates():
    grid, _ = grid_and_data()
    assert (grid.dims, grid.shape, grid.size) == (("lat", "lon"), (2, 3), 6)
    assert set(grid.coords) == {"lat", "lon", "name"}


def test_flatten_and_back():
    grid, ds = grid_and_data()
    flat = grid.flatten(ds["precipitation"].transpose("lon", "time", "lat"))
    assert flat.shape == (40, 6)
    np.testing.assert_array_equal(flat, ds["precipitation"].values.reshape(40, 6))
    back = grid.unflatten(flat[5])
    xr.testing.assert_equal(
        back.drop_vars("name"), ds["precipitation"].isel(time=5).drop_vars(["name", "time", "season"])
    )


def test_flatten_broadcasts_and_casts():
    grid, ds = grid_and_data()
    flat = grid.flatten(ds["sand"], dtype=np.float32)
    assert flat.dtype == np.float32
    np.testing.assert_array_equal(flat, [1, 2, 3, 1, 2, 3])


def test_no_site_dimensions():
    ds = weather((), ())
    grid = Grid.of(ds, ["precipitation"])
    assert (grid.dims, grid.size) == ((), 1)
    assert grid.flatten(ds["precipitation"]).shape == (40, 1)


def test_label():
    grid, _ = grid_and_data()
    assert grid.label(4) == "lat=15.0, lon=15.0"
    bare = Grid.of(xr.Dataset({"x": ("site", np.zeros(9))}), ["x"])
    assert bare.label(7) == "site=7"


def test_attributes_from_declarations():
    bounded = Parameter("ksat", 1.0, 9.0, "mm d-1", 2.0)
    assert variable_attrs(bounded) == {
        "units": "mm d-1",
        "long_name": "ksat",
        "lower_bound": 1.0,
        "upper_bound": 9.0,
        "default": 2.0,
    }


@pytest.mark.parametrize(("a", "b", "same"), [(VIC(), VIC(), True), (VIC(), VIC(dt=0.5), False)])
def test_model_hash(a, b, same):
    assert (model_hash(a) == model_hash(b)) is same
