"""From a program without gradients to its learned parameters, through a surrogate."""

import numpy as np
import pytest
import xarray as xr
from helpers_bucket import Twin, called, days, run

import xdpl
from xdpl.networks import LSTM, MLP
from xdpl.surrogate import audit, design, emulate


@pytest.fixture(scope="module")
def world():
    """Twelve basins whose recession and capacity follow two attributes, and the truth."""
    ds = days(sites=12, length=200)
    rng = np.random.default_rng(8)
    for name in ("slope", "soil"):
        ds[name] = ("basin", rng.random(12), {"units": "1"})
    truth = xr.Dataset({"k": 0.02 * np.exp(3.0 * ds["slope"]), "capacity": 40.0 + 200.0 * ds["soil"]})
    truth["k"].attrs, truth["capacity"].attrs = {"units": "d-1"}, {"units": "mm"}
    ds["runoff"] = xdpl.simulate(ds, Twin(), truth)["runoff"]
    return ds, truth


def test_parameters_of_a_black_box_are_learned(world):
    ds, truth = world
    model = called(run)
    theta = design(ds, model, 24)
    runs = xdpl.simulate(ds, model, theta, outputs=["runoff"])
    settings = {"window": 100, "warmup": 30, "learning_rate": 0.02, "progress": False}
    imitation = emulate(ds, model, theta, runs, network=LSTM(24), epochs=60, batch=48, **settings)
    found = audit(imitation, ds, design(ds, model, 2, seed=5))
    assert float(found["nse"].sel(output="runoff")) > 0.8
    assert found.attrs["failures"] == ""
    fit = xdpl.learn(
        ds,
        model,
        target="runoff",
        attributes=["slope", "soil"],
        network=MLP((16,)),
        gradients=imitation,
        epochs=80,
        **settings,
    )
    # Scores are those of runs of the black box itself.
    learned, default = (
        s["nse"] for s in (fit.evaluate(ds), xdpl.evaluation.metrics(_default(ds), ds["runoff"]))
    )
    assert float(learned.median()) > 0.9 > float(default.median())
    theta = fit.parameters(ds)
    for name in ("k", "capacity"):
        assert np.corrcoef(theta[name], truth[name])[0, 1] > 0.9


def _default(ds):
    return xdpl.simulate(ds, Twin())["runoff"]
