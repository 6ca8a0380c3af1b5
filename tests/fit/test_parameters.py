import json

import dask
import numpy as np
import pint
import pint_xarray
import pytest
import xarray as xr
from helpers_learn import problems, quick, world

import xdpl
from xdpl.errors import InputErrors


def test_labelled(fit, ds):
    theta = fit.parameters(ds)
    assert list(theta) == [p.name for p in fit.model.parameters]
    for declared in fit.model.parameters:
        array = theta[declared.name]
        assert array.dims == ("lat", "lon") and array.dtype == np.float32
        assert array.attrs["units"] == declared.units
        assert array.attrs["long_name"] == declared.long_name
        bounds = (array.attrs["lower_bound"], array.attrs["upper_bound"], array.attrs["default"])
        assert bounds == (declared.lower, declared.upper, declared.default)
        assert float(array.min()) >= np.float32(declared.lower)
        assert float(array.max()) <= np.float32(declared.upper)
    for name in ("lat", "lon"):
        xr.testing.assert_identical(theta[name], ds[name])
    assert "time" not in theta.coords


def test_provenance(fit, ds):
    attrs = fit.parameters(ds).attrs
    assert attrs["model"] == "vic" and attrs["title"] == "vic parameters learned from attributes"
    assert json.loads(attrs["attributes"]) == ["sand", "clay", "ndvi", "elevation"]
    assert json.loads(attrs["training"]) == fit.settings


def test_vary_with_attributes(fit, ds):
    theta = fit.parameters(ds)
    assert float(theta["porosity"].std()) > 0.005
    same = ds.assign(sand=ds["sand"] * 0 + 40.0, clay=ds["clay"] * 0 + 20.0)
    same = same.assign(ndvi=ds["ndvi"] * 0 + 0.4, elevation=ds["elevation"] * 0 + 500.0)
    for name in ("sand", "clay", "ndvi", "elevation"):
        same[name].attrs = ds[name].attrs
    assert float(fit.parameters(same)["porosity"].std()) < 1e-7


def test_same_on_other_dims(fit, ds):
    theta = fit.parameters(ds)
    listed = fit.parameters(ds.stack(site=("lat", "lon")))
    np.testing.assert_allclose(listed["ksat"], theta["ksat"].stack(site=("lat", "lon")), rtol=1e-5)
    assert listed["ksat"].dims == ("site",)
    turned = fit.parameters(ds.transpose("lon", "time", "lat"))
    assert turned["ksat"].dims == ("lon", "lat")
    np.testing.assert_allclose(turned["ksat"].T, theta["ksat"], rtol=1e-5)
    one = fit.parameters(ds.isel(lat=1, lon=2))
    assert one["ksat"].dims == ()
    np.testing.assert_allclose(one["ksat"], theta["ksat"][1, 2], rtol=1e-5)


def test_unseen_sites_on_dims_of_their_own(fit):
    rng = np.random.default_rng(0)
    values = {"sand": 90.0, "clay": 40.0, "ndvi": 0.9, "elevation": 2000.0}
    units = {"sand": "percent", "clay": "percent", "ndvi": "1", "elevation": "m"}
    dims = ("member", "basin")
    other = xr.Dataset({k: (dims, v * rng.random((2, 5)), {"units": units[k]}) for k, v in values.items()})
    other["ndvi"] = other["ndvi"].isel(member=0)
    theta = fit.parameters(other)
    assert dict(theta.sizes) == {"member": 2, "basin": 5}
    assert theta.to_array().notnull().all()
    one = fit.parameters(other.isel(member=1, basin=3))
    for name in theta:
        np.testing.assert_allclose(theta[name][1, 3], one[name], rtol=1e-5)


def test_extrapolation_stays_in_bounds(fit, ds):
    far = ds.assign(sand=ds["sand"].copy(data=1e8 * ds["sand"].values))
    theta = fit.parameters(far)
    for declared in fit.model.parameters:
        values = theta[declared.name].values
        assert np.isfinite(values).all()
        assert (values >= np.float32(declared.lower)).all() and (values <= np.float32(declared.upper)).all()


def test_nan_sites(fit, ds):
    land = ds["sand"] > float(ds["sand"].median())
    masked = ds[list(fit.attributes)].where(land)
    for name in fit.attributes:
        masked[name].attrs = ds[name].attrs
    theta = fit.parameters(masked)
    for name, array in theta.items():
        xr.testing.assert_equal(array.notnull().drop_attrs(), land.drop_attrs())
        np.testing.assert_array_equal(array.where(land), fit.parameters(ds)[name].where(land))


def test_partial_nan_is_an_error(fit, ds):
    ds["clay"][2, 3] = np.nan
    ds["ndvi"][0, 0] = np.nan
    with pytest.raises(InputErrors, match=r"Fit\.parameters cannot run") as raised:
        fit.parameters(ds)
    (message,) = problems(raised).values()
    assert message.startswith("clay, ndvi: ") and "NaN at 2 of 30 sites" in message
    assert 'ds.where(ds["clay"].notnull())' in message


@pytest.mark.parametrize(("units", "factor"), [("1", 0.01), ("percent", 1.0), ("%", 1.0), ("permille", 10)])
def test_attribute_in_other_units(fit, ds, units, factor):
    expected = fit.parameters(ds)
    ds["sand"] = (factor * ds["sand"]).assign_attrs(units=units)
    for name, array in fit.parameters(ds).items():
        np.testing.assert_allclose(array, expected[name], rtol=1e-5)


def test_attribute_learned_as_fraction_given_in_percent(bucket_fit, small):
    expected = bucket_fit.parameters(small)["leak"]
    small["clay"] = (100.0 * small["clay"]).assign_attrs(units="percent")
    np.testing.assert_allclose(bucket_fit.parameters(small)["leak"], expected, rtol=1e-5)


def test_quantified_attributes(bucket_fit, small):
    registry = pint_xarray.setup_registry(pint.UnitRegistry(force_ndarray_like=True))
    attributes = small[["sand", "clay"]].drop_attrs()
    quantified = attributes.pint.quantify({"sand": "percent", "clay": ""}, unit_registry=registry)
    expected = bucket_fit.parameters(small)["leak"]
    leak = bucket_fit.parameters(quantified)["leak"]
    assert leak.data._REGISTRY is registry and leak.data.units == registry.Unit("1 / day")
    np.testing.assert_allclose(leak.data.magnitude, expected, rtol=1e-6)


def test_incompatible_units(fit, ds):
    ds["sand"].attrs["units"] = "K"
    ds["elevation"].attrs["units"] = "percent"
    with pytest.raises(InputErrors, match=r"Fit\.parameters cannot run") as raised:
        fit.parameters(ds)
    found = problems(raised)
    assert set(found) == {"sand", "elevation"}
    assert "expected units 'percent', those of the training, got 'K'" in found["sand"]
    assert 'convert ds["sand"] first' in found["sand"]


def test_missing_attributes(fit, ds):
    with pytest.raises(InputErrors) as raised:
        fit.parameters(ds.drop_vars(["sand", "ndvi"]))
    found = problems(raised)
    assert set(found) == {"sand", "ndvi"} and "no such variable" in found["sand"]


def test_attribute_with_time_is_an_error(fit, ds):
    with pytest.raises(InputErrors) as raised:
        fit.parameters(ds.assign(sand=ds["sand"] * xr.ones_like(ds["precipitation"])))
    assert "ds[\"sand\"].mean(['time'])" in problems(raised)["sand"]


def test_lazy(fit, ds):
    expected = fit.parameters(ds)

    def forbidden(*args, **kwargs):
        pytest.fail("computed")

    with dask.config.set(scheduler=forbidden):
        lazy = fit.parameters(ds.chunk(lat=2, lon=3))
        assert all(a.chunks == ((2, 2, 1), (3, 3)) for a in lazy.values())
    computed = lazy.compute(scheduler="threads")
    for name in expected:
        xr.testing.assert_identical(computed[name], expected[name])


def test_lazy_partial_nan_is_an_error_when_computed(fit, ds):
    ds["clay"][2, 3] = np.nan
    lazy = fit.parameters(ds.chunk(lat=1))
    with pytest.raises(InputErrors, match="clay"):
        lazy.compute()


def test_input_is_not_changed(fit, ds):
    before = ds.copy(deep=True)
    fit.parameters(ds)
    xr.testing.assert_identical(ds, before)


@pytest.mark.parametrize("name", ["netcdf", "zarr"])
def test_settings_go_with_the_parameters_into_files(bucket_fit, tmp_path, name):
    theta = bucket_fit.parameters(world())
    path = tmp_path / f"theta.{name}"
    if name == "netcdf":
        theta.to_netcdf(path, engine="h5netcdf")
        again = xr.open_dataset(path, engine="h5netcdf")
    else:
        theta.to_zarr(path, consolidated=False)
        again = xr.open_zarr(path, consolidated=False, chunks=None)
    with again:
        assert json.loads(again.attrs["training"])["train"] == ["2001-02-01", "2001-04-30"]
        xr.testing.assert_identical(again.load(), theta)
        xr.testing.assert_equal(xdpl.simulate(world(), bucket_fit.model, again), bucket_fit.simulate(world()))


def test_units_that_are_missing_on_one_side_are_never_guessed(fit, ds, bucket_fit, small):
    ds["sand"] = ds["sand"].drop_attrs()
    with pytest.raises(InputErrors) as raised:
        fit.parameters(ds)
    assert "expected units as 'percent', got no units attribute" in problems(raised)["sand"]
    bare = small.assign(clay=small["clay"].drop_attrs())
    without = quick(bare)
    assert without.parameters(bare)["leak"].notnull().any()
    with pytest.raises(InputErrors) as raised:
        without.parameters(bare.assign(clay=bare["clay"].assign_attrs(units="percent")))
    assert "expected no units, as in the training, got 'percent'" in problems(raised)["clay"]
