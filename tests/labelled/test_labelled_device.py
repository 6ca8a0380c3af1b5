"""Arrays on a device that numpy cannot read: computed there, and the same as numpy.

The device is that of `array_api_strict` for which a conversion to numpy raises, so that nothing can
leave it unnoticed.
"""

import array_api_strict as strict
import numpy as np
import pytest
import xarray as xr
from helpers_learn import quick, world
from model_cases import MODELS, weather

import xdpl
from xdpl.errors import InputErrors
from xdpl.labelled.attrs import parameters_hash
from xdpl.labelled.host import read

DEVICE = strict.Device("device1")
SHORTWAVE = "surface_downwelling_shortwave_flux_in_air"
LONGWAVE = "surface_downwelling_longwave_flux_in_air"


def there(ds):
    """The variables, but not the coordinates, on the device."""
    return ds.map(lambda a: a.copy(data=strict.asarray(a.values, device=DEVICE)))


def back(ds):
    """From the device to numpy, by the one way there is."""
    return ds.map(lambda a: a.copy(data=np.from_dlpack(a.data)))


def assert_there(ds):
    for array in ds.data_vars.values():
        assert isinstance(array.data, strict._array_object.Array)
        assert array.data.device == DEVICE


def assert_same(got, wanted):
    """On the device, with the dims, labels, attributes and values of numpy."""
    assert_there(got)
    for key, array in wanted.data_vars.items():
        assert got[key].dims == array.dims
        assert got[key].attrs == array.attrs
    xr.testing.assert_allclose(back(got), wanted, rtol=1e-9, atol=1e-12)


def grid():
    ds = weather(("lat", "lon"), (2, 3))
    return ds.assign(precipitation=ds["precipitation"].where(ds["lon"] != 15.0).assign_attrs(units="mm d-1"))


def members(model):
    """Three sets of parameters for each latitude; one set is missing at one of them."""
    rng = np.random.default_rng(4)
    values = {p.name: p.default * rng.uniform(0.98, 1.02, (3, 2)) for p in model.parameters}
    last = model.parameters[-1]
    values[last.name][1, 0] = np.nan
    dims = ("member", "lat")
    return xr.Dataset(
        {
            p.name: (dims, np.clip(values[p.name], p.lower, p.upper), {"units": p.units})
            for p in model.parameters
        }
    )


def test_numpy_cannot_read_the_device():
    with pytest.raises(RuntimeError, match="NumPy"):
        np.asarray(strict.asarray([1.0], device=DEVICE))


@pytest.mark.parametrize("order", [("time", "lat", "lon"), ("lon", "time", "lat")], ids="-".join)
@pytest.mark.parametrize("name", MODELS)
def test_simulate_in_two_parts(name, order):
    model, ds = MODELS[name], grid().transpose(*order)
    theta = members(model)

    def both(ds, theta):
        first, states = xdpl.simulate(
            ds.isel(time=slice(17)), model, theta, outputs=list(model.all_outputs()), return_states=True
        )
        return first, states, xdpl.simulate(ds.isel(time=slice(17, None)), model, theta, initial=states)

    for got, wanted in zip(both(there(ds), there(theta)), both(ds, theta), strict=True):
        assert_same(got, wanted)
        assert any(v.isnull().any() and v.notnull().any() for v in wanted.values())


def test_defaults_and_single_precision():
    ds = grid().astype("float32", keep_attrs=True)
    got, wanted = xdpl.simulate(there(ds), "vic"), xdpl.simulate(ds, "vic")
    assert got["runoff"].dtype == strict.float32
    xr.testing.assert_allclose(back(got), wanted, rtol=1e-4, atol=1e-5)
    wide = xdpl.simulate(there(ds), "vic", dtype="float64")
    assert wide["runoff"].dtype == strict.float64


def test_units_are_converted_there():
    ds = grid()
    other = ds.assign(
        air_temperature=(ds["air_temperature"] + 273.15).assign_attrs(units="K"),
        precipitation=(ds["precipitation"] / 86400.0).assign_attrs(units="kg m-2 s-1"),
    )
    got = xdpl.simulate(there(other), "hbv")
    assert_there(got)
    xr.testing.assert_allclose(back(got), xdpl.simulate(ds, "hbv"), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("with_members", [False, True])
def test_spin_up(with_members):
    model, ds = MODELS["hbv"], weather(("lat", "lon"), (2, 3), days=370)
    theta = members(model) if with_members else None
    options = {"tolerance": 5.0, "cycles": 6}
    got = xdpl.spin_up(there(ds), model, theta if theta is None else there(theta), **options)
    assert_same(got, xdpl.spin_up(ds, model, theta, **options))


def test_sites_that_do_not_settle_are_counted_there():
    ds = weather(days=370)
    with pytest.warns(UserWarning, match="3 of 3 sites still change"):
        xdpl.spin_up(there(ds), "hbv", tolerance=1e-9, cycles=2)


@pytest.mark.parametrize("method", ["oudin", "hargreaves", "priestley_taylor", "fao56"])
def test_pet(method):
    ds = weather(("lat", "lon"), (2, 3))
    rng, like = np.random.default_rng(2), ds["air_temperature"]

    def field(low, high, units):
        return like.copy(data=rng.uniform(low, high, like.shape)).assign_attrs(units=units)

    ds = ds.assign(
        air_temperature=(like + 273.15).assign_attrs(units="K"),
        air_temperature_min=(like - 4.0).assign_attrs(units="degC"),
        air_temperature_max=(like + 4.0).assign_attrs(units="degC"),
        specific_humidity=field(1.0, 6.0, "g kg-1"),
        wind_speed=field(0.5, 6.0, "m s-1"),
        **{SHORTWAVE: field(100.0, 300.0, "W m-2"), LONGWAVE: field(200.0, 350.0, "W m-2")},
    )
    ds["lat"].attrs["units"] = "degrees_north"
    got, wanted = (xdpl.pet(d, method).to_dataset() for d in (there(ds), ds))
    assert_same(got, wanted)
    assert float(wanted["potential_evapotranspiration"].max()) > 1.0


def test_a_fit():
    """Parameters and runs stay on the device, scores come to the host."""
    fit, ds = quick(), world()
    ds["sand"] = ds["sand"].where(ds["lon"] != 6.0).assign_attrs(units="percent")
    ds["clay"] = ds["clay"].where(ds["lon"] != 6.0).assign_attrs(units="1")
    assert_same(fit.parameters(there(ds)), fit.parameters(ds))
    got, wanted = fit.simulate(there(ds)), fit.simulate(ds)
    assert_there(got)
    xr.testing.assert_allclose(back(got), wanted, rtol=1e-4)
    scores, expected = fit.evaluate(there(ds)), fit.evaluate(ds)
    assert all(isinstance(v.data, np.ndarray) for v in scores.values())
    xr.testing.assert_allclose(scores, expected, rtol=1e-4)


def test_learning_takes_what_is_there():
    fit, wanted = quick(there(world())), quick()
    np.testing.assert_array_equal(fit.history["loss"], wanted.history["loss"])


def test_worst_group_of_what_is_there():
    """Groups of dryness need all sites on the host."""
    ds = weather(("basin",), (6,), days=120)
    rng = np.random.default_rng(0)
    ds["slope"] = ("basin", rng.uniform(0.0, 1.0, 6), {"units": "1"})
    ds["streamflow"] = xdpl.simulate(ds, "hbv", {"fc": 150.0})["streamflow"]
    fit = quick(
        ds,
        model="hbv",
        target="streamflow",
        attributes=["slope"],
        train=slice("2001-01", "2001-03"),
        epochs=1,
    )
    scores, wanted = fit.evaluate(there(ds)), fit.evaluate(ds)
    assert int(wanted["worst_rmse_group"]) >= 0
    xr.testing.assert_allclose(scores, wanted, rtol=1e-4)


def test_bounds_are_checked_there():
    theta = xr.Dataset({"ksat": ("basin", [5.0, 500.0, 9000.0], {"units": "mm d-1"})})
    with pytest.raises(InputErrors, match="got 2 outside, such as 5"):
        xdpl.simulate(there(weather()), "vic", there(theta))


def test_the_hash_of_parameters_is_that_of_their_values():
    theta = members(MODELS["hbv"])
    other = theta.assign(tt=theta["tt"] + 0.1)
    here, gone, moved = (parameters_hash(t.data_vars) for t in (theta, there(theta), there(other)))
    assert here == gone
    assert moved != gone


class Unreadable:
    """An array that neither gives itself to numpy nor through dlpack."""

    dtype, shape, ndim, chunks = np.dtype("float64"), (2,), 1, None

    def __array__(self, *args, **kwargs):
        msg = "on another device"
        raise TypeError(msg)


class Labelled:
    dims, sizes, chunks, data = ("basin",), {"basin": 2}, None, Unreadable()


def test_parameters_that_cannot_be_read_are_marked():
    assert read(Unreadable()) is None
    first, second = parameters_hash({"ksat": Labelled()}), parameters_hash({"fc": Labelled()})
    assert first.startswith("unread:") and second.startswith("unread:")
    assert first != second
