"""Calibration of an external model: as that of its twin, without runs that nobody asked for."""

import json
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from helpers_bucket import Twin, bucket, called, compiled, days, run, theta

import xdpl
from xdpl.blackbox import Archive
from xdpl.errors import InputErrors

QUICK = {"target": "runoff", "warmup": 30, "dtype": "float64", "progress": False}


@pytest.fixture(scope="module")
def ds():
    data = days(length=150)
    return data.assign(runoff=data.dpl.simulate(Twin(), theta(data), engine="array")["runoff"])


class Counted:
    def __init__(self):
        self.runs = 0

    def __call__(self, forcings, parameters):
        self.runs += parameters["k"].size
        return run(forcings, parameters)


@pytest.mark.parametrize("method", ["sce-ua", "cma-es", "differential-evolution"])
def test_it_finds_what_its_twin_finds(ds, method):
    function = Counted()
    call = QUICK | {"method": method, "evaluations": 150}
    found = ds.dpl.calibrate(called(function), **call)
    truth = ds.dpl.calibrate(Twin(), engine="array", **call)
    for name in ("k", "capacity", "objective", "evaluations", "stopped"):
        np.testing.assert_allclose(found[name], truth[name], rtol=1e-9)
    # Sites that are done, and candidates that are not wanted, cost nothing.
    assert function.runs == int(found["evaluations"].sum())
    assert found.attrs["failed_runs"] == 0


def test_a_program_is_calibrated_to_its_truth(ds, tmp_path):
    program = compiled(tmp_path)
    one = ds.isel(basin=[0])
    call = QUICK | {"fixed": {"trouble": 0.0}, "evaluations": 200, "seed": 1}
    found = one.dpl.calibrate(bucket(program), **call)
    assert float(found["objective"].max()) < 1e-3
    for name, value in theta(ds).isel(basin=[0]).items():
        np.testing.assert_allclose(found[name], value, rtol=0.05)


def test_it_is_taken_up_again_from_its_archive(ds, tmp_path):
    function, call = Counted(), QUICK | {"evaluations": 60}
    model = called(function, archive=tmp_path / "runs.zarr")
    first = ds.dpl.calibrate(model, **call)
    made = function.runs
    assert made <= int(first["evaluations"].sum())
    again = ds.dpl.calibrate(model, **call)
    xr.testing.assert_identical(first.drop_attrs(), again.drop_attrs())
    assert function.runs == made
    more = ds.dpl.calibrate(model, **call | {"evaluations": 90})
    assert function.runs - made <= int(more["evaluations"].sum()) - made
    assert Archive(model.archive).to_dataset().sizes["run"] == function.runs


def large_fail(forcings, parameters):
    if float(parameters["capacity"]) > 150.0:
        msg = "the bucket is too large"
        raise ValueError(msg)
    return run(forcings, parameters)


def test_runs_that_fail_are_infinitely_bad(ds):
    model = called(large_fail, batch=False)
    with pytest.warns(UserWarning, match="runs failed and are infinitely bad; the first: ValueError: the"):
        found = ds.dpl.calibrate(model, **QUICK, evaluations=100)
    assert (found["capacity"] <= 150.0).all() and np.isfinite(found["objective"]).all()
    said = json.loads(found.attrs["failed_messages"])
    assert sum(said.values()) == found.attrs["failed_runs"] > 20
    assert all("too large" in message for message in said)


def test_processes_are_shared_by_all_rounds(ds, monkeypatch):
    begun = []
    start = xdpl.blackbox.processes.Processes.start

    def counted(self, args, **options):
        begun.append(args)
        return start(self, args, **options)

    monkeypatch.setattr(xdpl.blackbox.processes.Processes, "start", counted)
    found = ds.dpl.calibrate(called(run, workers=2), **QUICK, evaluations=60)
    assert found["k"].notnull().all() and 1 <= len(begun) <= 2


def test_a_method_with_gradients_is_refused(ds):
    with pytest.raises(InputErrors, match=r'a model with gradients, got .*BlackBox.* fix: method="sce-ua"'):
        ds.dpl.calibrate(called(run), **QUICK, method="gradient")
    with pytest.raises(InputErrors, match=r"engine: expected 'process' or None"):
        ds.dpl.calibrate(called(run), **QUICK, engine="numba")


def test_runs_are_those_of_a_simulation(ds, tmp_path):
    """The period that is compared and its warm-up, in one archive with what is simulated."""
    function = Counted()
    model = called(function, archive=tmp_path / "runs.zarr")
    found = ds.dpl.calibrate(model, **QUICK, evaluations=60)
    made = function.runs
    sim = ds.dpl.simulate(replace(model, workers=0), found)
    assert function.runs == made
    scores = xdpl.evaluation.metrics(sim["runoff"][30:], ds["runoff"][30:])
    np.testing.assert_allclose(1.0 - scores["nse"], found["objective"], rtol=1e-9)
