"""One dataset through numpy and every scheduler of dask: the same bits and attributes."""

import contextlib
import functools

import dask
import numpy as np
import pytest
import xarray as xr
from helpers_learn import quick
from model_cases import weather

import xdpl

# What a lazy run cannot know of its parameters, and when it was set up.
DIFFERS = ("history", "parameters_hash")


@functools.cache
def fields():
    """Weather without potential evapotranspiration, attributes and observed streamflow of 4 by 6 sites."""
    ds = weather(("lat", "lon"), (4, 6), days=100)
    ds["lat"].attrs["units"] = "degrees_north"
    rng = np.random.default_rng(5)
    ds["slope"] = (("lat", "lon"), rng.uniform(0.0, 1.0, (4, 6)), {"units": "1"})
    observed = xdpl.simulate(ds, "hbv", {"fc": 150.0})["streamflow"]
    ds["streamflow"] = observed.where(rng.random(observed.shape) > 0.2).assign_attrs(observed.attrs)
    sea = ds["lat"] + ds["lon"] == ds["lat"][0] + ds["lon"][0]
    ds = ds.drop_vars("potential_evapotranspiration").map(lambda a: a.where(~sea).assign_attrs(a.attrs))
    return ds.transpose("lat", "time", "lon")


@functools.cache
def fit():
    ds = fields()
    return quick(
        ds.assign(potential_evapotranspiration=xdpl.pet(ds, "oudin")),
        model="hbv",
        target="streamflow",
        attributes=["slope"],
        train=slice("2001-01", "2001-03"),
        epochs=1,
    )


def results(ds):
    """Every way from data to results, one after the other."""
    demand = xdpl.pet(ds, "oudin")
    ds = ds.assign(potential_evapotranspiration=demand)
    sim, states = xdpl.simulate(ds, "hbv", return_states=True)
    learned = fit()
    return (
        demand.to_dataset(),
        sim,
        states,
        learned.parameters(ds),
        learned.simulate(ds),
        learned.evaluate(ds, time=slice("2001-02", None)),
    )


@functools.cache
def expected():
    return results(fields())


@contextlib.contextmanager
def cluster(processes):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=processes, dashboard_address=None
        ) as local,
        distributed.Client(local),
    ):
        yield


SCHEDULERS = {
    "synchronous": lambda: dask.config.set(scheduler="synchronous"),
    "threads": lambda: dask.config.set(scheduler="threads", num_workers=2),
    "processes": lambda: dask.config.set(scheduler="processes", num_workers=2),
    "cluster of threads": lambda: cluster(processes=False),
    "cluster of processes": lambda: cluster(processes=True),
}


@pytest.mark.parametrize("name", SCHEDULERS)
def test_bits_and_attributes_are_those_of_numpy(name):
    wanted = expected()
    with SCHEDULERS[name]():
        lazy = results(fields().chunk(time=-1, lat=2, lon=3))
        assert all(a.chunks is not None for ds in lazy for a in ds.values())
        computed = dask.compute(*lazy)
    for a, b in zip(computed, wanted, strict=True):
        assert a.attrs.keys() == b.attrs.keys()
        xr.testing.assert_identical(a.assign_attrs({k: b.attrs[k] for k in DIFFERS if k in b.attrs}), b)
    assert all(v.notnull().any() for ds in wanted for v in ds.values())
    assert wanted[1].isnull().any("time")["streamflow"].sum() == 1


@pytest.fixture
def runs(monkeypatch):
    """Shapes of the blocks that an engine ran."""
    shapes, run = [], xdpl.engines.run

    def noted(engine, model, forcings, *args, **kwargs):
        shapes.append(forcings["precipitation"].shape)
        return run(engine, model, forcings, *args, **kwargs)

    monkeypatch.setattr(xdpl.engines, "run", noted)
    return shapes


def test_an_engine_runs_once_per_block(runs):
    ds = weather(("lat", "lon"), (4, 6)).chunk(time=-1, lat=2, lon=4)
    sim, states = xdpl.simulate(ds, "hbv", return_states=True)
    assert runs == []
    with dask.config.set(scheduler="synchronous"):
        dask.compute(sim, states)
        assert sorted(runs) == [(40, 4), (40, 4), (40, 8), (40, 8)]
        runs.clear()
        sim[["streamflow"]].compute()
    assert len(runs) == 4


def test_scores_run_an_engine_once_per_block(runs):
    ds = fields().chunk(time=-1, lat=2, lon=6)
    ds = ds.assign(potential_evapotranspiration=xdpl.pet(ds, "oudin"))
    scores = fit().evaluate(ds)
    runs.clear()
    with dask.config.set(scheduler="synchronous"):
        scores.compute()
    assert len(runs) == 2
