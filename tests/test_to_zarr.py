"""Writing part by part: whole, interrupted and resumed, refused."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import dask
import numpy as np
import pint
import pytest
import xarray as xr
import zarr
from model_cases import weather

import xdpl
from xdpl import engines
from xdpl.errors import InputErrors


def lazy(**chunks):
    return weather(("lat", "lon"), (5, 7)).chunk(time=-1, **(chunks or {"lat": 2, "lon": 3}))


def simulated(**chunks):
    return lazy(**chunks).dpl.simulate("hbv")


@pytest.fixture
def runs(monkeypatch):
    """Counts runs of the engine, and stops after as many as are allowed."""
    seen = {"count": 0, "allowed": None}
    original = engines.run

    def run(*args, **kwargs):
        seen["count"] += 1
        if seen["allowed"] is not None and seen["count"] > seen["allowed"]:
            raise KeyboardInterrupt
        return original(*args, **kwargs)

    monkeypatch.setattr(engines, "run", run)
    with dask.config.set(scheduler="synchronous"):
        yield seen


@pytest.mark.parametrize("at_once", [None, 1, 2, 4, 100])
def test_what_is_read_is_what_was_simulated(tmp_path, at_once, runs):
    sim = simulated()
    stored = sim.dpl.to_zarr(tmp_path / "sim.zarr", at_once=at_once, progress=False)
    assert runs["count"] == 9
    assert stored["streamflow"].chunks == sim["streamflow"].chunks
    xr.testing.assert_identical(stored.load(), sim.compute())
    assert "xdpl_unfinished" not in stored.attrs


def test_an_interrupted_run_goes_on(tmp_path, runs):
    sim, path = simulated(), tmp_path / "sim.zarr"
    runs["allowed"] = 4
    with pytest.raises(KeyboardInterrupt):
        sim.dpl.to_zarr(path, at_once=1, progress=False)
    with xr.open_zarr(path, consolidated=False) as part:
        assert len(json.loads(part.attrs["xdpl_unfinished"])["done"]) == 4
        there = int(part["streamflow"].isel(time=0).notnull().sum())
        assert 0 < there < 35
    runs |= {"allowed": None, "count": 0}
    again = simulated()
    stored = again.dpl.to_zarr(path, at_once=1, progress=False)
    assert runs["count"] == 5
    # The time in the history is that of the first call.
    stored.attrs["history"] = again.attrs["history"]
    xr.testing.assert_identical(stored.load(), again.compute())


def test_a_killed_process_leaves_a_store_that_goes_on(tmp_path):
    path = tmp_path / "sim.zarr"
    code = f"""
        import sys, time, numpy as np; sys.path.insert(0, "tests")
        import xdpl
        from model_cases import weather
        def slow(block):
            time.sleep(0.2 if block.size else 0)
            return block
        ds = weather(("lat",), (40,)).chunk(time=-1, lat=1)
        ds["precipitation"] = ds["precipitation"].copy(data=ds["precipitation"].data.map_blocks(slow))
        ds.dpl.simulate("hbv").dpl.to_zarr({str(path)!r}, at_once=1, progress=False)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])
    for _ in range(600):
        time.sleep(0.1)
        if path.exists() and len(list(path.glob("streamflow/c/0/*"))) >= 3:
            break
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(30) == -signal.SIGKILL
    done = json.loads(zarr.open_group(path, mode="r").attrs["xdpl_unfinished"])["done"]
    assert 0 < len(done) < 40
    sim = weather(("lat",), (40,)).chunk(time=-1, lat=1).dpl.simulate("hbv")
    stored = sim.dpl.to_zarr(path, at_once=1, progress=False)
    xr.testing.assert_equal(stored.load(), sim.compute())


def test_quantities_keep_their_units(tmp_path):
    registry = pint.UnitRegistry()
    ds = lazy()
    for name, array in ds.items():
        unit = {"mm d-1": "mm/day", "degC": "degC"}[array.attrs["units"]]
        ds[name] = (array.dims, registry.Quantity(array.data, unit))
    stored = ds.dpl.simulate("hbv").dpl.to_zarr(tmp_path / "sim.zarr", progress=False)
    assert stored["streamflow"].attrs["units"] == "millimeter / day"
    np.testing.assert_array_equal(stored["streamflow"], simulated()["streamflow"])


def test_parts_that_no_region_cuts_are_written(tmp_path):
    sim = simulated()
    sim["mean"] = sim["streamflow"].mean()
    sim["series"] = sim["streamflow"].mean(["lat", "lon"])
    sim = sim.assign_coords(level=("lat", dask.array.arange(5, chunks=2)))
    sim["in_memory"] = ("lat", np.arange(5.0))
    stored = sim.dpl.to_zarr(tmp_path / "sim.zarr", at_once=1, progress=False)
    xr.testing.assert_identical(stored.load(), sim.compute())


@pytest.mark.parametrize("ds", [weather(), weather().chunk()], ids=["memory", "one block"])
def test_a_single_block(tmp_path, ds):
    sim = ds.dpl.simulate("hbv")
    stored = xdpl.to_zarr(sim, tmp_path / "sim.zarr", progress=False)
    xr.testing.assert_identical(stored.load(), sim.compute())


def test_encoding_of_the_input_is_not_inherited(tmp_path):
    lazy(lat=5, lon=7).to_zarr(tmp_path / "in.zarr", consolidated=False)
    ds = xr.open_zarr(tmp_path / "in.zarr", consolidated=False).chunk(time=-1, lat=2, lon=2)
    stored = ds.dpl.simulate("hbv").dpl.to_zarr(tmp_path / "sim.zarr", progress=False)
    assert stored["streamflow"].encoding["chunks"] == (40, 2, 2)


def refused(call):
    with pytest.raises(InputErrors, match="to_zarr cannot run") as caught:
        call()
    return str(caught.value)


def test_what_is_there_is_never_overwritten(tmp_path):
    path = tmp_path / "sim.zarr"
    sim = simulated()
    sim.dpl.to_zarr(path, progress=False)
    assert "got something else, or a finished store" in refused(lambda: sim.dpl.to_zarr(path))
    (tmp_path / "file").write_text("mine")
    assert "got something else" in refused(lambda: sim.dpl.to_zarr(tmp_path / "file"))
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("change", ["parameters", "blocks", "labels", "variables"])
def test_another_dataset_does_not_go_on(tmp_path, runs, change):
    path = tmp_path / "sim.zarr"
    runs["allowed"] = 3
    with pytest.raises(KeyboardInterrupt):
        simulated().dpl.to_zarr(path, at_once=1, progress=False)
    runs["allowed"] = None
    other = {
        "parameters": lazy().dpl.simulate("hbv", {"fc": 300.0}),
        "blocks": simulated(lat=1, lon=3),
        "labels": simulated().assign_coords(lat=np.arange(5.0)),
        "variables": simulated().drop_vars("streamflow"),
    }[change]
    before = zarr.open_group(path, mode="r").attrs["xdpl_unfinished"]
    assert "got one of another dataset" in refused(lambda: other.dpl.to_zarr(path))
    assert zarr.open_group(path, mode="r").attrs["xdpl_unfinished"] == before


def test_blocks_of_unequal_length(tmp_path):
    sim = lazy(lat=(1, 3, 1), lon=7).dpl.simulate("hbv")
    text = refused(lambda: sim.dpl.to_zarr(tmp_path / "sim.zarr"))
    assert "lat: expected blocks of one length" in text and "fix: ds.chunk(lat=3)" in text
    assert not (tmp_path / "sim.zarr").exists()


@pytest.mark.parametrize("at_once", [0, 1.5, True])
def test_bad_at_once(tmp_path, at_once):
    text = refused(lambda: simulated().dpl.to_zarr(tmp_path / "sim.zarr", at_once=at_once))
    assert "at_once: expected an integer of at least 1" in text


def test_a_bar(tmp_path, capsys):
    simulated().dpl.to_zarr(tmp_path / "sim.zarr", at_once=3)
    assert "3/3" in capsys.readouterr().err


def test_final_states_go_along_without_another_run(tmp_path, runs):
    sim, states = lazy().dpl.simulate("hbv", return_states=True)
    both = sim.assign({f"final_{k}": v for k, v in states.drop_vars("time").items()})
    stored = both.dpl.to_zarr(tmp_path / "sim.zarr", at_once=2, progress=False)
    assert runs["count"] == 9
    expected = weather(("lat", "lon"), (5, 7)).dpl.simulate("hbv", return_states=True)[1]
    for name, array in expected.items():
        np.testing.assert_array_equal(stored[f"final_{name}"], array)


PROCESS = """
    import sys, xarray as xr
    sys.path.insert(0, "tests")
    import xdpl
    from model_cases import weather
    from xdpl import engines

    original, left = engines.run, [int(sys.argv[2])]

    def run(*args, **kwargs):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return original(*args, **kwargs)

    engines.run = run
    # Older dask gives the arrays of a file that is opened lazily another name now and then.
    ds = xr.open_dataset(sys.argv[1] + "/in.nc", engine="h5netcdf").load().chunk({"basin": 1, "time": -1})
    theta = xdpl.load(sys.argv[1] + "/fit.zarr").parameters(ds) if sys.argv[3] == "fit" else None
    try:
        ds.dpl.simulate("vic", theta).dpl.to_zarr(sys.argv[1] + "/out.zarr", at_once=1, progress=False)
        print("finished", int(sys.argv[2]) - left[0])
    except KeyboardInterrupt:
        print("interrupted")
"""


@pytest.mark.parametrize("parameters", ["fit", "defaults"])
def test_another_process_goes_on(tmp_path, parameters):
    ds = weather().assign_coords(basin=["a", "b", "c"], time=xr.date_range("2001-01-01", periods=40))
    ds["sand"] = ("basin", [20.0, 40.0, 60.0], {"units": "percent"})
    ds["soil_moisture"] = ds.dpl.simulate("vic")["soil_moisture"]
    ds.to_netcdf(tmp_path / "in.nc", engine="h5netcdf")
    options = {"epochs": 1, "window": 20, "warmup": 5, "progress": False}
    ds.dpl.learn("vic", target="soil_moisture", attributes=["sand"], **options).save(tmp_path / "fit.zarr")
    said = []
    for runs in ("1", "9"):
        # The order of objects in memory differs from process to process.
        call = [sys.executable, "-c", textwrap.dedent(PROCESS), str(tmp_path), runs, parameters]
        said.append(subprocess.run(call, capture_output=True, text=True, check=True).stdout.split())
    assert said == [["interrupted"], ["finished", "2"]]


def test_an_interrupted_beginning_leaves_nothing_in_the_way(tmp_path, monkeypatch):
    sim, path = simulated(), tmp_path / "sim.zarr"
    path.mkdir()
    original = xr.Dataset.to_zarr

    def interrupted(self, store, **options):
        original(self.drop_vars(list(self.data_vars)), store, mode="w", consolidated=False)
        raise KeyboardInterrupt

    monkeypatch.setattr(xr.Dataset, "to_zarr", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sim.dpl.to_zarr(path, progress=False)
    monkeypatch.undo()
    stored = sim.dpl.to_zarr(path, progress=False)
    xr.testing.assert_identical(stored.load(), sim.compute())
    assert [p.name for p in tmp_path.iterdir()] == ["sim.zarr"]


def test_a_url_is_no_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "path: expected a folder on a file system" in refused(
        lambda: simulated().dpl.to_zarr("s3://bucket/run.zarr")
    )
    assert not list(tmp_path.iterdir())


def test_quantified_coordinates(tmp_path):
    registry = pint.UnitRegistry()
    sim = simulated().assign_coords(height=("lat", registry.Quantity(np.arange(5.0), "m")))
    stored = sim.dpl.to_zarr(tmp_path / "sim.zarr", progress=False)
    assert stored["height"].attrs["units"] == "meter"
