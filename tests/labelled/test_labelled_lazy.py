"""dask in, dask out: nothing is computed before `.compute()`."""

import dask.array
import numpy as np
import pytest
import xarray as xr
from model_cases import MODELS, weather

import xdpl
from xdpl.errors import InputErrors
from xdpl.labelled import host


def lazy(ds, **chunks):
    return ds.chunk(time=-1, **chunks)


@pytest.mark.parametrize("name", MODELS)
def test_lazy_and_the_same(name, counter):
    ds, model = weather(("lat", "lon"), (3, 4)), MODELS[name]
    sim = xdpl.simulate(lazy(ds, lat=2, lon=3), model)
    assert counter.calls == 0
    assert all(isinstance(sim[k].data, dask.array.Array) for k in sim)
    assert sim[model.outputs[0]].chunks == ((40,), (2, 1), (3, 1))
    assert repr(sim) and counter.calls == 0
    computed = sim.compute()
    assert counter.calls == 1
    xr.testing.assert_equal(computed, xdpl.simulate(ds, model))


def test_check_is_lazy(counter):
    ds = lazy(weather(), basin=1)
    ds["precipitation"] = (ds["precipitation"] / 86400).assign_attrs(units="kg m-2 s-1")
    assert ds.dpl.check("vic").ok
    assert counter.calls == 0


def test_units_are_converted_lazily(counter):
    ds = lazy(weather(), basin=2)
    ds["air_temperature"] = (ds["air_temperature"] + 273.15).assign_attrs(units="K")
    sim = xdpl.simulate(ds, "vic")
    assert counter.calls == 0
    xr.testing.assert_allclose(sim.compute(), xdpl.simulate(weather(), "vic"), rtol=1e-9)


def test_lazy_parameters_states_and_members(counter):
    ds = weather()
    theta = xr.Dataset({"ksat": (("member", "basin"), [[99.0, 500.0, 900.0]] * 2, {"units": "mm d-1"})})
    states = xdpl.simulate(ds, "vic", outputs=["snowpack", "w1", "w2", "w3"]).isel(time=-1, drop=True)
    sim = xdpl.simulate(
        lazy(ds, basin=1), "vic", theta.chunk(member=1, basin=1), initial=states.chunk(basin=1)
    )
    assert counter.calls == 0
    assert sim["runoff"].dims == ("member", "time", "basin")
    xr.testing.assert_equal(sim.compute(), xdpl.simulate(ds, "vic", theta, initial=states))


def test_some_forcings_lazy(counter):
    ds = weather()
    ds["precipitation"] = ds["precipitation"].chunk(basin=1)
    sim = xdpl.simulate(ds, "vic")
    assert counter.calls == 0
    xr.testing.assert_equal(sim.compute(), xdpl.simulate(weather(), "vic"))


def test_only_what_is_asked_is_computed(counter):
    seen = []

    def note(block):
        seen.append(block.shape)
        return block

    ds = lazy(weather(("basin",), (6,)), basin=2)
    rain = ds["precipitation"].data.map_blocks(note, meta=np.empty((0, 0)))
    ds["precipitation"] = ds["precipitation"].copy(data=rain)
    sim = xdpl.simulate(ds, "vic")
    sim.isel(basin=slice(2)).compute()
    assert seen == [(40, 2)]


def test_gaps_raise_when_computed(counter):
    ds = weather()
    ds["precipitation"][3, 1] = np.nan
    sim = xdpl.simulate(lazy(ds, basin=1), "vic")
    with pytest.raises(InputErrors, match="no gaps in time"):
        sim.compute()


def test_ocean_blocks():
    ds = weather(("basin",), (4,))
    land = xr.DataArray([True, False, False, False], dims="basin")
    ds["precipitation"] = ds["precipitation"].where(land).assign_attrs(units="mm d-1")
    sim = xdpl.simulate(lazy(ds, basin=2), "vic").compute()
    xr.testing.assert_equal(sim, xdpl.simulate(ds, "vic"))
    assert sim["runoff"].notnull().all("time").values.tolist() == [True, False, False, False]


def test_time_in_chunks_raises_with_the_fix(counter):
    ds = weather().chunk(time=10)
    with pytest.raises(InputErrors) as caught:
        xdpl.simulate(ds, "vic")
    text = str(caught.value)
    assert "precipitation: expected time in one chunk" in text
    assert "got 4 chunks along time" in text
    assert "fix: ds = ds.chunk(time=-1)" in text
    assert counter.calls == 0
    scope = {"ds": ds}
    exec(caught.value.exceptions[0].fix, scope)
    xr.testing.assert_equal(xdpl.simulate(scope["ds"], "vic").compute(), xdpl.simulate(weather(), "vic"))


def test_parameters_in_time_in_chunks(counter):
    ds = weather()
    theta = xr.Dataset({"ksat": ("time", np.linspace(100.0, 500.0, 40), {"units": "mm d-1"})})
    with pytest.raises(InputErrors) as caught:
        xdpl.simulate(lazy(ds, basin=1), "vic", theta.chunk(time=10))
    text = str(caught.value)
    assert "ksat: expected time in one chunk" in text
    assert "fix: parameters = parameters.chunk(time=-1)" in text
    sim = xdpl.simulate(lazy(ds, basin=1), "vic", theta.chunk(time=-1))
    assert counter.calls == 0
    xr.testing.assert_equal(sim.compute(), xdpl.simulate(ds, "vic", theta))


def test_blocks_of_parameters_and_forcings_need_not_match(counter):
    ds = weather(("lat", "lon"), (6, 2))
    theta = xr.Dataset({"ksat": ("lat", np.linspace(100.0, 500.0, 6), {"units": "mm d-1"})})
    sim = xdpl.simulate(lazy(ds, lat=2), "vic", theta.chunk(lat=3))
    assert counter.calls == 0
    xr.testing.assert_equal(sim.compute(), xdpl.simulate(ds, "vic", theta))
    for parameters in (theta.chunk(lat=3), theta.chunk()):
        lazily = xdpl.simulate(ds, "vic", parameters)
        assert lazily["runoff"].chunks
        xr.testing.assert_equal(lazily.compute(), sim.compute())


def test_blocks_come_to_the_host_lazily(counter, monkeypatch):
    class Elsewhere(np.ndarray):
        """Stands for arrays of another kind, as those of a GPU."""

    monkeypatch.setattr(host, "is_numpy_array", lambda v: type(v) is np.ndarray)
    blocks = dask.array.from_array(np.arange(6.0), chunks=2).map_blocks(
        lambda b: b.view(Elsewhere), meta=np.empty(0).view(Elsewhere)
    )
    array = xr.DataArray(blocks, dims="site", attrs={"units": "mm"})
    here = host.on_host(array)
    assert counter.calls == 0 and here.attrs == array.attrs and here.chunks == array.chunks
    assert type(here.data._meta) is np.ndarray
    assert host.on_host(here) is here
    np.testing.assert_array_equal(here.values, np.arange(6.0))
