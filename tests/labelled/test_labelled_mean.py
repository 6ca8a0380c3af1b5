"""Mean temperature where a dataset has only the daily extremes."""

import json

import numpy as np
import pytest
import xarray as xr
from helpers_learn import quick
from model_cases import weather

import xdpl
from xdpl.errors import InputErrors

PAIR = {"air_temperature_min": "tasmin", "air_temperature_max": "tasmax"}


def extremes(units="K", **change):
    """The weather with the mean temperature taken out, and daily extremes around it."""
    ds = weather(("lat", "lon"), (2, 3))
    mean = ds["air_temperature"] + (273.15 if units == "K" else 0.0)
    said = {"units": units, "standard_name": "air_temperature"}
    ds = ds.drop_vars("air_temperature").assign(
        tasmin=(mean - 4.0).assign_attrs(said, cell_methods="time: minimum"),
        tasmax=(mean + 4.0).assign_attrs(said, cell_methods="area: mean time: maximum"),
    )
    return ds.assign(change)


def plain():
    """Extremes that only a mapping tells apart."""
    ds = extremes()
    for name in ("tasmin", "tasmax"):
        ds[name].attrs = {"units": "K"}
    return ds


def mean_present():
    ds = extremes()
    return ds.assign(
        tas=(ds["tasmin"].drop_attrs() + 9.0).assign_attrs(standard_name="air_temperature", units="K")
    )


WAYS = {
    "cell_methods": lambda: (extremes(), None),
    "names": lambda: (plain().rename({v: k for k, v in PAIR.items()}), None),
    "mapping": lambda: (plain(), PAIR),
    "half a mapping, the other half found": lambda: (extremes(), {"air_temperature_max": "tasmax"}),
    "mapping before the mean": lambda: (mean_present(), PAIR),
    "two units": lambda: (
        extremes(tasmax=extremes("degC")["tasmax"]),
        None,
    ),
    "lazy": lambda: (extremes().chunk(lat=1), None),
    "other order of dims": lambda: (
        extremes(tasmax=extremes()["tasmax"].transpose("lon", "time", "lat")),
        None,
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_simulate(way):
    ds, mapping = WAYS[way]()
    sim = xdpl.simulate(ds, "hbv", forcings=mapping)
    assert sim["streamflow"].dims == ("time", "lat", "lon")
    xr.testing.assert_allclose(
        sim.compute(), xdpl.simulate(weather(("lat", "lon"), (2, 3)), "hbv"), rtol=1e-9, atol=1e-9
    )
    used = json.loads(sim.attrs["forcings"])
    assert "air_temperature" not in used
    assert PAIR.keys() <= used.keys()


def test_the_mean_itself_goes_first():
    used = json.loads(xdpl.simulate(mean_present(), "hbv").attrs["forcings"])
    assert used["air_temperature"] == "tas"
    assert not PAIR.keys() & used.keys()


def test_single_precision_stays():
    sim = xdpl.simulate(extremes().astype("float32", keep_attrs=True), "hbv")
    assert sim["streamflow"].dtype == np.float32


def test_check_says_so():
    row = xdpl.check(extremes(), "hbv").rows[1]
    assert (row.found, row.has) == ("tasmin, tasmax", "K")
    assert row.action == "mean of both, converted: - 273.15"
    two = xdpl.check(extremes(tasmax=extremes("degC")["tasmax"]), "hbv").rows[1]
    assert (two.has, two.action) == ("K, degC", "mean of both")


def test_learn_and_evaluate():
    ds, direct = extremes(), weather(("lat", "lon"), (2, 3))
    direct["slope"] = (("lat", "lon"), np.linspace(0.1, 0.9, 6).reshape(2, 3), {"units": "1"})
    direct["streamflow"] = xdpl.simulate(direct, "hbv", {"fc": 150.0})["streamflow"]
    ds = ds.assign(slope=direct["slope"], streamflow=direct["streamflow"])
    options = {"model": "hbv", "target": "streamflow", "attributes": ["slope"], "train": None, "epochs": 1}
    fit, wanted = quick(ds, **options), quick(direct, **options)
    assert PAIR.items() <= fit.forcings.items()
    np.testing.assert_allclose(fit.history["loss"], wanted.history["loss"], rtol=1e-4)
    xr.testing.assert_allclose(fit.evaluate(ds), wanted.evaluate(direct), rtol=1e-3, atol=1e-5)


def problems(ds, mapping=None):
    with pytest.raises(InputErrors) as caught:
        xdpl.simulate(ds, "hbv", forcings=mapping)
    found = {e.subject: str(e) for e in caught.value.exceptions}
    assert found == {e.subject: str(e) for e in xdpl.check(ds, "hbv", forcings=mapping).problems}
    return found


def test_ambiguous_extremes():
    ds = extremes(tn=extremes()["tasmin"])
    (text,) = problems(ds).values()
    assert "cell_methods 'time: minimum'" in text
    assert "2 with that standard_name: tasmin, tn" in text
    assert 'fix: forcings={"air_temperature_min": "tasmin"}' in text
    xdpl.simulate(ds, "hbv", forcings={"air_temperature_min": "tn"})


def test_ambiguous_means_are_not_replaced_by_extremes():
    mean = extremes()["tasmin"].assign_attrs(cell_methods="time: mean")
    (text,) = problems(extremes(t1=mean, t2=mean)).values()
    assert "2 with that standard_name: t1, t2" in text


def test_one_extreme_is_no_mean():
    (text,) = problems(extremes().drop_vars("tasmax")).values()
    assert "air_temperature: expected a variable named 'air_temperature'" in text
    assert "(or air_temperature_min and air_temperature_max)" in text


@pytest.mark.parametrize("ds", [plain(), weather(), mean_present().drop_vars("tasmax")])
def test_half_a_mapping_names_the_other_half(ds):
    """Also where the mean is there: what the mapping asks for is never left aside."""
    ds = ds.assign(low=ds["precipitation"].assign_attrs(units="degC"))
    found = problems(ds, {"air_temperature_min": "low"})
    assert list(found) == ["air_temperature_max"]
    assert 'fix: forcings={"air_temperature_max": "<variable>"}' in found["air_temperature_max"]


def test_wrong_units_and_dims_of_one():
    assert list(problems(extremes(tasmax=extremes("mm")["tasmax"]))) == ["tasmax"]
    still = extremes(tasmin=extremes()["tasmin"].isel(time=0, drop=True))
    assert "tasmin: expected a dimension 'time'" in problems(still)["tasmin"]
