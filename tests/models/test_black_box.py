"""Declarations of an external model, what refuses it, and one from a package of somebody else."""

from dataclasses import replace
from importlib.metadata import EntryPoint

import numpy as np
import pytest
import xarray as xr
from helpers_bucket import FLUXES, FORCINGS, PARAMETERS, Twin, called, days, run, theta

import xdpl
from xdpl import models
from xdpl.errors import InputErrors
from xdpl.evaluation import gradient_audit, identifiability, standard_errors
from xdpl.models import BlackBox, Flux, Forcing, Parameter
from xdpl.networks import LSTM
from xdpl.surrogate import Loop

# As a package does it: an instance in a module, named by an entry point.
bucket = called(run)


def refused(call):
    """Problems by their subjects."""
    with pytest.raises(InputErrors) as caught:
        call()
    return {p.subject: str(p) for p in caught.value.exceptions}


@pytest.fixture(scope="module")
def ds():
    data = days(length=100)
    data["sand"] = ("basin", [0.1, 0.5, 0.9], {"units": "1"})
    return data.assign(runoff=data.dpl.simulate(Twin(), engine="array")["runoff"])


@pytest.fixture
def installed(monkeypatch):
    entry = EntryPoint("bucket", f"{__name__}:bucket", "xdpl.models")
    monkeypatch.setattr(models, "_found", lambda: {"bucket": entry, "vic": "xdpl.models.vic:VIC"})


def test_known_by_name_through_an_entry_point(installed, ds):
    assert models.available() == ["bucket", "vic"] and models.get("bucket") is bucket
    assert models.restore("bucket", bucket.options()) is bucket
    assert ds.dpl.check("bucket").ok
    found = xdpl.simulate(ds, "bucket", theta(ds))
    truth = xdpl.simulate(ds, Twin(), theta(ds), engine="array")
    np.testing.assert_allclose(found["runoff"], truth["runoff"], rtol=1e-12)
    best = xdpl.calibrate(ds, "bucket", target="runoff", warmup=10, evaluations=20, progress=False)
    assert best.attrs["model"] == "bucket"
    loop = Loop(
        draws=6,
        rounds=1,
        emulator={"network": LSTM(16), "epochs": 80},
        audit={"slope": (-9.0, 9.0), "correlation": 0.0, "effect": 1.0},
    )
    call = {"target": "runoff", "attributes": ["sand"], "warmup": 10, "epochs": 10, "progress": False}
    # The world was made with the defaults.
    with pytest.warns(RuntimeWarning, match="worse in 'bucket' than its defaults"):
        fit = xdpl.learn(ds, "bucket", gradients=loop, **call)
    assert fit.model is bucket and fit.history["model_rmse"].notnull().all()


def test_parameters_are_carried_to_other_sites(installed, ds):
    """What is made from parameters needs no step."""
    known = theta(ds).where(ds["basin"] != "b1")
    regional = ds.dpl.regionalise("bucket", known, target="runoff", attributes=["sand"])
    sim = regional.simulate(ds, outputs="runoff")
    assert sim["runoff"].notnull().all()


OF_SITES = {"target": "runoff"}
WITH_NOISE = OF_SITES | {"noise": 1.0}
CALLS = {
    "gradient": lambda ds: ds.dpl.calibrate(bucket, method="gradient", **OF_SITES),
    "identifiability": lambda ds: identifiability(ds, bucket, None, **WITH_NOISE),
    "standard_errors": lambda ds: standard_errors(ds, bucket, None, attributes=["sand"], **WITH_NOISE),
    "gradient_audit": lambda ds: gradient_audit(ds, bucket, None, **OF_SITES),
}


@pytest.mark.parametrize("call", CALLS)
def test_what_needs_gradients_refuses_it(ds, call):
    said = refused(lambda: CALLS[call](ds))["model"]
    assert "a model with gradients, got 'bucket', a BlackBox, which has neither a step nor gradients" in said


def test_learning_goes_through_a_surrogate():
    """Unless gradients are given in another way."""
    from xdpl.errors import Problems
    from xdpl.surrogate import Loop
    from xdpl.training.entry import with_gradients

    problems = Problems("learn")
    assert with_gradients(bucket, None, problems) == Loop()
    assert with_gradients(bucket, "others", problems) == "others"
    assert with_gradients("vic", None, problems) is None


def test_states_are_its_own(ds):
    state = xr.Dataset({"storage": ((), 20.0, {"units": "mm"})})
    for call in (
        lambda: ds.dpl.simulate(bucket, return_states=True),
        lambda: ds.dpl.simulate(bucket, initial=state),
        lambda: days(length=400).dpl.spin_up(bucket),
    ):
        said = refused(call)["states"]
        assert "no states, which 'bucket' as a BlackBox keeps to itself" in said
    with pytest.raises(TypeError, match="a BlackBox, which has no step"):
        bucket.step(np, None, None, None)


def test_all_that_is_wrong_with_a_run_is_said_at_once(ds):
    k = xr.DataArray(np.full(100, 0.1), dims="time", coords={"time": ds["time"]}, attrs={"units": "d-1"})
    said = refused(lambda: ds.dpl.simulate(bucket, {"k": k, "melt": 1.0}, engine="numba", outputs="snow"))
    assert set(said) == {"k", "melt", "engine", "outputs"}
    assert "one value for a run" in said["k"]
    assert "'process' or None, since 'bucket' is a BlackBox" in said["engine"]


def test_process_is_the_engine_of_no_other_model(ds):
    assert (
        "'array', 'cuda', 'numba' or None"
        in refused(lambda: ds.dpl.simulate(Twin(), engine="process"))["engine"]
    )
    named = ds.dpl.simulate(bucket, engine="process")
    np.testing.assert_array_equal(named["runoff"], ds.dpl.simulate(bucket)["runoff"])


def test_declarations_that_cannot_be_are_refused_together():
    said = refused(
        lambda: BlackBox(
            "odd",
            [Forcing("time", "1"), "rain"],
            [Parameter("a b", 0.0, 1.0, "1", 0.5), Parameter("q", 0.0, 1.0, "1", 0.5)],
            [Flux("q", "mm d-1")],
            "run.sh",
            version=2,
            outputs=["snow"],
            dt=0.0,
            workers=-1,
            retries=1.5,
            timeout=float("nan"),
            batch="no",
        )
    )
    names = {
        "time",
        "forcings",
        "a b",
        "q",
        "run",
        "version",
        "outputs",
        "dt",
        "workers",
        "retries",
        "timeout",
    }
    assert set(said) == names | {"batch"}
    said = refused(lambda: BlackBox("none", [], [], [], run, archive="x", workers=0, timeout=1.0))
    assert set(said) == {"forcings", "fluxes", "version", "timeout"}
    assert "a process that can be killed" in said["timeout"]


def test_reads_well():
    lines = repr(called(run, workers=1, timeout=5.0)).splitlines()
    assert lines[0].startswith("BlackBox(name='bucket', run=<function run at") and "timeout=5.0" in lines[0]
    assert any("0.001 – 0.9" in line and "recession" in line for line in lines)
    assert "outputs" in repr(bucket) and "runoff (mm d-1), evaporation (mm d-1)" in repr(bucket)


def test_what_is_given_as_lists_is_kept_as_tuples():
    model = BlackBox("bucket", list(FORCINGS), list(PARAMETERS), list(FLUXES), run, version="1", workers=0)
    assert model == bucket and hash(model) == hash(bucket)
    assert model.outputs == ("runoff", "evaporation") and replace(model, outputs="runoff").outputs == (
        "runoff",
    )
    assert model.processes == 0 and replace(model, workers=None).processes >= 1
