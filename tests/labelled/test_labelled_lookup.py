"""Forcings are found by mapping, then name, then standard name, and converted."""

import json

import numpy as np
import pytest
import xarray as xr
from model_cases import weather

import xdpl
from xdpl.errors import InputErrors, Problems
from xdpl.labelled.lookup import find, in_units
from xdpl.models.vic import VIC

STANDARD = {
    "precipitation": "lwe_precipitation_rate",
    "air_temperature": "air_temperature",
    "potential_evapotranspiration": "water_potential_evapotranspiration_flux",
}
SHORT = {"precipitation": "pr", "air_temperature": "tas", "potential_evapotranspiration": "pet"}


def renamed():
    """Forcings whose names say nothing; the standard names do."""
    ds = weather()
    for name, standard_name in STANDARD.items():
        ds[name].attrs["standard_name"] = standard_name
    return ds.rename(SHORT)


def message(ds, **kwargs):
    with pytest.raises(InputErrors) as caught:
        xdpl.simulate(ds, "vic", **kwargs)
    return str(caught.value)


@pytest.mark.parametrize(
    ("ds", "mapping", "used"),
    [
        (weather(), None, {k: k for k in SHORT}),
        (renamed(), None, SHORT),
        (weather().rename(SHORT), SHORT, SHORT),
        (
            renamed().rename(pr="precipitation"),
            {"air_temperature": "tas"},
            SHORT | {"precipitation": "precipitation"},
        ),
    ],
    ids=["name", "standard name", "mapping", "mixed"],
)
def test_found(ds, mapping, used):
    sim = xdpl.simulate(ds, "vic", forcings=mapping)
    assert json.loads(sim.attrs["forcings"]) == used
    xr.testing.assert_equal(sim, xdpl.simulate(weather(), "vic"))


def test_order_of_precedence():
    ds = renamed().assign(air_temperature=weather()["air_temperature"] + 9.0)
    ds["air_temperature"].attrs["units"] = "degC"
    ds["warm"] = (ds["tas"] + 20.0).assign_attrs(units="degC")
    by_name = xdpl.simulate(ds, "vic")
    assert json.loads(by_name.attrs["forcings"])["air_temperature"] == "air_temperature"
    by_mapping = xdpl.simulate(ds, "vic", forcings={"air_temperature": "warm"})
    assert json.loads(by_mapping.attrs["forcings"])["air_temperature"] == "warm"
    assert not by_name["runoff"].equals(by_mapping["runoff"])


def test_two_with_one_standard_name_are_ambiguous():
    ds = renamed()
    ds["t2m"] = ds["tas"] + 1.0
    ds["t2m"].attrs = ds["tas"].attrs
    text = message(ds)
    assert "2 with that standard_name: tas, t2m" in text
    assert 'fix: forcings={"air_temperature": "tas"}' in text
    xdpl.simulate(ds, "vic", forcings={"air_temperature": "t2m"})


def test_missing_names_what_was_looked_for():
    text = message(weather().drop_vars("air_temperature"))
    assert "air_temperature: expected a variable named 'air_temperature'" in text
    assert "with standard_name 'air_temperature' (or air_temperature_min and air_temperature_max)" in text
    assert 'forcings={"air_temperature": "<variable>"}' in text


def test_missing_potential_evapotranspiration_says_how_to_get_it():
    assert 'ds.dpl.pet(method="' in message(weather().drop_vars("potential_evapotranspiration"))


def test_mapping_to_nothing_and_of_nothing():
    text = message(weather(), forcings={"precipitation": "pr", "air_temprature": "precipitation"})
    assert "precipitation: expected the variable 'pr' named in forcings, got no such variable" in text
    assert "fix: use 'air_temperature'" in text
    assert "fix: remove it" in message(weather(), forcings={"zzz": "precipitation"})


def test_find_works_for_other_arguments():
    problems = Problems("learn")
    assert find(xr.Dataset(), VIC().forcings[:1], None, problems, argument="needs") == {}
    assert 'needs={"precipitation"' in str(problems.found[0])


FAHRENHEIT = ("air_temperature", "degF", 9.0 / 5.0, 32.0)
CONVERSIONS = [
    ("air_temperature", "K", 1.0, 273.15),
    FAHRENHEIT,
    ("air_temperature", "celsius", 1.0, 0.0),
    ("precipitation", "kg m-2 s-1", 1 / 86400.0, 0.0),
    ("precipitation", "kg.m-2.s-1", 1 / 86400.0, 0.0),
    ("precipitation", "mm/day", 1.0, 0.0),
    ("precipitation", "inch/day", 1 / 25.4, 0.0),
    ("precipitation", "m s-1", 1 / 86.4e6, 0.0),
    ("precipitation", "mm h^-1", 1 / 24.0, 0.0),
    ("potential_evapotranspiration", "cm d**-1", 0.1, 0.0),
]


@pytest.mark.parametrize(("name", "unit", "slope", "offset"), CONVERSIONS)
def test_units_are_converted_at_the_boundary(name, unit, slope, offset):
    ds = weather()
    ds[name] = (ds[name] * slope + offset).assign_attrs(units=unit)
    sim, expected = xdpl.simulate(ds, "vic"), xdpl.simulate(weather(), "vic")
    for key in sim:
        np.testing.assert_allclose(sim[key], expected[key], rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(
    ("unit", "got"),
    [
        ("W m-2", "cannot convert units 'W m-2' to 'mm d-1'"),
        ("mm", "cannot convert"),
        ("bananas", "cannot read units"),
    ],
)
def test_wrong_units(unit, got):
    ds = weather()
    ds["precipitation"].attrs["units"] = unit
    text = message(ds)
    assert f"precipitation: expected units convertible to 'mm d-1', got {unit!r} ({got}" in text
    assert 'fix: ds["precipitation"].attrs["units"] = ' in text


def test_missing_units():
    ds = weather()
    del ds["air_temperature"].attrs["units"]
    assert "air_temperature: expected units convertible to 'degC', got no units attribute" in message(ds)


def test_in_units_drops_attributes_and_notes_problems():
    array = xr.DataArray([0.0, 1.0], dims="x", attrs={"units": "m", "long_name": "height"}, name="z")
    problems = Problems("test")
    stripped = in_units(array, "mm", problems)
    assert stripped.attrs == {}
    np.testing.assert_array_equal(stripped, [0.0, 1000.0])
    assert array.attrs["units"] == "m"
    assert problems.found == []
    in_units(array.rename(None), "d", problems, subject="ksat")
    assert 'ds["ksat"]' in str(problems.found[0])


def test_every_problem_is_listed_in_one_error():
    ds = weather().drop_vars("potential_evapotranspiration")
    ds["precipitation"].attrs["units"] = "W m-2"
    del ds["air_temperature"].attrs["units"]
    ds = ds.assign_coords(time=ds["time"].values[::-1])
    with pytest.raises(InputErrors) as caught:
        xdpl.simulate(ds, "vic", {"kstat": 1.0, "d1": 5.0}, outputs=["w4"], engine="gpu", dtype=int)
    subjects = [e.subject for e in caught.value.exceptions]
    assert sorted(subjects) == sorted(
        [
            "outputs",
            "potential_evapotranspiration",
            "precipitation",
            "air_temperature",
            "time",
            "engine",
            "dtype",
            "kstat",
            "d1",
        ]
    )
    text = str(caught.value)
    assert text.startswith("simulate('vic') cannot run:")
    for problem in caught.value.exceptions:
        assert (
            f"{problem.subject}: expected {problem.expected}, got {problem.got}; fix: {problem.fix}" in text
        )
        assert problem.expected and problem.got and problem.fix
