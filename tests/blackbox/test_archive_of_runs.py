"""The archive: what is there is not run again, whatever ended the run before."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from helpers_bucket import Twin, called, days, run, theta

from xdpl.blackbox import Archive, recorder
from xdpl.errors import InputErrors
from xdpl.models import Parameter


@pytest.fixture(scope="module")
def ds():
    return days()


class Counted:
    """Notes the capacities it was called with; raises for those that are too large."""

    def __init__(self, most=1e9):
        self.calls = []
        self.most = most

    def __call__(self, forcings, parameters):
        self.calls += np.atleast_1d(parameters["capacity"].values).tolist()
        if max(self.calls[-1:]) > self.most:
            msg = "the bucket is too large"
            raise ValueError(msg)
        return run(forcings, parameters)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.zarr"


def test_what_is_there_is_not_run_again(ds, path):
    function, values = Counted(), theta(ds)
    model = called(function, archive=path)
    first = ds.dpl.simulate(model, values)
    assert len(function.calls) == 3
    again = ds.dpl.simulate(replace(model, batch=False), values)
    xr.testing.assert_identical(again.drop_attrs(deep=False), first.drop_attrs(deep=False))
    assert len(function.calls) == 3
    # Another parameter, forcing or date is another run; the order and the company of sites are not.
    ds.isel(basin=[2, 0]).dpl.simulate(model, values.isel(basin=[2, 0]))
    assert len(function.calls) == 3
    changes = (
        (ds, values.assign(k=values["k"].copy(data=values["k"].values * [1.0, 1.0, 1.0001]))),
        (ds.assign(demand=ds["demand"].copy(data=ds["demand"].values + np.array([0.0, 1e-9, 0.0]))), values),
    )
    for i, (data, parameters) in enumerate(changes):
        data.dpl.simulate(model, parameters)
        assert len(function.calls) == 4 + i
    ds.assign_coords(time=ds["time"] + np.timedelta64(1, "D")).dpl.simulate(model, values)
    assert len(function.calls) == 8
    assert repr(Archive(path)) == f"Archive({str(path)!r}): 8 runs of bucket 1, and 0 that failed"


def test_the_same_run_asked_for_twice_runs_once(ds, path):
    function = Counted()
    twice = xr.concat([ds.isel(basin=[0])] * 2, "basin", data_vars="all").assign_coords(basin=[0, 1])
    found = twice.dpl.simulate(called(function, archive=path), {"capacity": 80.0})
    assert function.calls == [80.0]
    np.testing.assert_array_equal(found["runoff"][:, 0], found["runoff"][:, 1])


def test_failed_runs_stay_failed_until_asked(ds, path):
    function = Counted(most=300.0)
    model = called(function, archive=path, batch=False)
    values = {"capacity": xr.DataArray([50.0, 350.0, 80.0], dims="basin", coords={"basin": ds["basin"]})}
    values["capacity"].attrs["units"] = "mm"
    for _ in range(2):
        with pytest.warns(
            UserWarning, match="1 of 3 runs failed and are NaN; the first: ValueError: the bucket"
        ):
            ds.dpl.simulate(model, values)
    assert function.calls == [50.0, 350.0, 80.0]
    runs = Archive(path).to_dataset(failed=True)
    assert runs["status"].values.tolist() == [0, 1, 0]
    assert "the bucket is too large" in str(runs["message"].values[1]) and runs["message"].values[0] == ""
    assert runs["runoff"].isnull().all("time").values.tolist() == [False, True, False]
    assert Archive(path).to_dataset().sizes["run"] == 2

    function.most = 1e9
    found = ds.dpl.simulate(replace(model, retry_failed=True), values)
    assert function.calls[3:] == [350.0] and found.attrs["failed_runs"] == 0
    runs = Archive(path).to_dataset()
    assert runs.sizes["run"] == 3 and set(runs["capacity"].values) == {50.0, 80.0, 350.0}
    assert not ds.dpl.simulate(model, values)["runoff"].isnull().any() and len(function.calls) == 4


def test_runs_as_a_dataset(ds, path):
    """Everything an emulator is trained with, in declared units."""
    values = theta(ds).drop_vars("k").assign(k=("member", [0.05, 0.3], {"units": "d-1"}))
    found = ds.dpl.simulate(called(run, archive=path), values)
    runs = Archive(path).to_dataset()
    assert dict(runs.sizes) == {"run": 6, "time": 30, "series": 3}
    for i in range(6):
        one = runs.isel(run=i)
        site = int(np.flatnonzero(values["capacity"].values == float(one["capacity"]))[0])
        member = [0.05, 0.3].index(float(one["k"]))
        for name in ("runoff", "evaporation"):
            np.testing.assert_array_equal(one[name], found[name].isel(member=member, basin=site))
        for name in ("precipitation", "demand"):
            own = runs[name].isel(series=int(one["series_of_run"]))
            np.testing.assert_array_equal(own, ds[name].isel(basin=site))
    units = {k: v.attrs["units"] for k, v in runs.items() if "units" in v.attrs}
    assert units == dict.fromkeys(("runoff", "evaporation", "precipitation", "demand"), "mm d-1") | {
        "k": "d-1",
        "capacity": "mm",
        "seconds": "s",
    }
    assert (runs["seconds"] > 0.0).all() and runs.attrs["version"] == "1"
    assert runs.indexes["time"].equals(ds.indexes["time"])


def test_runs_over_several_periods(ds, path):
    model = called(run, archive=path)
    ds.isel(time=slice(20), basin=[0]).dpl.simulate(model)
    ds.isel(time=slice(10, 30), basin=[1]).dpl.simulate(model)
    runs = Archive(path).to_dataset()
    assert dict(runs.sizes) == {"run": 2, "time": 30, "series": 2}
    assert runs.indexes["time"].equals(ds.indexes["time"])
    first, second = (runs["runoff"].isel(run=i).notnull().values for i in range(2))
    assert first.tolist() == [True] * 20 + [False] * 10 and second.tolist() == [False] * 10 + [True] * 20
    for i in range(2):
        rain = runs["precipitation"].isel(series=int(runs["series_of_run"][i])).dropna("time")
        assert float(rain[0]) == float(ds["precipitation"][(0, 10)[i], i])


def test_an_archive_of_another_model_is_refused(ds, path, tmp_path):
    model = called(run, archive=path)
    ds.dpl.simulate(model)
    melt = Parameter("melt", 0.0, 9.0, "mm d-1", 3.0)
    others = {
        "version '1'": replace(model, version="2"),
        "parameters": replace(model, parameters=[*model.parameters, melt]),
        "other bounds": replace(model, parameters=[replace(p, long_name="x") for p in model.parameters]),
        "dt 1.0": replace(model, dt=0.5),
    }
    for got, other in others.items():
        when = xr.date_range("2001-01-01", periods=30, freq="12h", use_cftime=False)
        data = ds.assign_coords(time=when) if other.dt == 0.5 else ds
        with pytest.raises(InputErrors, match=f"an archive of 'bucket' as it is declared, .*got .*{got}"):
            data.dpl.simulate(other)
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputErrors, match="got something else"):
        ds.dpl.simulate(replace(model, archive=tmp_path / "folder"))


def test_no_archive_is_refused(tmp_path, path, ds):
    with pytest.raises(InputErrors, match="an archive of runs, got nothing there"):
        Archive(path)
    with pytest.raises(InputErrors, match="got another folder or file"):
        Archive(tmp_path)
    recorder.Recorder(called(run, archive=path))
    with pytest.raises(InputErrors, match="at least one run, got none"):
        Archive(path).to_dataset()
    assert repr(Archive(path)).endswith("0 runs of bucket 1, and 0 that failed")


def test_writers_in_several_threads_and_a_reader(ds, path, monkeypatch):
    """Every part is written at once: as many as there can be."""
    monkeypatch.setattr(recorder, "_EVERY", 0.0)
    model = called(run, archive=path, batch=False, workers=2)
    values = {"k": xr.DataArray(np.linspace(0.1, 0.5, 8), dims="member", attrs={"units": "d-1"})}
    found = ds.chunk(basin=1).dpl.simulate(model, values).compute(scheduler="threads", num_workers=3)
    truth = ds.dpl.simulate(Twin(), values, engine="array")
    np.testing.assert_allclose(found["runoff"], truth["runoff"], rtol=1e-12)
    assert len(list((path / "runs").glob("[!.z]*"))) > 10
    assert Archive(path).to_dataset().sizes["run"] == 24
    for name in (path / "runs").iterdir():
        assert not name.name.startswith(".")


SCRIPT = """
import signal, sys
# A process in the background of a shell does not know Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
import numpy as np
import xarray as xr
from helpers_bucket import called, days
from slow_bucket import step
import xdpl
from xdpl.blackbox import recorder

recorder._EVERY = float(sys.argv[2])
model = called(step, archive=sys.argv[1], batch=False, workers=2)
values = {"k": xr.DataArray(np.linspace(0.1, 0.5, 60), dims="member", attrs={"units": "d-1"})}
days(sites=1).dpl.simulate(model, values)
"""
STEP = """
import pathlib, time
from helpers_bucket import run

def step(forcings, parameters):
    with open(pathlib.Path(__file__).with_name("calls.txt"), "a") as calls:
        calls.write(f"{float(parameters['k'])}\\n")
    time.sleep(0.15)
    return run(forcings, parameters)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(("how", "every"), [(signal.SIGKILL, 0.0), (signal.SIGINT, 1e9)])
def test_an_interrupted_run_goes_on_where_it_stopped(path, tmp_path, how, every):
    """Killed without a word, all but the last runs are there; after Ctrl-C all that had ended."""
    (tmp_path / "slow_bucket.py").write_text(STEP)
    calls = tmp_path / "calls.txt"
    places = [str(Path(__file__).parents[1]), str(tmp_path), os.environ.get("PYTHONPATH", "")]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(places)}
    command = [sys.executable, "-c", SCRIPT, str(path)]
    process = subprocess.Popen([*command, str(every)], env=env, stderr=subprocess.PIPE)
    kill = how is signal.SIGKILL
    wait(lambda: parts(path) >= 4 if kill else calls.is_file() and len(calls.read_text().split()) >= 10)
    written = parts(path)
    process.send_signal(how)
    assert process.communicate(timeout=60) and process.returncode != 0
    time.sleep(0.5)  # workers that lost their parent end with their task
    begun = calls.read_text().split()
    known = Archive(path).to_dataset()
    # Before a kill every run was written as a part of its own; at the other end all at once.
    assert (written if kill else 4) <= known.sizes["run"] <= len(begun) < 60
    again = subprocess.run([*command, "5"], env=env, check=True)
    assert again.returncode == 0
    later = calls.read_text().split()[len(begun) :]
    assert len(later) == 60 - known.sizes["run"]
    assert not set(map(float, later)) & set(known["k"].values.tolist())
    assert Archive(path).to_dataset().sizes["run"] == 60


def parts(path):
    return len([p for p in (path / "runs").glob("*") if p.is_dir() and not p.name.startswith(".")])


def wait(ready, seconds=60.0):
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.02)
