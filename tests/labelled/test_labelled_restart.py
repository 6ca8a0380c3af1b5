"""Initial states in, states out: a run in two parts is the run in one."""

import numpy as np
import pytest
import xarray as xr
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
    first = xdpl.simulate(ds.isel(time=slice(17)), model, outputs=outputs)
    last = first[states(model)].isel(time=-1, drop=drop)
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
