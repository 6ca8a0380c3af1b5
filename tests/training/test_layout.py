"""The same data in another shape give the same fit."""

import numpy as np
import pint
import pint_xarray
import pytest
import xarray as xr
from helpers_learn import ATTRIBUTES, Bucket, assert_same_fit, quick, weights, world

from xdpl.units import dequantify

LATE = slice("2001-05-01", None)


def listed(ds):
    """A list of sites instead of a grid."""
    sites = ds.stack(site=("lat", "lon")).reset_index("site")
    return sites.transpose("time", "site")


def test_grid_and_site_list():
    grid, sites = quick(validate=LATE), quick(listed(world()), validate=LATE)
    assert_same_fit(grid, sites)
    theta = grid.parameters(world()).stack(site=("lat", "lon"))
    np.testing.assert_array_equal(theta["leak"], sites.parameters(listed(world()))["leak"])


@pytest.mark.parametrize(
    "order", [("lat", "lon", "time"), ("lon", "lat", "time"), ("lon", "time", "lat"), ("time", "lon", "lat")]
)
def test_dim_order_does_not_matter(order):
    ds = world()
    mask = ds["lon"] + ds["lat"] > 46.5
    other = ds.transpose(*order)
    fit = quick(other, validate=mask)
    assert_same_fit(fit, quick(ds, validate=mask.transpose()))
    assert fit.parameters(other)["leak"].dims == tuple(d for d in order if d != "time")


def test_each_variable_in_its_own_order():
    ds = world()
    other = ds.assign(
        precipitation=ds["precipitation"].transpose("lon", "lat", "time"),
        runoff=ds["runoff"].transpose("lat", "time", "lon"),
        clay=ds["clay"].transpose(),
    )
    assert_same_fit(quick(ds), quick(other))


def test_one_site_without_dims():
    ds = world().isel(lat=0, lon=1)
    fit = quick(ds)
    theta = fit.parameters(ds)
    assert theta["leak"].dims == () and float(theta["leak"]) > 0
    assert fit.settings["training_sites"] == 1


def test_ocean_is_ignored_and_comes_back_as_nan():
    ds = world()
    wide = ds.reindex(lat=[39.0, 40.0, 41.0], lon=[5.0, 6.0, 7.0, 8.0])
    fit = quick(wide, validate=LATE)
    assert_same_fit(fit, quick(validate=LATE))
    assert fit.settings["training_sites"] == 6
    for out in (fit.parameters(wide), fit.simulate(wide)):
        for array in out.values():
            land = array.sel(lat=ds["lat"], lon=ds["lon"])
            assert land.notnull().all()
            assert array.notnull().sum() == land.size


@pytest.mark.parametrize("what", ["forcing", "attributes"])
def test_a_site_without_forcing_or_attributes_takes_no_part(what):
    ds = world()
    for name in ["precipitation"] if what == "forcing" else ATTRIBUTES:
        ds[name][..., 0, 1] = np.nan
    fit = quick(ds)
    assert fit.settings["training_sites"] == 5
    assert_same_fit(fit, quick(ds, sites=ds[name].notnull() if name != "precipitation" else land(ds)))


def land(ds):
    return ds["precipitation"].notnull().all("time")


def test_a_site_without_observations_is_left_out_and_gets_parameters():
    ds = world()
    ds["runoff"][:, 0, 1] = np.nan
    fit = quick(ds)
    assert fit.settings["training_sites"] == 5
    assert fit.parameters(ds)["leak"].notnull().all()


def test_nan_observations_only_mask():
    # What stands under a masked observation cannot reach the fit: the mask alone counts.
    ds = world()
    assert ds["runoff"].isnull().any()
    fit = quick(ds, loss="nrmse")
    assert np.isfinite(weights(fit)).all() and np.isfinite(fit.history["loss"]).all()
    more = ds.copy(deep=True)
    more["runoff"][33:60] = np.nan
    assert np.isfinite(weights(quick(more))).all()
    assert not np.array_equal(weights(quick(more)), weights(fit))


def test_target_under_another_name():
    ds = world().rename(runoff="q_obs")
    fit = quick(ds, target={"runoff": "q_obs"})
    assert_same_fit(fit, quick())
    assert fit.settings["targets"] == fit.targets == {"runoff": "q_obs"}
    assert "rmse" in fit.evaluate(ds)


def test_target_may_be_a_state():
    ds = world()
    truth = xr.Dataset({"leak": 0.3 + 0.0 * ds["sand"]}).assign()
    truth["leak"].attrs = {"units": "d-1"}
    ds["storage"] = ds.dpl.simulate(Bucket(), truth, outputs=["storage"])["storage"]
    fit = quick(ds, target="storage", epochs=25, learning_rate=0.05)
    assert fit.history["loss"][-1] < 0.5 * fit.history["loss"][0]


def test_target_in_other_units():
    ds = world()
    metres = ds.assign(runoff=(ds["runoff"] / 1000.0).assign_attrs(units="m d-1"))
    fit = quick(metres)
    np.testing.assert_allclose(fit.history["loss"], quick(ds).history["loss"], rtol=1e-4)


def test_forcing_in_other_units_and_under_another_name():
    ds = world()
    flux = (ds["precipitation"].astype(float) / 86400.0).assign_attrs(units="kg m-2 s-1")
    other = ds.drop_vars("precipitation").assign(pr=flux)
    fit = quick(other, forcings={"precipitation": "pr"})
    np.testing.assert_allclose(fit.history["loss"], quick(ds).history["loss"], rtol=1e-4)
    assert fit.forcings == {"precipitation": "pr"}
    assert fit.simulate(other)["runoff"].notnull().all()


def test_dask_backed_data():
    assert_same_fit(quick(world().chunk(lon=1)), quick())


def test_quantified_data():
    ds = world()
    units = {"sand": "percent", "clay": "dimensionless", "precipitation": "mm/day", "runoff": "mm/day"}
    registry = pint_xarray.setup_registry(pint.UnitRegistry(force_ndarray_like=True))
    quantified = ds.drop_attrs().pint.quantify(units, unit_registry=registry)
    fit, plain = quick(quantified, validate=LATE), quick(ds, validate=LATE)
    assert_same_fit(fit, plain)
    assert fit.attributes["sand"] == "percent"
    for data in (ds, quantified):
        leak = dequantify(fit.parameters(data)["leak"])
        np.testing.assert_allclose(leak, plain.parameters(ds)["leak"], rtol=1e-6)


def test_input_is_not_changed():
    ds = world()
    quick(ds, validate=LATE)
    xr.testing.assert_identical(ds, world())
