"""Initial states in, states out: a run in two parts is the run in one."""

import itertools

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from model_cases import MODELS, weather

import xdpl
from xdpl.errors import InputErrors


def states(model):
    return [s.name for s in model.states]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("drop", [True, False])
def test_restarted_is_continuous_bit_for_bit(name, drop):
    ds, model = weather(("lat", "lon"), (2, 3)), MODELS[name]
    outputs = list(model.all_outputs())
    whole = xdpl.simulate(ds, model, outputs=outputs)
    first, last = xdpl.simulate(ds.isel(time=slice(17)), model, outputs=outputs, return_states=True)
    # States of the step are in the series too.
    last = last.assign({k: first[k].isel(time=-1, drop=True) for k in states(model)})
    last = last.drop_vars("time") if drop else last
    second = xdpl.simulate(ds.isel(time=slice(17, None)), model, initial=last, outputs=outputs)
    xr.testing.assert_identical(second["time"], whole["time"][17:])
    xr.testing.assert_equal(xr.concat([first, second], "time"), whole)


def test_a_file_in_between(tmp_path):
    ds = weather()
    whole = xdpl.simulate(ds, "vic")
    first = xdpl.simulate(ds.isel(time=slice(17)), "vic", outputs=["snowpack", "w1", "w2", "w3"])
    first.isel(time=-1).to_netcdf(tmp_path / "state.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "state.nc", engine="h5netcdf") as last:
        second = xdpl.simulate(ds.isel(time=slice(17, None)), "vic", initial=last)
    xr.testing.assert_equal(second, whole.isel(time=slice(17, None)))


def test_units_of_states_are_converted():
    ds = weather()
    full = {"snowpack": 0.0, "w1": 20.0, "w2": 100.0, "w3": 300.0}
    millimetres = xr.Dataset({k: ((), v, {"units": "mm"}) for k, v in full.items()})
    metres = xr.Dataset({k: ((), v / 1000, {"units": "m"}) for k, v in full.items()})
    in_mm, in_m = (xdpl.simulate(ds, "vic", initial=start) for start in (millimetres, metres))
    xr.testing.assert_allclose(in_mm, in_m, rtol=1e-12)
    assert not in_mm["runoff"].equals(xdpl.simulate(ds, "vic")["runoff"])


def test_states_with_members():
    ds = weather()
    members = np.array([10.0, 30.0])
    start = xr.Dataset({k: ((), 50.0, {"units": "mm"}) for k in ("snowpack", "w2", "w3")})
    start["w1"] = ("member", members, {"units": "mm"})
    sim = xdpl.simulate(ds, "vic", initial=start)
    assert sim["runoff"].dims == ("member", "time", "basin")
    alone = xdpl.simulate(ds, "vic", initial=start.isel(member=1))
    xr.testing.assert_equal(sim.isel(member=1), alone)


def test_missing_states_and_units():
    start = xr.Dataset({"w1": ((), 20.0), "w2": ((), 20.0, {"units": "K"}), "w3": ((), 9.0, {"units": "mm"})})
    with pytest.raises(InputErrors) as caught:
        xdpl.simulate(weather(), "vic", initial=start)
    text = str(caught.value)
    assert "snowpack: expected an initial state in 'mm', got none" in text
    assert "_, initial = simulate(..., return_states=True)" in text
    assert "w1: expected units convertible to 'mm', got no units attribute" in text
    assert "w2: expected units convertible to 'mm', got 'K'" in text
    assert len(caught.value.exceptions) == 3


def test_sites_without_a_state_are_nan():
    last = xdpl.simulate(weather(), "vic", outputs=["snowpack", "w1", "w2", "w3"]).isel(time=-1, drop=True)
    last["w2"][1] = np.nan
    sim = xdpl.simulate(weather(), "vic", initial=last)
    assert sim["runoff"].isnull().all("time").values.tolist() == [False, True, False]


@pytest.mark.parametrize("name", MODELS)
@given(cuts=st.lists(st.integers(1, 39), min_size=1, max_size=3, unique=True), dtype=st.sampled_from("fd"))
@settings(max_examples=12)
def test_cut_anywhere_is_continuous_bit_for_bit(name, cuts, dtype):
    ds, model = weather(("lat", "lon"), (2, 3)), MODELS[name]
    whole, end = xdpl.simulate(ds, model, dtype=dtype, return_states=True)
    parts, state = [], None
    for start, stop in itertools.pairwise([0, *sorted(cuts), 40]):
        piece = ds.isel(time=slice(start, stop))
        part, state = xdpl.simulate(piece, model, initial=state, dtype=dtype, return_states=True)
        parts.append(part)
    xr.testing.assert_equal(xr.concat(parts, "time"), whole)
    xr.testing.assert_identical(state.drop_attrs(deep=False), end.drop_attrs(deep=False))


def test_final_states_are_those_of_the_last_step():
    ds = weather(("lat", "lon"), (2, 3)).transpose("lon", "time", "lat")
    sim, final = xdpl.simulate(ds, "vic", outputs=["w1", "w2"], return_states=True)
    assert list(final) == ["snowpack", "w1", "w2", "w3"]
    assert final["w1"].dims == ("lon", "lat") and final["time"] == ds["time"][-1]
    for name in sim:
        np.testing.assert_array_equal(final[name], sim[name].isel(time=-1))
        assert final[name].attrs == sim[name].attrs
    assert final.attrs["title"] == "vic final states"


def test_final_states_are_lazy_with_members_and_nan(counter):
    ds = weather(("lat", "lon"), (2, 3))
    ds["precipitation"] = ds["precipitation"].where(ds["lat"] > 5).assign_attrs(units="mm d-1")
    theta = xr.Dataset({"ksat": (("member", "lat"), [[99.0, 500.0], [300.0, np.nan]], {"units": "mm d-1"})})
    sim, final = xdpl.simulate(ds.chunk(lat=1, lon=2), "vic", theta, return_states=True)
    assert counter.calls == 0 and all(v.chunks for v in final.values())
    assert final["w1"].dims == ("member", "lat", "lon")
    assert final["w1"].isnull().all("lon").values.tolist() == [[True, False], [True, True]]
    at_once = xdpl.simulate(ds, "vic", theta, return_states=True)
    for lazy, eager in zip((sim, final), at_once, strict=True):
        xr.testing.assert_equal(lazy.compute(), eager)


@pytest.mark.parametrize("writer", ["netcdf", "zarr"])
def test_states_go_through_files(tmp_path, writer):
    ds = weather()
    whole = xdpl.simulate(ds, "hbv")
    _, state = xdpl.simulate(ds.isel(time=slice(17)), "hbv", return_states=True)
    path = tmp_path / "states"
    if writer == "netcdf":
        state.to_netcdf(path, engine="h5netcdf")
        again = xr.open_dataset(path, engine="h5netcdf")
    else:
        state.to_zarr(path, consolidated=False)
        again = xr.open_zarr(path, consolidated=False, chunks=None)
    with again:
        rest = xdpl.simulate(ds.isel(time=slice(17, None)), "hbv", initial=again)
    xr.testing.assert_equal(rest, whole.isel(time=slice(17, None)))


def test_states_of_another_time_are_refused():
    ds = weather()
    _, state = xdpl.simulate(ds, "hbv", return_states=True)
    with pytest.raises(InputErrors) as caught:
        xdpl.simulate(ds, "hbv", initial=state)
    text = str(caught.value)
    assert "initial: expected states one step (1 days) before 2001-01-01" in text
    assert "got states of 2001-02-09" in text
    xdpl.simulate(ds, "hbv", initial=state.drop_vars("time"))


def test_states_with_a_time_dimension_are_refused():
    sim = xdpl.simulate(weather(), "vic", outputs=["snowpack", "w1", "w2", "w3"])
    with pytest.raises(InputErrors) as caught:
        xdpl.simulate(weather(), "vic", initial=sim)
    assert "snowpack: expected an initial state at one time" in str(caught.value)
    assert "fix: initial.isel(time=-1)" in str(caught.value)
    assert len(caught.value.exceptions) == 4
