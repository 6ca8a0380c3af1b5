"""Python functions as models: in this process, and in processes that may hang or die."""

import time

import cloudpickle
import numpy as np
import pytest
import xarray as xr
from helpers_bucket import Twin, called, days, dies, raises, run, slow, theta

from xdpl.errors import InputErrors


@pytest.fixture(scope="module")
def ds():
    return days()


@pytest.fixture(scope="module")
def values(ds):
    """Parameters of which the second site is the one that fails."""
    found = theta(ds)
    return found.assign(capacity=("basin", [100.0, 350.0, 50.0], {"units": "mm"}))


@pytest.fixture(scope="module")
def truth(ds, values):
    return ds.dpl.simulate(Twin(), values, engine="array")


@pytest.mark.parametrize("batch", [True, False])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_function_is_its_twin(ds, values, truth, workers, batch):
    found = ds.dpl.simulate(called(run, workers=workers, batch=batch), values)
    for name in truth:
        np.testing.assert_allclose(found[name], truth[name], rtol=1e-12)


def test_what_it_is_given(ds, values):
    seen = []

    def look(forcings, parameters):
        seen.append((forcings, parameters))
        return run(forcings, parameters)

    ds.dpl.simulate(called(look, batch=False), values)
    assert len(seen) == 3
    forcings, parameters = seen[1]
    xr.testing.assert_equal(forcings.drop_attrs(), ds.isel(basin=1, drop=True).drop_attrs())
    assert forcings["demand"].attrs["units"] == "mm d-1" and float(parameters["capacity"]) == 350.0
    ds.dpl.simulate(called(look), values)
    forcings, parameters = seen[-1]
    assert forcings["demand"].dims == ("time", "site") and parameters["k"].dims == ("site",)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (slow, r"killed after 2 s"),
        (dies, r"the process of the function died, exit code 7: out of memory"),
        (raises, r"ValueError: the bucket is too large \(line \d+ of helpers_bucket.py\)"),
    ],
)
def test_one_that_fails_takes_no_other_with_it(ds, values, truth, function, says):
    model = called(function, workers=2, timeout=2.0)
    begin = time.monotonic()
    with pytest.warns(UserWarning, match=f"1 of 3 runs failed and are NaN; the first: {says}"):
        found = ds.dpl.simulate(model, values)
    assert time.monotonic() - begin < 40.0
    assert found["runoff"].isnull().any("time").values.tolist() == [False, True, False]
    np.testing.assert_allclose(found["runoff"][:, ::2], truth["runoff"][:, ::2], rtol=1e-12)


def test_a_run_is_tried_again(ds, values):
    calls = []

    def flaky(forcings, parameters):
        calls.append(float(parameters["capacity"]))
        if len(calls) < 3:
            msg = "the licence server is away"
            raise OSError(msg)
        return run(forcings, parameters)

    one = values.isel(basin=[0])
    with pytest.warns(UserWarning, match="OSError: the licence server is away"):
        ds.isel(basin=[0]).dpl.simulate(called(flaky, batch=False, retries=1), one)
    calls.clear()
    found = ds.isel(basin=[0]).dpl.simulate(called(flaky, batch=False, retries=2), one)
    assert calls == [100.0] * 3 and not found["runoff"].isnull().any()


WRONG = {
    "no output 'evaporation'; there are runoff": lambda f, p: run(f, p)[["runoff"]],
    r"output 'runoff' has shape \(29, 1\), not \(30, 1\)": lambda f, p: {
        k: v.values[1:] for k, v in run(f, p).items()
    },
    r"output 'runoff' has dims \('time',\)": lambda f, p: run(f, p).isel(site=0),
    "output 'runoff' has other dates": lambda f, p: run(f, p).assign_coords(
        time=f["time"] + np.timedelta64(1, "D")
    ),
    "outputs are a list, not a Dataset": lambda f, p: [1.0],
    "output 'runoff' has no numbers": lambda f, p: {"runoff": "much", "evaporation": "little"},
    "output 'evaporation' is not finite at 1 of 30 steps": lambda f, p: (
        run(f, p)
        .where(lambda v: (v["time"] > v["time"][0]) | (v["runoff"] < -1.0))[["evaporation"]]
        .assign(runoff=f["demand"])
    ),
}


@pytest.mark.parametrize("says", WRONG)
def test_outputs_that_are_none(ds, says):
    with pytest.warns(UserWarning, match=f"1 of 1 runs failed and are NaN; the first: {says}"):
        found = ds.isel(basin=[0]).dpl.simulate(called(WRONG[says]))
    assert found[["runoff", "evaporation"]].isnull().all().to_array().all()


def test_functions_of_a_session_go_along(ds, values, truth):
    size = 20.0

    def of_here(forcings, parameters):
        assert size == 20.0
        print("this goes to no pipe")
        return run(forcings, parameters)

    found = ds.dpl.simulate(called(of_here, workers=1), values)
    np.testing.assert_allclose(found["runoff"], truth["runoff"], rtol=1e-12)


def test_a_function_that_no_process_can_have(ds, monkeypatch):
    def refuse(_):
        msg = "it holds a file"
        raise TypeError(msg)

    monkeypatch.setattr(cloudpickle, "dumps", refuse)
    model = called(lambda f, p: run(f, p), workers=1)
    with pytest.raises(
        InputErrors, match="one that they cannot have: it holds a file; fix: move it into a module"
    ):
        ds.dpl.simulate(model)


def test_two_models_at_once_and_blocks_share_processes(ds, values, truth):
    lazy = ds.chunk(basin=1).dpl.simulate(called(run, workers=2), values)
    found = lazy.compute(scheduler="threads", num_workers=3)
    np.testing.assert_allclose(found["runoff"], truth["runoff"], rtol=1e-12)


def test_a_function_object_that_has_no_hash(ds, values, truth):
    class Program:
        __hash__ = None

        def __call__(self, forcings, parameters):
            return run(forcings, parameters)

    found = ds.dpl.simulate(called(Program()), values)
    np.testing.assert_allclose(found["runoff"], truth["runoff"], rtol=1e-12)


def test_dates_of_cftime_come_back_as_others(ds, values):
    """As netCDF does with the standard calendar."""
    when = xr.date_range("2001-01-01", periods=30, calendar="standard", use_cftime=True)

    def through_a_file(forcings, parameters):
        return run(forcings, parameters).assign_coords(time=ds["time"])

    found = ds.assign_coords(time=when).dpl.simulate(called(through_a_file), values)
    assert found.attrs["failed_runs"] == 0
