"""Every problem with the data is named before training, with its fix."""

import numpy as np
import pytest
import xarray as xr
from helpers_learn import problems, quick, world

from xdpl.errors import InputErrors


def refused(ds=None, **options):
    """Subjects and messages of what `learn` refuses."""
    with pytest.raises(InputErrors, match=r"learn\('bucket'\) cannot run") as raised:
        quick(ds, **options)
    return problems(raised)


def test_missing_variables_are_listed_together():
    ds = world().drop_vars(["precipitation", "runoff", "sand"])
    found = refused(ds, attributes=["sand", "clay"])
    assert set(found) == {"precipitation", "runoff", "sand"}
    assert 'forcings={"precipitation": "<variable>"}' in found["precipitation"]
    assert 'target={"runoff": "<variable>"}' in found["runoff"]
    assert "name some of clay" in found["sand"]


def test_unrelated_problems_are_listed_together():
    ds = world()
    ds["sand"].attrs["units"] = "percent"
    ds["precipitation"].attrs["units"] = "K"
    found = refused(
        ds, attributes=["silt"], epochs=0, loss="mse", engine="fortran", train=slice("1990", "1991")
    )
    assert set(found) == {"precipitation", "silt", "epochs", "loss", "engine", "train"}


def test_target_named_in_the_mapping_is_missing():
    found = refused(target={"runoff": "q"})
    assert "'q'" in found["runoff"] and "no such variable" in found["runoff"]


def test_target_with_wrong_dims():
    ds = world()
    found = refused(ds.assign(runoff=ds["runoff"].isel(lat=0, drop=True)))
    assert "('time', 'lat', 'lon')" in found["runoff"] and "('time', 'lon')" in found["runoff"]
    assert 'bring "runoff" onto the dims' in found["runoff"]
    assert "runoff" in refused(ds.assign(runoff=ds["runoff"].expand_dims(member=2)))
    assert "runoff" in refused(ds.assign(runoff=ds["runoff"].mean("time", keep_attrs=True)))


def test_attribute_with_time():
    ds = world()
    found = refused(ds.assign(sand=ds["runoff"]))
    assert "with dims among ('lat', 'lon')" in found["sand"]
    assert "ds[\"sand\"].mean(['time'])" in found["sand"]


def test_forcing_without_time():
    ds = world()
    found = refused(ds.assign(precipitation=ds["precipitation"].rename(time="day")))
    assert "a dimension 'time'" in found["precipitation"]


@pytest.mark.parametrize("units", ["furlong-ish", "K", "m3 m-3"])
@pytest.mark.parametrize("name", ["precipitation", "runoff"])
def test_units_that_do_not_convert(name, units):
    ds = world()
    ds[name].attrs["units"] = units
    found = refused(ds)
    assert "convertible to 'mm d-1'" in found[name] and repr(units) in found[name]
    assert f'ds["{name}"].attrs["units"] = ' in found[name]


@pytest.mark.parametrize("name", ["precipitation", "runoff"])
def test_no_units(name):
    ds = world()
    del ds[name].attrs["units"]
    assert "no units attribute" in refused(ds)[name]


def test_nan_attributes():
    ds = world()
    ds["sand"][1, 2] = np.nan
    found = refused(ds)
    assert "without NaN or infinity, got one at 1 of 6 sites, first lat=41.0, lon=7.0" in found["sand"]
    assert 'ds.where(ds["sand"].notnull())' in found["sand"]


def test_the_fix_for_nan_attributes_works():
    ds = world()
    ds["sand"][1, 2] = np.nan
    masked = ds.where(ds["sand"].notnull())
    for name, array in ds.data_vars.items():
        masked[name] = masked[name].transpose(*array.dims)
    assert quick(masked).settings["training_sites"] == 5


def test_gaps_in_forcing():
    ds = world()
    ds["precipitation"][5, 0, 1] = np.nan
    ds["precipitation"][7, 1, 2] = np.nan
    found = refused(ds)
    assert "NaN at some times at 2 sites, first lat=40.0, lon=6.0" in found["precipitation"]
    assert 'ds.where(ds["precipitation"].notnull().all("time"))' in found["precipitation"]


def test_gaps_at_sites_that_are_not_used_do_not_matter():
    ds = world()
    ds["precipitation"][5, 0, 1] = np.nan
    sites = ds["precipitation"].notnull().all("time")
    assert quick(ds, sites=sites).settings["training_sites"] == 5


@pytest.mark.parametrize("period", ["all", "train"])
def test_no_observations(period):
    ds = world()
    days = slice(None) if period == "all" else slice(31, 120)
    ds["runoff"][days] = np.nan
    found = refused(ds)
    assert "observations at training sites in the training period" in found["runoff"]
    assert "only NaN" in found["runoff"]


def test_no_observations_to_validate_with():
    ds = world()
    ds["runoff"][120:] = np.nan
    found = refused(ds, validate=slice("2001-05-01", None))
    assert "observations in the validation period or sites" in found["runoff"]


def test_time_goes_back():
    ds = world()
    order = np.arange(200)
    order[[20, 21]] = 21, 20
    found = refused(ds.isel(time=order))
    assert "strictly increasing dates" in found["time"]
    assert 'ds.sortby("time")' in found["time"]


def test_time_repeats():
    ds = world()
    found = refused(ds.isel(time=np.sort([*range(200), 30])))
    assert 'drop_duplicates("time")' in found["time"]


def test_time_is_irregular():
    found = refused(world().drop_isel(time=[40]))
    assert "a step of 1 days everywhere" in found["time"] and "2 days after 2001-02-09" in found["time"]


def test_time_is_not_dates():
    ds = world()
    for other in (ds.drop_vars("time"), ds.assign_coords(time=np.arange(200))):
        found = refused(other)
        assert "a coordinate of dates along 'time'" in found["time"]
        assert "xr.date_range" in found["time"]
    assert "time" in refused(other, train=None)


def test_chunked_time():
    found = refused(world().chunk(time=50))
    assert "ds = ds.chunk(time=-1)" in found["precipitation"]


def test_nothing_is_computed_for_a_check():
    def explode(block):
        pytest.fail("computed")

    ds = world().chunk(lon=1)
    lazy = xr.apply_ufunc(explode, ds["precipitation"], dask="parallelized", output_dtypes=[float])
    found = refused(ds.assign(precipitation=lazy.assign_attrs(units="mm d-1")), epochs=0)
    assert set(found) == {"epochs"}


@pytest.mark.parametrize("name", ["precipitation", "runoff", "sand"])
def test_infinite_values(name):
    ds = world()
    ds[name] = ds[name].copy()
    ds[name].values.flat[7 if ds[name].ndim == 3 else 1] = np.inf
    with pytest.raises(InputErrors) as raised:
        quick(ds)
    assert "infin" in problems(raised)[name] and "lat=40.0, lon=6.0" in problems(raised)[name]
