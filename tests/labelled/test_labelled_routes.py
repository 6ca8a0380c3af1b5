"""Water on its way to the outlet, in datasets: labelled, lazy, checked, in files and trees."""

import json

import numpy as np
import pytest
import xarray as xr
from model_cases import weather
from reference_models import route

import xdpl
from xdpl import units
from xdpl.errors import InputErrors

LAGS = list(range(13, -1, -1))


def split(ds, cut=17):
    return ds.isel(time=slice(cut)), ds.isel(time=slice(cut, None))


def test_what_is_on_its_way_is_labelled():
    ds = weather(("lat", "lon"), (2, 3)).transpose("lon", "time", "lat")
    sim, states = xdpl.simulate(ds, "hbv", outputs=["runoff"], return_states=True)
    unrouted = states["unrouted_streamflow"]
    assert unrouted.dims == ("lag", "lon", "lat")
    assert unrouted["lag"].values.tolist() == LAGS
    assert unrouted["lag"].attrs == {"units": "1", "long_name": "steps before the time of the states"}
    assert unrouted.attrs["units"] == "mm d-1" and "standard_name" not in unrouted.attrs
    for lag in LAGS:
        at = sim["runoff"].sel(time=states["time"] - np.timedelta64(lag, "D"))
        np.testing.assert_array_equal(unrouted.sel(lag=lag), at.transpose("lon", "lat"))
    assert all("lag" not in states[k].dims for k in states if k != "unrouted_streamflow")


def test_streamflow_is_the_runoff_of_the_days_before():
    theta = {"route_a": 1.4, "route_b": 2.2}
    sim = xdpl.simulate(weather(), "hbv", theta, outputs=["streamflow", "runoff"])
    for site in range(3):
        expected = route(sim["runoff"][:, site].values.tolist(), 1.4, 2.2)
        np.testing.assert_allclose(sim["streamflow"][:, site], expected, rtol=1e-12)


def test_a_short_first_part_is_filled_with_days_without_water():
    _, states = xdpl.simulate(weather(days=3), "hbv", return_states=True)
    unrouted = states["unrouted_streamflow"]
    assert (unrouted.sel(lag=slice(13, 3)) == 0).all() and (unrouted.sel(lag=slice(2, 0)) > 0).all()


@pytest.mark.parametrize("length", [1, 5, 14])
def test_in_chunks_shorter_than_the_hydrograph(length):
    ds = weather(("lat", "lon"), (2, 3))
    whole, end = xdpl.simulate(ds, "hbv", return_states=True)
    parts, state = [], None
    for start in range(0, 40, length):
        piece = ds.isel(time=slice(start, start + length)).chunk(lat=1)
        part, state = xdpl.simulate(piece, "hbv", initial=state, return_states=True)
        parts.append(part)
    xr.testing.assert_equal(xr.concat(parts, "time").compute(), whole)
    xr.testing.assert_equal(state.compute(), end)


@pytest.mark.parametrize("chunks", [{"basin": 1}, {"basin": 1, "lag": 3}])
def test_lazy_states_continue(counter, chunks):
    ds = weather()
    first, second = split(ds)
    whole = xdpl.simulate(ds, "hbv")
    _, states = xdpl.simulate(first.chunk(basin=2), "hbv", return_states=True)
    assert states["unrouted_streamflow"].chunks == ((14,), (2, 1))
    rest = xdpl.simulate(second, "hbv", initial=states.chunk(chunks))
    assert counter.calls == 0 and rest["streamflow"].chunks is not None
    xr.testing.assert_equal(rest.compute(), whole.isel(time=slice(17, None)))


def test_members_have_their_own():
    ds = weather()
    theta = xr.Dataset({"route_b": ("member", [0.5, 4.0], {"units": "d"})})
    whole, end = xdpl.simulate(ds, "hbv", theta, return_states=True)
    assert end["unrouted_streamflow"].dims == ("lag", "member", "basin")
    first, second = split(ds)
    _, states = xdpl.simulate(first, "hbv", theta, return_states=True)
    rest, last = xdpl.simulate(second, "hbv", theta, initial=states, return_states=True)
    xr.testing.assert_equal(rest, whole.isel(time=slice(17, None)))
    xr.testing.assert_equal(last, end)
    alone = xdpl.simulate(ds, "hbv", {"route_b": 4.0})
    xr.testing.assert_equal(whole.isel(member=1), alone)
    assert float(abs(whole["streamflow"].diff("member")).max()) > 0.01
    xr.testing.assert_equal(whole["soil_moisture"][0], whole["soil_moisture"][1])


def test_nan_in_a_lag_or_in_the_route_is_nan_at_the_site():
    ds = weather()
    first, second = split(ds)
    _, states = xdpl.simulate(first, "hbv", return_states=True)
    states["unrouted_streamflow"][3, 1] = np.nan
    theta = xr.Dataset({"route_a": ("basin", [np.nan, 1.0, 1.0], {"units": "1"})})
    sim, end = xdpl.simulate(second, "hbv", theta, initial=states, return_states=True)
    for name, array in (*sim.items(), *end.items()):
        gone = array.isnull()
        assert gone.all(set(array.dims) - {"basin"}).values.tolist() == [True, True, False], name
        assert gone.any(set(array.dims) - {"basin"}).values.tolist() == [True, True, False], name


def test_units_of_what_is_on_its_way_are_converted():
    ds = weather()
    first, second = split(ds)
    _, states = xdpl.simulate(first, "hbv", return_states=True)
    wanted = xdpl.simulate(second, "hbv", initial=states)
    factor, _ = units.linear("mm d-1", "m s-1")
    states["unrouted_streamflow"] = (states["unrouted_streamflow"] * factor).assign_attrs(units="m s-1")
    xr.testing.assert_allclose(xdpl.simulate(second, "hbv", initial=states), wanted, rtol=1e-12)


def problems(**changes):
    first, second = split(weather())
    _, states = xdpl.simulate(first, "hbv", return_states=True)
    for change in changes.values():
        states = change(states)
    with pytest.raises(InputErrors) as caught:
        xdpl.simulate(second, "hbv", initial=states)
    return {e.subject: str(e) for e in caught.value.exceptions}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.drop_vars("unrouted_streamflow"), "expected an initial state in 'mm d-1', got none"),
        (
            lambda s: s.isel(lag=slice(4, None)),
            "expected 14 steps along 'lag', labelled 13 to 0, the oldest first, got 10 of them",
        ),
        (lambda s: s.isel(lag=0, drop=True), "got dims ('basin',)"),
        (lambda s: s.isel(lag=slice(None, None, -1)), "got labels 0 to 13; fix: initial.sel(lag=range(13,"),
        (lambda s: s.expand_dims(time=2), "expected an initial state at one time, got dims ('time', 'lag'"),
        (
            lambda s: s.assign(unrouted_streamflow=s["unrouted_streamflow"].drop_attrs()),
            "expected units convertible to 'mm d-1', got no units attribute",
        ),
    ],
)
def test_wrong_lags(change, message):
    drop = {"time": lambda s: s.drop_vars("time")}
    found = problems(**drop, change=change)
    assert message in found["unrouted_streamflow"]


def test_the_fix_of_a_wrong_order_works():
    first, second = split(weather())
    _, states = xdpl.simulate(first, "hbv", return_states=True)
    turned = states.isel(lag=slice(None, None, -1)).sel(lag=range(13, -1, -1))
    xr.testing.assert_equal(
        xdpl.simulate(second, "hbv", initial=turned), xdpl.simulate(second, "hbv", initial=states)
    )
    without_labels = states.drop_vars("lag")
    xr.testing.assert_equal(
        xdpl.simulate(second, "hbv", initial=without_labels),
        xdpl.simulate(second, "hbv", initial=states),
    )


def test_a_route_does_not_vary_in_time():
    ds = weather()
    moving = xr.DataArray(np.linspace(0.1, 2.0, 40), {"time": ds["time"]}, attrs={"units": "1"})
    theta = {"route_a": moving, "route_b": 20.0, "k0": moving.assign_attrs(units="d-1").clip(0.1, 0.8)}
    with pytest.raises(InputErrors) as caught:
        xdpl.simulate(ds, "hbv", theta | {"k0": theta["k0"].assign_attrs(units="d-1")})
    found = {e.subject: str(e) for e in caught.value.exceptions}
    assert set(found) == {"route_a", "route_b"}
    assert "route_a: expected one value for all times" in found["route_a"]
    assert 'fix: parameters["route_a"].mean("time")' in found["route_a"]


def test_lag_is_taken():
    theta = xr.Dataset({"fc": ("lag", [100.0, 200.0], {"units": "mm"})})
    with pytest.raises(InputErrors, match="fc: expected no dim 'lag'"):
        xdpl.simulate(weather(), "hbv", theta)
    with pytest.raises(InputErrors, match="precipitation: expected no dim 'lag'"):
        xdpl.simulate(weather(("lag",)), "hbv")
    # A model without routes may have it.
    assert xdpl.simulate(weather(("lag",)), "vic")["runoff"].dims == ("time", "lag")


@pytest.mark.parametrize("writer", ["netcdf", "zarr", "to_zarr"])
def test_files(tmp_path, writer):
    ds = weather()
    first, second = split(ds)
    _, states = xdpl.simulate(first.chunk(basin=1), "hbv", return_states=True)
    if writer == "netcdf":
        states.to_netcdf(tmp_path / "states", engine="h5netcdf")
        back = xr.open_dataset(tmp_path / "states", engine="h5netcdf")
    elif writer == "zarr":
        states.to_zarr(tmp_path / "states", consolidated=False)
        back = xr.open_zarr(tmp_path / "states", consolidated=False)
    else:
        back = states.dpl.to_zarr(tmp_path / "states", progress=False)
    with back:
        assert back["lag"].values.tolist() == LAGS
        rest = xdpl.simulate(second, "hbv", initial=back).compute()
    xr.testing.assert_equal(rest, xdpl.simulate(ds, "hbv").isel(time=slice(17, None)))


def test_trees():
    ds = weather()
    tree = xr.DataTree.from_dict({"/a": ds.isel(basin=[0]), "/b": ds.isel(basin=[1, 2])})
    first, second = (tree.map_over_datasets(lambda d, i=i: split(d)[i] if d.sizes else d) for i in (0, 1))
    _, states = first.dpl.simulate("hbv", return_states=True)
    rest = second.dpl.simulate("hbv", initial=states)
    whole = xdpl.simulate(ds, "hbv").isel(time=slice(17, None))
    xr.testing.assert_equal(rest["a"].to_dataset(), whole.isel(basin=[0]))
    xr.testing.assert_equal(rest["b"].to_dataset(), whole.isel(basin=[1, 2]))


def test_spin_up_has_it_too():
    ds = weather(("lat", "lon"), (2, 3), days=730)
    states = ds.dpl.spin_up("hbv", tolerance=0.5)
    unrouted = states["unrouted_streamflow"]
    assert unrouted.dims == ("lag", "lat", "lon") and unrouted["lag"].values.tolist() == LAGS
    # The last days of the year that was repeated, from the states in which it began.
    year = ds.isel(time=slice(365))
    runoff = xdpl.simulate(year, "hbv", initial=states, outputs=["runoff"])["runoff"][-14:]
    np.testing.assert_allclose(unrouted, runoff, atol=0.1)
    blocks = ds.chunk(lat=1, lon=2).dpl.spin_up("hbv", tolerance=0.5)
    xr.testing.assert_equal(blocks.compute(), states)
    warm = ds.dpl.simulate("hbv", initial=states)["streamflow"][0]
    dry = states.assign(unrouted_streamflow=0.0 * unrouted).assign(
        unrouted_streamflow=lambda s: s["unrouted_streamflow"].assign_attrs(units="mm d-1")
    )
    assert (warm > ds.dpl.simulate("hbv", initial=dry)["streamflow"][0]).all()


def test_engines_of_datasets_agree():
    ds = weather(("lat", "lon"), (2, 3))
    runs = [xdpl.simulate(ds, "hbv", engine=e, return_states=True) for e in ("numba", "array")]
    for got, wanted in zip(*runs, strict=True):
        xr.testing.assert_allclose(got, wanted, rtol=1e-10)


def test_the_options_say_whether_it_is_routed():
    routed = xdpl.simulate(weather(), "hbv")
    plain, states = xdpl.simulate(weather(), xdpl.models.hbv.HBV(routing=None), return_states=True)
    assert json.loads(routed.attrs["model_options"])["routing"] == "gamma"
    assert json.loads(plain.attrs["model_options"])["routing"] is None
    assert routed.attrs["model_hash"] != plain.attrs["model_hash"]
    assert "unrouted_streamflow" not in states
