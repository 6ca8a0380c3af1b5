"""Units: read, compare, convert, strip, and put back."""

import numpy as np
import pint
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from xdpl import units
from xdpl.units import UnitsError, linear, parse

SAME = [
    ("mm d-1", ["mm/day", "mm/d", "mm day-1", "mm day^-1", "mm d**-1", "mm.d-1", "millimeter / day"]),
    (
        "degC",
        [
            "celsius",
            "degree_Celsius",
            "°C",
            "degrees_C",
            "Celsius",
            "degrees Celsius",
            "degree celsius",
            "deg_C",
        ],
    ),
    ("K", ["kelvin", "Kelvin", "degrees Kelvin", "degree_K", "degrees_K"]),
    ("1", ["", "-", "unitless", "dimensionless", "fraction", "m3 m-3", "mm/mm", " 1 "]),
    ("m s-1", ["m/s", "m s^-1", "m.s-1", "m s**-1", "metres per second"]),
    ("m3 s-1", ["m3/s", "m^3/s", "m**3 s**-1", "m3.s-1", "m³/s"]),
    ("cfs", ["ft3 s-1", "ft^3/s", "cubic_foot_per_second"]),
    ("inch/day", ["in d-1", "inches/day", "inch day-1"]),
    ("kg m-2 s-1", ["kg/m2/s", "kg m^-2 s^-1", "kg.m-2.s-1", "kg m**-2 s**-1"]),
    ("W m-2", ["W/m^2", "watt / m2", "J s-1 m-2"]),
    ("percent", ["%"]),
    ("degrees_north", ["degree_north", "degreeN"]),
]


@pytest.mark.parametrize(("reference", "spellings"), SAME)
def test_spellings(reference, spellings):
    for spelling in spellings:
        slope, offset = linear(spelling, reference)
        assert (slope, offset) == (pytest.approx(1.0, rel=1e-14), 0.0), spelling


@pytest.mark.parametrize(
    ("source", "target", "slope", "offset"),
    [
        ("K", "degC", 1.0, -273.15),
        ("degC", "K", 1.0, 273.15),
        ("degF", "degC", 5 / 9, -160 / 9),
        ("kg m-2 s-1", "mm d-1", 86400.0, 0.0),
        ("mm d-1", "kg m-2 s-1", 1 / 86400.0, 0.0),
        ("kg m-2", "mm", 1.0, 0.0),
        ("mm", "kg m-2", 1.0, 0.0),
        ("inch/day", "mm d-1", 25.4, 0.0),
        ("m s-1", "mm d-1", 86.4e6, 0.0),
        ("mm/day", "mm d-1", 1.0, 0.0),
        ("mm h-1", "mm d-1", 24.0, 0.0),
        ("cm/h", "mm d-1", 240.0, 0.0),
        ("percent", "1", 0.01, 0.0),
        ("%", "fraction", 0.01, 0.0),
        ("fraction", "percent", 100.0, 0.0),
        ("degF", "K", 5 / 9, 459.67 * 5 / 9),
        ("degrees_F", "degC", 5 / 9, -160 / 9),
        ("Kelvin", "degrees Celsius", 1.0, -273.15),
        ("cfs", "m3 s-1", 0.3048**3, 0.0),
        ("l s-1 km-2", "mm d-1", 0.0864, 0.0),
        ("(m3 s-1) m-2", "mm d-1", 86.4e6, 0.0),
        ("cm3 cm-3", "m3 m-3", 1.0, 0.0),
        ("hPa", "kPa", 0.1, 0.0),
        ("MJ m-2 d-1", "W m-2", 1e6 / 86400, 0.0),
        ("mm K-1 d-1", "mm degC-1 d-1", 1.0, 0.0),
        ("h-1", "d-1", 24.0, 0.0),
    ],
)
def test_linear(source, target, slope, offset):
    assert linear(source, target) == (pytest.approx(slope, rel=1e-12), pytest.approx(offset, abs=1e-9))


def test_no_conversion_is_exactly_none():
    for unit in ("degC", "K", "mm d-1", "1", "mm degC-1 d-1"):
        assert linear(unit, unit) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("source", "target"),
    [("mm", "mm d-1"), ("W m-2", "mm d-1"), ("K", "mm"), ("1", "mm"), ("kg", "mm"), ("m3 s-1", "mm d-1")],
)
def test_what_does_not_convert(source, target):
    with pytest.raises(UnitsError, match="cannot convert units"):
        linear(source, target)


SCALED = ["10 mm d-1", "1e-3 m", "1.e-3 m", "1E-3 m", "1.0e-3 m", "0.001 m", ".001 m", "1e3", "2 K"]


@pytest.mark.parametrize("text", ["bananas", "mm (d-1", "import os", "mm d-1)", "§", "/", "**", *SCALED])
def test_what_cannot_be_read(text):
    with pytest.raises(UnitsError, match="cannot read units") as caught:
        parse(text)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("letter", ["C", "F"])
def test_letters_alone_are_other_units(letter):
    """Coulomb and farad; never taken for degrees."""
    with pytest.raises(UnitsError, match="cannot convert units"):
        linear(letter, "degC")


@pytest.mark.parametrize(
    ("source", "target", "flow"),
    [
        ("m3 s-1", "mm d-1", True),
        ("cfs", "mm d-1", True),
        ("ML/day", "m s-1", True),
        ("mm d-1", "mm d-1", False),
        ("kg m-2 s-1", "mm d-1", False),
        ("m3", "mm d-1", False),
        ("m3", "mm", True),
    ],
)
def test_volume_flow(source, target, flow):
    assert units.is_volume_flow(source, target) is flow


@given(st.text(max_size=12))
def test_any_text_is_a_unit_or_a_units_error(text):
    try:
        parse(text)
    except UnitsError:
        pass


def test_strip_converts_and_forgets():
    array = xr.DataArray([0.0, 300.0], dims="x", attrs={"units": "K", "long_name": "t"}, coords={"x": [1, 2]})
    stripped = units.strip(array, "degC")
    np.testing.assert_allclose(stripped, [-273.15, 26.85], rtol=1e-12)
    assert stripped.attrs == {}
    assert array.attrs == {"units": "K", "long_name": "t"}
    assert list(stripped["x"].values) == [1, 2]


@pytest.mark.parametrize("source", ["K", "mm d-1"])
def test_strip_keeps_the_floating_type(source):
    target = {"K": "degC", "mm d-1": "m s-1"}[source]
    array = xr.DataArray(np.ones(2, np.float32), dims="x", attrs={"units": source})
    assert units.strip(array, target).dtype == np.float32


def test_strip_without_units():
    with pytest.raises(UnitsError, match="z: no units"):
        units.strip(xr.DataArray(0.0, name="z"), "m")


def test_read():
    assert units.read(xr.DataArray(0.0)) is None
    assert units.read(xr.DataArray(0.0, attrs={"units": "mm"})) == "mm"
    assert units.read(xr.DataArray(0.0, attrs={"units": 1})) == "1"
    quantity = xr.DataArray(pint.UnitRegistry().Quantity(np.zeros(2), "mm/day"), dims="x")
    assert linear(units.read(quantity), "mm d-1") == (1.0, 0.0)


def test_quantities_are_recognised_and_stripped():
    registry = pint.UnitRegistry()
    quantity = xr.DataArray(registry.Quantity(np.array([1.0, 2.0]), "inch"), dims="x", name="z")
    assert units.is_quantified(quantity)
    assert not units.is_quantified(units.magnitude(quantity))
    plain = xr.DataArray([0.0])
    assert units.magnitude(plain) is plain
    np.testing.assert_allclose(units.strip(quantity, "mm"), [25.4, 50.8])


def test_quantify_like_uses_the_registry_of_the_user():
    registry = pint.UnitRegistry()
    like = xr.DataArray(registry.Quantity(np.zeros(1), "m"), dims="x")
    ds = xr.Dataset(
        {"q": ("x", [1.0], {"units": "mm d-1", "long_name": "flow"}), "t": ("x", [2.0], {"units": "degC"})}
    )
    out = units.quantify_like(ds, like)
    assert out["q"].data._REGISTRY is registry
    assert out["q"].data.units == registry.Unit("mm/day")
    assert out["t"].data.units == registry.Unit("degC")
    assert out["q"].attrs == {"long_name": "flow"}
    assert ds["q"].attrs["units"] == "mm d-1"
