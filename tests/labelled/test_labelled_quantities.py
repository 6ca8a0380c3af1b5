"""pint in, pint out, in the registry of the user."""

import dask.array
import numpy as np
import pint
import pint_xarray  # noqa: F401
import pytest
import xarray as xr
from model_cases import weather

import xdpl


def quantified(ds, registry, temperature="degC"):
    """Data as quantities, without units attributes."""
    units = {
        "precipitation": "mm/day",
        "potential_evapotranspiration": "mm/day",
        "air_temperature": temperature,
    }
    out = ds.copy()
    for name, unit in units.items():
        out[name] = (ds[name].dims, registry.Quantity(ds[name].data, unit))
    return out


@pytest.fixture
def registry():
    return pint.UnitRegistry(force_ndarray_like=True)


def test_quantified_in_quantified_out(registry):
    sim = xdpl.simulate(quantified(weather(), registry), "vic")
    plain = xdpl.simulate(weather(), "vic")
    for key in plain:
        data = sim[key].data
        assert isinstance(data, registry.Quantity)
        assert data._REGISTRY is registry
        np.testing.assert_array_equal(data.magnitude, plain[key])
        assert "units" not in sim[key].attrs
        assert sim[key].attrs["long_name"] == plain[key].attrs["long_name"]
    assert sim["runoff"].data.units == registry.Unit("mm/day")
    assert sim["soil_moisture"].data.dimensionless
    assert sim.attrs.keys() == plain.attrs.keys()


def test_the_pint_accessor_of_a_user_works_on_the_result(registry):
    ds = weather()
    for key in ds:
        ds[key].attrs["units"] = ds[key].attrs["units"].replace(" d-1", "/day")
    sim = xdpl.simulate(ds.pint.quantify(unit_registry=registry), "vic")
    yearly = sim.pint.to({"runoff": "inch/day"})["runoff"].pint.dequantify()
    np.testing.assert_allclose(yearly * 25.4, xdpl.simulate(weather(), "vic")["runoff"], rtol=1e-12)


def test_units_of_quantities_are_converted(registry):
    warm = quantified(
        weather().assign(air_temperature=weather()["air_temperature"] + 273.15), registry, "kelvin"
    )
    sim = xdpl.simulate(warm, "vic")
    expected = xdpl.simulate(weather(), "vic")
    np.testing.assert_allclose(sim["runoff"].data.magnitude, expected["runoff"], rtol=1e-9)


def test_quantified_parameters_and_states(registry):
    ds = weather()
    theta = xr.Dataset({"ksat": ("basin", registry.Quantity(np.array([0.1, 0.5, 0.9]), "m/day"))})
    plain = xr.Dataset({"ksat": ("basin", [100.0, 500.0, 900.0], {"units": "mm d-1"})})
    start = xdpl.simulate(quantified(ds, registry), "vic", theta, outputs=["snowpack", "w1", "w2", "w3"])
    start = start.isel(time=-1, drop=True)
    begin = xdpl.simulate(ds, "vic", plain, outputs=["snowpack", "w1", "w2", "w3"]).isel(time=-1, drop=True)
    sim = xdpl.simulate(ds, "vic", theta, initial=start)
    xr.testing.assert_allclose(sim, xdpl.simulate(ds, "vic", plain, initial=begin), rtol=1e-9)
    assert not hasattr(sim["runoff"].data, "magnitude")


def test_quantities_of_dask_stay_lazy(registry, counter):
    ds = quantified(weather().chunk(basin=1), registry)
    sim = xdpl.simulate(ds, "vic")
    assert counter.calls == 0
    assert isinstance(sim["runoff"].data.magnitude, dask.array.Array)
    np.testing.assert_array_equal(
        sim["runoff"].data.magnitude.compute(), xdpl.simulate(weather(), "vic")["runoff"]
    )


def test_quantified_spin_up(registry):
    ds = weather(days=370)
    states = xdpl.spin_up(quantified(ds, registry), "hbv", tolerance=5.0)
    plain = xdpl.spin_up(ds, "hbv", tolerance=5.0)
    assert states["storage_change"].data.units == registry.Unit("mm")
    for key in plain:
        np.testing.assert_array_equal(states[key].data.magnitude, plain[key])
    with pytest.warns(UserWarning, match="3 of 3 sites still change"):
        xdpl.spin_up(quantified(ds, registry), "hbv", tolerance=1e-9, cycles=2)


def test_registries_are_left_alone(registry):
    application = pint.get_application_registry().get()
    formats = application.formatter.default_format, registry.formatter.default_format
    xdpl.simulate(quantified(weather(), registry), "vic")
    xdpl.check(quantified(weather(), registry), "vic")
    assert pint.get_application_registry().get() is application
    assert formats == (application.formatter.default_format, registry.formatter.default_format)
    # Names that only the registry of xdpl knows.
    for other in (application, registry):
        assert "degreesN" not in other
        assert not other.autoconvert_offset_to_baseunit


def test_check_reads_quantities(registry):
    check = xdpl.check(quantified(weather(), registry, "kelvin"), "vic")
    assert check.ok
    assert [r.has for r in check.rows] == ["millimeter / day", "kelvin", "millimeter / day"]
    assert check.rows[1].action == "converted: - 273.15"
