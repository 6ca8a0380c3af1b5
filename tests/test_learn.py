"""Learning on the synthetic world, from the dataset to held-out sites and time."""

import inspect
import warnings

import numpy as np
import pytest
import xarray as xr
from helpers_learn import fitted, quick, training_sites, twin, weights

import xdpl
from xdpl.models.hbv import HBV

LATER = slice("2001-11", None)


@pytest.fixture(scope="module")
def ds():
    return twin()


@pytest.fixture(scope="module")
def fit():
    return fitted()


def nrmse(simulated, truth):
    """Against the noise-free truth."""
    return np.sqrt(((simulated - truth) ** 2).mean("time")) / truth.std("time")


def test_loss_decreases_clearly(fit):
    assert fit.settings["stopped"] == "finished"
    losses = fit.history["loss"].values
    assert losses[-3:].mean() < 0.75 * losses[0]
    assert fit.history["validation_loss"].min() < 0.75 * fit.history["validation_loss"][0]


@pytest.mark.parametrize("where", ["training sites", "held-out sites"])
def test_better_than_the_defaults_on_held_out_time(fit, ds, where):
    chosen = training_sites(ds) if where == "training sites" else ~training_sites(ds)
    truth = ds["true_soil_moisture"].sel(time=LATER)
    learned = fit.simulate(ds)["soil_moisture"].sel(time=LATER)
    default = ds.dpl.simulate("vic")["soil_moisture"].sel(time=LATER)
    a, b = (nrmse(s, truth).where(chosen) for s in (learned, default))
    assert float(a.median()) < 0.6 * float(b.median())
    assert int(a.count()) == (22 if where == "training sites" else 8)


def test_porosity_is_closer_to_the_truth(fit, ds):
    theta = fit.parameters(ds)
    learned = abs(theta["porosity"] - ds["true_porosity"]).mean()
    default = abs(0.45 - ds["true_porosity"]).mean()
    assert learned < 0.8 * default


def test_settings_say_how_it_was_trained(fit):
    expected = {
        "targets": {"soil_moisture": "soil_moisture"},
        "loss": {"soil_moisture": "nrmse"},
        "weights": {"soil_moisture": 1.0},
        "observation": {"soil_moisture": "none: compared as they are"},
        "objective": "pooled",
        "members": 1,
        "dynamic": [],
        "dynamic_dropout": 0.0,
        "order": [],
        "priors": {},
        "train": ["2001-02-01", "2001-08-31"],
        "validate": ["2001-09-01", "2001-10-31"],
        "validation_sites": None,
        "training_sites": 22,
        "warmup": 15,
        "warmup_gradient": True,
        "window": 60,
        "batch": 48,
        "epochs": 8,
        "seed": 0,
        "coverage": None,
        "learning_rate": 0.02,
        "schedule": "cosine",
        "pretrain": 0,
        "weight_decay": 0.0,
        "patience": 30,
        "clip": 1.0,
        "gradients": None,
        "engine": "numba",
    }
    assert {k: fit.settings[k] for k in expected} == expected
    assert set(fit.settings) == {*expected, "stopped", "best_epoch"}
    assert fit.forcings == {
        n: n for n in ("precipitation", "air_temperature", "potential_evapotranspiration")
    }
    assert fit.attributes == {"sand": "percent", "clay": "percent", "ndvi": "1", "elevation": "m"}


def test_accessor_is_the_function(ds):
    assert (
        inspect.signature(ds.dpl.learn).parameters.keys() <= inspect.signature(xdpl.learn).parameters.keys()
    )
    options = {"target": "soil_moisture", "attributes": ["sand"], "epochs": 1, "window": 10, "warmup": 2}
    options |= {"train": slice("2001-03-01", "2001-03-20"), "progress": False}
    a, b = ds.dpl.learn("vic", **options), xdpl.learn(ds, "vic", **options)
    np.testing.assert_array_equal(weights(a), weights(b))


@pytest.mark.parametrize("model", ["hbv", HBV(variant="capillary")], ids=str)
def test_hbv_on_streamflow(ds, model):
    ds = ds.isel(lat=[0, 1], lon=[3, 4, 5])  # where it rains
    truth = xr.Dataset(
        {"k0": 0.05 + 0 * ds["sand"], "k1": 0.02 + 0 * ds["sand"], "fc": 80.0 + 0 * ds["sand"]}
    )
    for name, units in {"k0": "d-1", "k1": "d-1", "fc": "mm"}.items():
        truth[name].attrs = {"units": units}
    ds["streamflow"] = ds.dpl.simulate(model, truth, outputs=["streamflow"])["streamflow"]
    fit = ds.dpl.learn(
        model,
        target="streamflow",
        attributes=["sand", "clay"],
        train=slice("2001-04", "2001-08"),
        epochs=10,
        warmup=60,
        learning_rate=0.02,
        progress=False,
    )
    # One batch of whole series: every epoch poses the same problem.
    assert fit.history["loss"][-1] < 0.8 * fit.history["loss"][0]
    assert fit.evaluate(ds, time=slice("2001-09", None))["rmse"].attrs["units"] == "mm d-1"


def test_quick_world_is_learned_almost_exactly():
    from helpers_learn import world

    ds = world()
    fit = quick(ds, epochs=80, learning_rate=0.05, window=60, sites=ds["lat"] + ds["lon"] < 48)
    theta = fit.parameters(ds).where(ds["lat"] + ds["lon"] < 48)
    np.testing.assert_allclose(theta["leak"], (0.02 + 0.006 * ds["sand"]).where(theta["leak"] > 0), rtol=0.15)


def test_whole_record_and_defaults_of_the_arguments(ds):
    small = ds.isel(lat=[0], lon=[0], time=slice(0, 45))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit = small.dpl.learn("vic", target="soil_moisture", attributes=["sand"], epochs=1, progress=False)
    assert fit.settings["train"] == ["2001-01-01", "2001-02-14"]
    assert (fit.settings["warmup"], fit.settings["window"]) == (30, 15)
    assert fit.settings["validate"] is None
    assert fit.network_spec == xdpl.networks.MLP()


def test_where_the_model_is_right_parameters_keep_off_their_bounds(fit, ds):
    near = xdpl.evaluation.at_bounds(fit.parameters(ds))
    assert max(float(v) for v in near.values()) < 0.1
