"""Statistics of classes, by hand; what cannot be one row."""

import numpy as np
import pint
import pytest
import xarray as xr
from helpers_export import grid, soil
from helpers_learn import problems

from xdpl import units
from xdpl.errors import InputErrors
from xdpl.export import by_class


def refusal(*args, **options):
    with pytest.raises(InputErrors, match="by_class cannot run") as raised:
        by_class(*args, **options)
    return problems(raised)


def test_by_hand():
    found = by_class(grid(), soil())
    assert found["class"].values.tolist() == [1, 2]
    assert found["class_name"].values.tolist() == ["sand", "clay_loam"]
    assert found["cells"].values.tolist() == [3, 3]
    sand = found["porosity"].sel({"class": 1})
    values = np.float32([0.4, 0.3, 0.35]).astype(float)
    expected = {
        "median": 0.35,
        "mean": 0.35,
        "standard_deviation": np.sqrt(0.005 / 3),
        "p10": 0.3,
        "p90": 0.4,
    }
    for name, value in expected.items():
        np.testing.assert_allclose(float(sand.sel(statistic=name)), value, rtol=1e-6)
    assert float(sand.sel(statistic="median")) == values[2]
    assert found["porosity"].attrs["units"] == "m3 m-3"
    # Squares of departures from 0.35 and 0.45333 in the classes, from 0.40167 over all cells.
    inside = 0.005 + (0.5 - 1.36 / 3) ** 2 + (0.45 - 1.36 / 3) ** 2 + (0.41 - 1.36 / 3) ** 2
    whole = sum((v - 2.41 / 6) ** 2 for v in (0.4, 0.3, 0.35, 0.5, 0.45, 0.41))
    np.testing.assert_allclose(found["porosity"].attrs["variance_within_classes"], inside / whole, rtol=1e-5)


def test_with_weights():
    area = xr.DataArray([1.0, 3.0], {"lat": grid()["lat"]}, "lat", attrs={"units": "km2"})
    found = by_class(grid(), soil(), weights=area)["ksat"].sel({"class": 1})
    # Cells 86.4 and 100 count once, 20 three times.
    np.testing.assert_allclose(float(found.sel(statistic="mean")), (186.4 + 60.0) / 5, rtol=1e-6)
    assert float(found.sel(statistic="median")) == 20.0
    np.testing.assert_allclose(float(found.sel(statistic="p90")), 100.0, rtol=1e-6)
    deviation = np.sqrt(np.average((np.array([86.4, 100.0, 20.0]) - 49.28) ** 2, weights=[1, 1, 3]))
    np.testing.assert_allclose(float(found.sel(statistic="standard_deviation")), deviation, rtol=1e-6)


@pytest.mark.parametrize("count", [1, 2, 9, 10, 40])
def test_quantiles_are_those_of_numpy(count):
    values = np.random.default_rng(count).gamma(2.0, 1.0, count)
    theta = xr.Dataset({"k": ("site", values, {"units": "1"})})
    by = xr.DataArray(np.zeros(count, int), dims="site")
    for weights in (None, xr.full_like(by, 3.0, dtype=float)):
        found = by_class(theta, by, weights=weights)["k"].isel({"class": 0})
        expected = np.quantile(values, [0.1, 0.5, 0.9], method="averaged_inverted_cdf")
        np.testing.assert_allclose(found.sel(statistic=["p10", "median", "p90"]), expected, rtol=1e-12)
        np.testing.assert_allclose(float(found.sel(statistic="median")), np.median(values))


def test_a_repeated_cell_is_a_weight_of_two():
    values = np.array([3.0, 1.0, 7.0, 5.0, 6.0])
    weight = np.array([1, 2, 1, 3, 1])

    def found(v, **options):
        theta = xr.Dataset({"k": ("site", v, {"units": "1"})})
        return by_class(theta, xr.zeros_like(theta["k"], int), **options)["k"]

    weighted = found(values, weights=xr.DataArray(weight, dims="site"))
    np.testing.assert_allclose(weighted, found(np.repeat(values, weight)), rtol=1e-12)


def test_classes_without_spread_lose_nothing():
    theta = grid()
    theta["porosity"] = soil().astype(float).assign_attrs(units="1")
    found = by_class(theta, soil())
    assert found["porosity"].attrs["variance_within_classes"] == 0.0
    assert float(found["porosity"].sel(statistic="standard_deviation").max()) == 0.0
    theta["porosity"] = theta["porosity"] * 0.0 + 0.4
    theta["porosity"].attrs["units"] = "1"
    assert by_class(theta, soil())["porosity"].attrs["variance_within_classes"] == 0.0


def test_numbers_name_classes_without_names_and_negative_is_none():
    by = soil(((3, -1, 3), (7, 7, -1))).drop_attrs()
    found = by_class(grid(), by)
    assert found["class_name"].values.tolist() == ["3", "7"]
    assert found["cells"].values.tolist() == [2, 2]
    masked = grid()
    masked["ksat"] = masked["ksat"].where(by >= 0).assign_attrs(units="mm d-1")
    xr.testing.assert_equal(by_class(masked, by), found)


def test_lazy_and_quantified_are_the_same():
    expected = by_class(grid(), soil())
    xr.testing.assert_identical(by_class(grid().chunk(lat=1), soil().chunk(lat=1)), expected)
    registry = pint.UnitRegistry()
    quantified = grid()
    for name, array in grid().data_vars.items():
        data = registry.Quantity(array.values, f"{units.parse(array.attrs['units']):D}")
        quantified[name] = (array.dims, data)
    xr.testing.assert_equal(by_class(quantified, soil()), expected)


def test_what_is_not_static():
    theta = grid()
    for dim, said in (("time", "dynamic="), ("member", "members="), ("sample", "median"), ("draw", "isel")):
        found = refusal(theta.expand_dims({dim: 2}), soil())
        assert said in found["parameters"] and f"a dim {dim!r} of 2" in found["parameters"]


def test_values_and_units():
    theta = grid()
    theta["ksat"] = theta["ksat"].where(theta["lat"] < 41).assign_attrs(units="mm d-1")
    found = refusal(theta, soil())
    assert "nan at 3 cells, first at lat=41." in found["ksat"] and "lon=5.0" in found["ksat"]
    theta["ksat"].attrs["units"] = "millimetres of love"
    del theta["porosity"].attrs["units"]
    theta["name"] = soil().astype(str)
    found = refusal(theta, soil())
    assert "units that can be read" in found["ksat"] and "no units" in found["porosity"]
    assert "expected numbers" in found["name"]


def test_classes_that_are_none():
    assert "a cell of the class 'peat' (3)" in refusal(grid(), soil(meanings="sand clay_loam peat"))["by"]
    assert "cells with 2" in refusal(grid(), soil(meanings="sand"))["by"]
    assert "integer labels" in refusal(grid(), soil().astype(float))["by"]
    assert "2 values and 3 meanings" in refusal(grid(), soil().assign_attrs(flag_meanings="a b c"))["by"]
    assert "label at least one" in refusal(grid(), (soil() * 0 - 1).drop_attrs())["by"]
    moved = soil().assign_coords(lat=[40.0, 41.0])
    assert "the same labels" in refusal(grid(), moved)["by"]
    assert "a dim 'lon' too" in refusal(grid(), soil().isel(lon=0))["ksat"]


def test_weights_that_are_none():
    weights = xr.ones_like(soil(), float)
    weights[0, 1] = 0.0
    assert "weights above 0 in every class" in refusal(grid(), soil(), weights=weights)["weights"]
