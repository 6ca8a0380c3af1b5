import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from xdpl.errors import InputErrors
from xdpl.evaporation import extraterrestrial_radiation
from xdpl.pet import pet

METHODS = ["oudin", "hargreaves", "priestley_taylor", "fao56"]
SHORT = "surface_downwelling_shortwave_flux_in_air"
LONG = "surface_downwelling_longwave_flux_in_air"


def variable(values, units, standard_name, cell_methods=None):
    attrs = {"units": units, "standard_name": standard_name, "long_name": "inherited"}
    if cell_methods:
        attrs["cell_methods"] = cell_methods
    return (("time", "site"), values, attrs, {"dtype": "float32", "chunksizes": (1, 1)})


@pytest.fixture
def ds():
    rng = np.random.default_rng(1)
    time = pd.date_range("2016-01-01", periods=366)
    shape = (time.size, 3)
    season = np.sin(2 * np.pi * (np.arange(366.0) - 110) / 365)[:, None]
    t = 10 + 12 * season + rng.normal(0, 3, shape)
    return xr.Dataset(
        {
            "tx": variable(t + rng.uniform(1, 8, shape), "degC", "air_temperature", "time: maximum"),
            "tn": variable(t - rng.uniform(1, 8, shape), "degC", "air_temperature", "area: time: minimum"),
            "tas": variable(t, "degC", "air_temperature", "time: mean"),
            "huss": variable(rng.uniform(0.001, 0.006, shape), "kg/kg", "specific_humidity"),
            "rsds": variable(190 + 110 * season + rng.uniform(-50, 50, shape), "W m-2", SHORT),
            "rlds": variable(310 + 50 * season + rng.uniform(-50, 50, shape), "W m-2", LONG),
            "uas": variable(rng.normal(0, 3, shape), "m s-1", "eastward_wind"),
            "vas": variable(rng.normal(0, 3, shape), "m s-1", "northward_wind"),
        },
        coords={
            "time": time,
            "site": ["a", "b", "c"],
            "lat": ("site", [-35.0, 10.0, 62.0], {"units": "degrees_north", "standard_name": "latitude"}),
            "experiment": 7,
        },
    )


def constant(ds, value, units, standard_name=""):
    return xr.full_like(ds["tas"], value).drop_attrs().assign_attrs(units=units, standard_name=standard_name)


def subjects(error):
    return [e.subject for e in error.value.exceptions]


def comment(ds, method, **kwargs):
    return pet(ds, method, **kwargs).attrs["comment"]


def sources(da):
    return json.loads(da.attrs["source_variables"])


# ---- against pyet, from labelled data


def net_by_hand(ds):
    t = ds["tas"] + 273.15
    return 0.0864 * (0.77 * ds["rsds"] + ds["rlds"] - 5.670374419e-8 * t**4)


@pytest.mark.parametrize("method", METHODS)
def test_agrees_with_pyet(ds, method):
    pyet = pytest.importorskip("pyet")
    ours = pet(ds, method)
    for i, lat in enumerate(ds["lat"].values):
        site = ds.isel(site=i)
        p = {k: site[k].to_series() for k in ("tas", "tn", "tx")}
        mean = p["tas"]
        if method == "oudin":
            # pyet takes the latent heat at the air temperature, the paper 2.45 MJ kg-1.
            theirs = pyet.oudin(mean, np.deg2rad(lat)) * (2.501 - 0.002361 * mean) / 2.45
        elif method == "hargreaves":
            mean = (p["tn"] + p["tx"]) / 2
            theirs = pyet.hargreaves(mean, p["tx"], p["tn"], np.deg2rad(lat))
            theirs = theirs * (2.501 - 0.002361 * mean) / 2.45
        elif method == "priestley_taylor":
            theirs = pyet.priestley_taylor(mean, rn=net_by_hand(site).to_series(), elevation=0.0)
        else:
            q = site["huss"].to_series()
            wind = np.hypot(site["uas"], site["vas"]).to_series() * 4.87 / np.log(67.8 * 10 - 5.42)
            theirs = pyet.pm_fao56(
                mean,
                wind,
                rn=net_by_hand(site).to_series(),
                ea=q * 101.3 / (0.622 + 0.378 * q),
                tmax=p["tx"],
                tmin=p["tn"],
                elevation=0.0,
            )
        assert theirs.std() > 0.3
        np.testing.assert_allclose(ours.isel(site=i), theirs, rtol=1e-6, atol=1e-9)


# ---- what comes out


@pytest.mark.parametrize("method", METHODS)
def test_output_is_labelled(ds, method):
    ds["lat"].encoding["chunks"] = (1,)
    out = pet(ds, method)
    assert out.name == "potential_evapotranspiration"
    assert out.dims == ("time", "site")
    assert set(out.attrs) == {
        "units", "standard_name", "long_name", "comment", "references", "source_variables"
    }  # fmt: skip
    assert out.attrs["units"] == "mm d-1"
    assert out.attrs["standard_name"] == "water_potential_evapotranspiration_flux"
    assert "inherited" not in str(out.attrs)
    assert "negative values were set to zero" in out.attrs["comment"]
    assert out.encoding == {} and out["lat"].encoding == {}
    assert ds["lat"].encoding == {"chunks": (1,)}
    xr.testing.assert_identical(out.coords.to_dataset(), ds.coords.to_dataset())
    assert (out >= 0).all() and float(out.max()) < 15 and float(out.mean()) > 1


def test_input_is_left_alone(ds):
    before = ds.copy(deep=True)
    for method in METHODS:
        pet(ds, method)
    xr.testing.assert_identical(ds, before)
    assert ds["tas"].encoding == before["tas"].encoding


def test_output_can_be_written(ds, tmp_path):
    out = pet(ds, "fao56")
    out.to_netcdf(tmp_path / "pet.nc")
    with xr.open_dataarray(tmp_path / "pet.nc") as back:
        np.testing.assert_array_equal(back, out)
        assert back.attrs == out.attrs


def test_hyphens_and_case(ds):
    xr.testing.assert_identical(pet(ds, "Priestley-Taylor"), pet(ds, "priestley_taylor"))


@pytest.mark.parametrize("dims", [("site", "time"), ("time", "site")])
@pytest.mark.parametrize("method", METHODS)
def test_dim_order_follows_the_temperature(ds, method, dims):
    turned = ds.copy()
    for name in ("tas", "tn"):
        turned[name] = ds[name].transpose(*dims)
    out = pet(turned, method)
    assert out.dims == dims
    np.testing.assert_allclose(out.transpose(*pet(ds, method).dims), pet(ds, method), rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_single_precision_stays(ds, method):
    single = ds.astype(np.float32)
    out = pet(single, method)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, pet(ds, method), rtol=1e-3, atol=2e-4)
    double_pressure = single.assign(surface_air_pressure=constant(ds, 9e4, "Pa"))
    assert pet(double_pressure, method).dtype == np.float32


def test_integer_temperature_becomes_double(ds):
    whole = ds.assign(tas=ds["tas"].astype(np.int16))
    assert pet(whole, "oudin").dtype == np.float64


@pytest.mark.parametrize("method", METHODS)
def test_missing_values_stay_missing(ds, method):
    for name in sources(pet(ds, method)).values():
        if name == "lat":
            continue
        gap = ds.copy(deep=True)
        gap[name][5, 1] = np.nan
        missing = pet(gap, method).isnull()
        assert missing[5, 1] and missing.sum() == 1


# ---- where the latitude and the day come from


def test_latitude_as_dimension(ds):
    grid = ds[["tas"]].rename(site="lat_").drop_vars(["lat", "lat_"]).rename(lat_="lat")
    grid = grid.assign_coords(lat=("lat", ds["lat"].values, {"units": "degrees_north"}))
    out = pet(grid.expand_dims(lon=2, axis=1), "oudin")
    assert out.dims == ("time", "lon", "lat")
    np.testing.assert_array_equal(out[:, 1], pet(ds, "oudin"))


def test_latitude_by_standard_name_mapping_radians_and_scalar(ds):
    expected = pet(ds, "oudin")
    np.testing.assert_array_equal(pet(ds.rename(lat="phi"), "oudin"), expected)
    for name in ("lat", "latitude"):
        by_name = ds.rename(lat=name)
        by_name[name].attrs = {"units": "degrees_north"}
        np.testing.assert_array_equal(pet(by_name, "oudin"), expected)
    plain = ds.rename(lat="phi").drop_attrs()
    for name in ds.data_vars:
        plain[name].attrs = ds[name].attrs
    plain["phi"].attrs["units"] = "degree"
    mapped = pet(plain, "oudin", forcings={"latitude": "phi"})
    np.testing.assert_array_equal(mapped, expected)
    assert sources(mapped) == {"air_temperature": "tas", "latitude": "phi"}
    radians = ds.assign_coords(lat=("site", np.deg2rad(ds["lat"].values), {"units": "radian"}))
    np.testing.assert_allclose(pet(radians, "oudin"), expected, rtol=1e-12)
    np.testing.assert_array_equal(pet(ds.isel(site=2), "oudin"), expected.isel(site=2))


def test_latitude_without_units_is_refused(ds):
    bare = ds.assign_coords(lat=("site", ds["lat"].values))
    with pytest.raises(InputErrors) as caught:
        pet(bare, "oudin")
    (error,) = caught.value.exceptions
    assert "expected units convertible to 'degrees', got 'lat' without a units attribute" in str(error)
    exec(error.fix, {"ds": bare})
    np.testing.assert_array_equal(pet(bare, "oudin"), pet(ds, "oudin"))


def test_day_of_year_comes_from_the_dates(ds):
    out = pet(ds.isel(time=[245, 365]), "oudin")
    ra = extraterrestrial_radiation(ds["lat"].values, np.asarray([[246.0], [366.0]]))
    t = ds["tas"].values[[245, 365]]
    np.testing.assert_allclose(out, ra / 2.45 * np.clip(t + 5, 0, None) / 100, rtol=1e-12)


def test_cftime(ds):
    pytest.importorskip("cftime")
    other = ds.assign_coords(
        time=xr.date_range("2016-01-01", periods=366, calendar="standard", use_cftime=True)
    )
    np.testing.assert_array_equal(pet(other, "oudin"), pet(ds, "oudin"))


def test_radiation_methods_need_no_latitude(ds):
    bare = ds.drop_vars("lat")
    for method in ("priestley_taylor", "fao56"):
        np.testing.assert_array_equal(pet(bare, method), pet(ds, method))


# ---- which variable is taken


def test_mean_is_told_from_minimum_and_maximum(ds):
    assert sources(pet(ds, "oudin"))["air_temperature"] == "tas"
    assert list(sources(pet(ds, "hargreaves")).values()) == ["tn", "tx", "lat"]
    del ds["tas"].attrs["cell_methods"]
    assert sources(pet(ds, "oudin"))["air_temperature"] == "tas"


def test_mean_wins_over_an_instant(ds):
    instant = ds.assign(instant=ds["tas"].assign_attrs(cell_methods="time: point"))
    assert sources(pet(instant, "oudin"))["air_temperature"] == "tas"


def test_mean_from_minimum_and_maximum_is_said(ds):
    two = ds.drop_vars("tas")
    out = pet(two, "oudin")
    assert list(sources(out)) == ["air_temperature_min", "air_temperature_max", "latitude"]
    assert "mean temperature is the mean of daily minimum and maximum" in out.attrs["comment"]
    assert "mean temperature is" not in comment(ds, "oudin")
    np.testing.assert_allclose(
        out, pet(ds.assign(tas=((ds.tn + ds.tx) / 2).assign_attrs(ds.tas.attrs)), "oudin")
    )


def test_a_lone_maximum_is_not_the_mean(ds):
    with pytest.raises(
        InputErrors, match=r"air_temperature: expected .* or instead air_temperature_min and"
    ) as e:
        pet(ds.drop_vars(["tas", "tn"]), "oudin")
    assert subjects(e) == ["air_temperature"]


def test_names_and_mapping(ds):
    warm = ds.assign(air_temperature=(ds["tas"] + 5).assign_attrs(units="degC"))
    assert sources(pet(warm, "oudin"))["air_temperature"] == "air_temperature"
    mapped = pet(warm, "oudin", forcings={"air_temperature": "tas"})
    np.testing.assert_array_equal(mapped, pet(ds, "oudin"))


def test_mapping_prefers_an_alternative(ds):
    rh = ds.assign(hurs=constant(ds, 60.0, "percent"))
    out = pet(rh, "fao56", forcings={"relative_humidity": "hurs"})
    assert "specific_humidity" not in sources(out)
    assert sources(out)["relative_humidity"] == "hurs"
    assert not np.allclose(out, pet(ds, "fao56"))


def saturation(t):
    return 0.6108 * np.exp(17.27 * t / (t + 237.3))


def test_kinds_of_humidity_agree(ds):
    q = ds["huss"]
    e = q * 101.3 / (0.622 + 0.378 * q)
    dew = 237.3 / (17.27 / np.log(e / 0.6108) - 1)
    es = 0.5 * (saturation(ds["tn"]) + saturation(ds["tx"]))
    expected = pet(ds, "fao56")
    for name, array, units in [
        ("water_vapor_partial_pressure_in_air", e * 10, "hPa"),
        ("dew_point_temperature", dew + 273.15, "K"),
        ("relative_humidity", e / es * 100, "%"),
    ]:
        other = ds.drop_vars("huss").assign(h=array.assign_attrs(units=units, standard_name=name))
        assert sources(pet(other, "fao56"))[name] == "h"
        np.testing.assert_allclose(pet(other, "fao56"), expected, rtol=1e-9, atol=1e-12)


def test_wind_speed_or_components(ds):
    speed = np.hypot(ds["uas"], ds["vas"]).assign_attrs(units="m s-1", standard_name="wind_speed")
    one = ds.drop_vars(["uas", "vas"]).assign(sfcWind=speed)
    np.testing.assert_allclose(pet(one, "fao56"), pet(ds, "fao56"), rtol=1e-12)
    assert "wind taken at 10 m and reduced to 2 m by FAO-56 eq. 47" in comment(ds, "fao56")


def test_pressure_is_read_derived_or_standard(ds):
    sea = "no air pressure or elevation found: standard atmosphere at sea level, 101.3 kPa"
    for method in ("priestley_taylor", "fao56"):
        high = ds.assign_coords(
            orog=("site", [1800.0] * 3, {"units": "m", "standard_name": "surface_altitude"})
        )
        kilo = 101.3 * ((293 - 0.0065 * 1800) / 293) ** 5.26
        ps = constant(ds, kilo * 10, "hPa", "surface_air_pressure")
        assert sea in comment(ds, method)
        assert "from elevation by FAO-56 eq. 7" in comment(high, method)
        assert "air pressure from the dataset" in comment(high.assign(ps=ps), method)
        np.testing.assert_allclose(pet(high, method), pet(ds.assign(ps=ps), method), rtol=1e-12)
        assert float(abs(pet(high, method) - pet(ds, method)).max()) > 0.05


def test_saturation_is_said(ds):
    assert "saturation vapour pressure at the daily minimum and maximum temperature" in comment(ds, "fao56")
    mean = ds.drop_vars(["tn", "tx"])
    assert "saturation vapour pressure at the daily mean temperature" in comment(mean, "fao56")
    assert float(pet(mean, "fao56").mean()) < float(pet(ds, "fao56").mean())


# ---- units


@pytest.mark.parametrize(
    ("name", "units", "change", "method"),
    [
        ("tas", "K", lambda x: x + 273.15, "oudin"),
        ("tas", "degF", lambda x: x * 1.8 + 32, "oudin"),
        ("tx", "K", lambda x: x + 273.15, "hargreaves"),
        ("rsds", "MJ m-2 d-1", lambda x: x * 0.0864, "priestley_taylor"),
        ("rlds", "MJ m-2 d-1", lambda x: x * 0.0864, "fao56"),
        ("huss", "g/kg", lambda x: x * 1000, "fao56"),
        ("uas", "km/h", lambda x: x * 3.6, "fao56"),
    ],
)
def test_units_are_converted(ds, name, units, change, method):
    other = ds.assign({name: change(ds[name]).assign_attrs(ds[name].attrs | {"units": units})})
    np.testing.assert_allclose(pet(other, method), pet(ds, method), rtol=1e-8, atol=1e-9)


# ---- dask and pint


def forbidden(*args, **kwargs):
    raise AssertionError("computed too early")


@pytest.mark.parametrize("method", METHODS)
def test_dask_stays_lazy(ds, method):
    dask = pytest.importorskip("dask")
    lazy = ds.chunk(time=100, site=2)
    lazy["lat"] = ds["lat"]
    with dask.config.set(scheduler=forbidden):
        out = pet(lazy, method)
        with pytest.raises(AssertionError, match="too early"):
            out.compute()
    assert out.chunks == lazy["tas"].chunks
    assert out.dtype == ds["tas"].dtype
    xr.testing.assert_allclose(out.compute(scheduler="synchronous"), pet(ds, method), rtol=1e-12)


def test_lazy_latitude_and_different_chunks(ds):
    dask = pytest.importorskip("dask")
    lazy = ds.drop_vars("lat").chunk(time=100).assign_coords(lat=ds["lat"].chunk(site=1))
    lazy["tx"] = ds["tx"].chunk(time=70, site=2)
    with dask.config.set(scheduler=forbidden):
        out = pet(lazy, "hargreaves")
    np.testing.assert_allclose(out.compute(scheduler="synchronous"), pet(ds, "hargreaves"), rtol=1e-12)


def quantify(ds, registry):
    units = {"degC": "degC", "kg/kg": "kg/kg", "W m-2": "W/m**2", "m s-1": "m/s"}
    out = ds.copy()
    for name, array in ds.data_vars.items():
        attrs = {k: v for k, v in array.attrs.items() if k != "units"}
        data = registry.Quantity(array.data, units[array.attrs["units"]])
        out[name] = (array.dims, data, attrs)
    return out


@pytest.mark.parametrize("chunks", [None, {"time": 100}])
@pytest.mark.parametrize("method", METHODS)
def test_quantified_in_quantified_out(ds, method, chunks):
    pint = pytest.importorskip("pint")
    registry = pint.UnitRegistry()
    expected = pet(ds, method)
    if chunks:
        pytest.importorskip("dask")
        ds = ds.chunk(chunks)
    out = pet(quantify(ds, registry), method)
    assert out.data.units == registry.Unit("millimeter/day")
    assert out.data._REGISTRY is registry
    assert "units" not in out.attrs
    assert out.attrs == {k: v for k, v in expected.attrs.items() if k != "units"}
    np.testing.assert_allclose(np.asarray(out.data.magnitude), expected, rtol=1e-9, atol=1e-12)
    if chunks:
        assert hasattr(out.data.magnitude, "dask")


# ---- everything wrong, in one error


def test_all_problems_in_one_error(ds):
    bad = ds.drop_vars(["lat", "tn", "tas"]).drop_vars("time")
    bad["tx"].attrs["units"] = "mm d-1"
    with pytest.raises(InputErrors) as e:
        pet(bad, "hargreaves", forcings={"air_temperature_mix": "tx"})
    assert sorted(subjects(e)) == [
        "air_temperature_min",
        "forcings['air_temperature_mix']",
        "latitude",
        "time",
    ]
    for line in ("a coordinate 'time' of dates", "cell_methods 'time: minimum'", "use 'air_temperature_mi"):
        assert line in str(e.value)


def test_unknown_method(ds):
    with pytest.raises(InputErrors, match=r"one of oudin, hargreaves, .*got 'oudine'.*'oudin'") as e:
        pet(ds.rename(time="day"), "oudine")
    assert subjects(e) == ["time", "method"]


def test_each_missing_variable_is_named(ds):
    with pytest.raises(InputErrors) as e:
        pet(ds[["time", "lat"]], "fao56")
    assert subjects(e) == ["air_temperature", SHORT, LONG, "specific_humidity", "wind_speed"]


@pytest.mark.parametrize(("attrs", "got"), [({}, "no units attribute"), ({"units": "mm"}, "'mm'")])
@pytest.mark.parametrize(
    ("name", "method"), [("tas", "oudin"), ("rsds", "priestley_taylor"), ("uas", "fao56")]
)
def test_missing_and_wrong_units(ds, name, method, attrs, got):
    kept = {k: v for k, v in ds[name].attrs.items() if k != "units"}
    ds[name].attrs = kept | attrs
    with pytest.raises(InputErrors, match=got) as e:
        pet(ds, method)
    assert len(e.value.exceptions) == 1


def test_missing_latitude(ds):
    with pytest.raises(InputErrors, match=r"latitude: expected a coordinate .* got none") as e:
        pet(ds.drop_vars("lat"), "oudin")
    assert subjects(e) == ["latitude"]
    with pytest.raises(InputErrors, match="no variable 'phi'"):
        pet(ds, "oudin", forcings={"latitude": "phi"})


def test_ambiguous_latitude(ds):
    two = ds.rename(lat="a").assign_coords(b=ds["lat"])
    with pytest.raises(InputErrors, match="2 with that standard_name: a, b"):
        pet(two.drop_vars("lat", errors="ignore"), "oudin")


@pytest.mark.parametrize(
    ("lat", "units", "got"), [(91.0, "degrees_north", "between 10 and 91"), (10.0, "m", "'m'")]
)
def test_impossible_latitude(ds, lat, units, got):
    bad = ds.assign_coords(lat=("site", [10.0, 20.0, lat], {"units": units}))
    with pytest.raises(InputErrors, match=got) as e:
        pet(bad, "oudin")
    assert subjects(e) == ["latitude"]


@pytest.mark.parametrize("method", METHODS)
def test_time(ds, method):
    with pytest.raises(InputErrors, match="time: expected a dimension 'time', got dimensions day, site"):
        pet(ds.rename(time="day"), method)
    with pytest.raises(InputErrors, match="got values of dtype int"):
        pet(ds.assign_coords(time=np.arange(366)), method)
    hourly = ds.assign_coords(time=pd.date_range("2016-01-01", periods=366, freq="h"))
    with pytest.raises(InputErrors, match="steps of a day or more"):
        pet(hourly, method)
    with pytest.raises(InputErrors, match=r"expected a dimension 'time', got 't\w+' with dimensions site"):
        pet(ds.assign({k: ds[k].isel(time=0, drop=True) for k in ("tas", "tn")}), method)


def test_ambiguity_is_never_resolved_by_an_alternative(ds):
    two = ds.assign(
        ps1=constant(ds, 9e4, "Pa", "surface_air_pressure"),
        ps2=constant(ds, 8e4, "Pa", "surface_air_pressure"),
    )
    with pytest.raises(InputErrors, match="got 2 with that standard_name: ps1, ps2") as e:
        pet(two, "priestley_taylor")
    assert subjects(e) == ["surface_air_pressure"]
    out = pet(two, "priestley_taylor", forcings={"surface_air_pressure": "ps2"})
    assert sources(out)["surface_air_pressure"] == "ps2"


def test_a_mapping_in_vain_is_a_problem(ds):
    with pytest.raises(InputErrors, match="no such variable") as e:
        pet(ds, "fao56", forcings={"surface_air_pressure": "ps", "air_temperature_min": "t0"})
    assert sorted(subjects(e)) == ["air_temperature_min", "surface_air_pressure"]


def test_half_a_mapped_pair_is_a_problem(ds):
    half = ds.drop_vars("vas").assign(sfcWind=ds["uas"].assign_attrs(standard_name="wind_speed"))
    with pytest.raises(InputErrors, match="northward_wind: expected") as e:
        pet(half, "fao56", forcings={"eastward_wind": "uas"})
    assert subjects(e) == ["northward_wind"]


# ---- import cost and real data


def test_import_is_light():
    code = (
        "import sys, xdpl.evaporation.methods\nfrom xdpl.pet import pet\n"
        "heavy = {'torch', 'pint', 'dask', 'numba', 'cf_xarray', 'pint_xarray'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def sample(name):
    folder = os.environ.get("XDPL_DATA_URL")
    if not folder:
        pytest.skip("XDPL_DATA_URL is not set")
    return xr.open_dataset(Path(folder.removeprefix("file://")) / name)


@pytest.mark.data
@pytest.mark.parametrize("method", ["oudin", "priestley_taylor", "fao56"])
def test_smap(method):
    with sample("smap_conus412.nc") as ds:
        out = pet(ds, method)
        assert (out.dims, out.dtype) == (("site", "time"), np.float32)
        # Site 57 has a mean air temperature of -31 degC at 31 degrees north.
        yearly = out.drop_sel(site=57).mean("time") * 365
        assert out.notnull().all() and float(out.max()) < 14
        assert 300 < float(yearly.min()) and float(yearly.max()) < 2300
        south = yearly.where(ds["lat"] < 35).mean()
        assert south > 1.3 * yearly.where(ds["lat"] > 45).mean()
        july, january = (out.sel(time=out.time.dt.month == m).mean() for m in (7, 1))
        assert july > 3 * january


@pytest.mark.data
def test_quebec_matches_the_oudin_in_the_file():
    with sample("era5land_quebec_1970.nc") as ds:
        out = pet(ds, "oudin")
        assert out.dims == ("time", "lat", "lon")
        # Both temperature and result are rounded to 12 or 13 bits in the file.
        np.testing.assert_allclose(out, ds["evspsblpot"], rtol=2.0**-12, atol=1e-4)
        ratio = float(pet(ds, "hargreaves").mean() / out.mean())
        assert 0.8 < ratio < 1.6


@pytest.mark.data
def test_mopex_follows_its_climatology():
    with sample("mopex438_1970-1990.nc") as ds:
        ds = ds.isel(time=slice(0, 2 * 365))
        observed = ds["evspsblpot"].mean("basin")
        for method in ("oudin", "hargreaves"):
            out = pet(ds, method)
            assert sources(out)["air_temperature_min"] == "tasmin"
            assert float(xr.corr(out.mean("basin"), observed)) > 0.95
            assert 0.7 < float(out.mean() / observed.mean()) < 1.3
