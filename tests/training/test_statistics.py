"""What the fit may know: training sites and the training period, nothing else."""

import numpy as np
import pytest
import torch
import xarray as xr
from helpers_learn import ATTRIBUTES, Bucket, assert_same_fit, quick, world

from xdpl.errors import Problems
from xdpl.labelled.grid import Grid
from xdpl.networks.base import Inputs
from xdpl.training import arrays
from xdpl.training.request import Request, inspect

TRAIN = slice("2001-02-01", "2001-04-30")


@pytest.fixture
def held_out():
    """Training sites: all but the last column."""
    ds = world()
    return (ds["lon"] < 7.0) & (ds["lat"] > 0)


def gathered(ds, sites=None, validate=None):
    unset: dict = dict.fromkeys(Request.__dataclass_fields__) | {
        "dynamic": (),
        "members": 1,
        "objective": "pooled",
    }
    request = Request(
        **(unset | {"model": Bucket(), "target": "runoff", "attributes": ATTRIBUTES, "network": "mlp"})
        | {"loss": "nrmse", "epochs": 1, "batch": 1, "window": 1, "warmup": 0, "patience": 1, "seed": 0}
        | {"learning_rate": 0.1, "clip": 1.0, "dynamic_dropout": 0.0, "weight_decay": 0.0}
        | {"schedule": "cosine", "pretrain": 0, "observation": "identity", "order": ()}
    )
    problems = Problems("learn")
    inputs = inspect(ds, request, problems)
    when = arrays.periods(ds, TRAIN, validate)
    return arrays.gather(ds, inputs, Grid.of(ds, ["precipitation"]), sites, validate, when, problems)


def test_mean_and_standard_deviation_by_hand(held_out):
    ds = world()
    fit = quick(ds, sites=held_out)
    # The mask has its dims the other way round.
    chosen = held_out.transpose("lat", "lon").values.ravel()
    for i, name in enumerate(ATTRIBUTES):
        values = ds[name].values.ravel()[chosen]
        assert fit.scaling.attributes.mean[i] == pytest.approx(values.mean(), rel=1e-12)
        assert fit.scaling.attributes.std[i] == pytest.approx(values.std(), rel=1e-12)
    assert fit.settings["training_sites"] == 4


def test_network_sees_normalised_attributes():
    ds = world()
    fit = quick(ds)
    moments = fit.scaling.attributes
    normal = np.stack(
        [
            (ds[n].values.ravel() - m) / s
            for n, m, s in zip(ATTRIBUTES, moments.mean, moments.std, strict=True)
        ]
    )
    with torch.no_grad():
        expected = fit.network(Inputs(torch.tensor(normal.T, dtype=torch.float32)))
    for name, values in expected.items():
        np.testing.assert_allclose(fit.parameters(ds)[name].values.ravel(), values.numpy(), rtol=1e-6)


def test_held_out_sites_change_nothing(held_out):
    ds = world()
    other = ds.copy(deep=True)
    for name in (*ATTRIBUTES, "runoff", "precipitation"):
        changed = other[name].where(held_out, 3.0 * other[name] + 1.0)
        other[name] = changed.transpose(*ds[name].dims).assign_attrs(ds[name].attrs)
    assert not other["sand"].equals(ds["sand"])
    assert_same_fit(quick(ds, sites=held_out), quick(other, sites=held_out))


@pytest.mark.parametrize("name", ["runoff", "precipitation"])
def test_what_comes_after_the_training_period_changes_nothing(name):
    ds = world()
    other = ds.copy(deep=True)
    other[name][ds.indexes["time"] > "2001-04-30"] *= 5.0
    assert_same_fit(quick(ds), quick(other))


def test_observations_before_the_training_period_change_nothing():
    ds = world()
    other = ds.copy(deep=True)
    other["runoff"][:31] = 99.0
    assert_same_fit(quick(ds), quick(other))


def test_forcings_right_before_the_training_period_are_the_warmup():
    ds = world()
    for first_day, same in ((20, True), (21, False)):
        # The period starts at index 31; ten steps of warm-up start at index 21.
        other = ds.copy(deep=True)
        other["precipitation"][first_day] += 50.0
        a, b = quick(ds), quick(other)
        assert (a.history["loss"].values == b.history["loss"].values).all() == same


def test_validation_is_scored_and_not_learned(held_out):
    ds = world()
    late = slice("2001-05-01", None)
    other = ds.copy(deep=True)
    other["runoff"][ds.indexes["time"] > "2001-04-30"] *= 1.1
    a, b = (quick(d, validate=late, patience=99) for d in (ds, other))
    np.testing.assert_array_equal(a.history["loss"], b.history["loss"])
    assert (a.history["validation_loss"] != b.history["validation_loss"]).all()


def test_validation_sites_are_held_out(held_out):
    ds = world()
    fit = quick(ds, validate=~held_out)
    assert (fit.settings["training_sites"], fit.settings["validation_sites"]) == (4, 2)
    np.testing.assert_array_equal(
        fit.scaling.attributes.mean, quick(ds, sites=held_out).scaling.attributes.mean
    )
    np.testing.assert_array_equal(fit.history["loss"], quick(ds, sites=held_out).history["loss"])
    assert "2 sites, 2001-02-01 to 2001-04-30" in repr(fit)


def test_spread_is_the_standard_deviation_of_the_training_period():
    ds = world()
    ds["runoff"][:, 0, 0] = ds["runoff"][:, 0, 0] * 0 + 1.0  # a site that does not vary
    found = gathered(ds)
    spread = ds["runoff"].sel(time=TRAIN).std("time").values.ravel()
    np.testing.assert_allclose(found.std["runoff"], spread, rtol=1e-4, atol=1e-7)
    assert found.typical["runoff"] == pytest.approx(np.median(spread), rel=1e-4)


def test_where_nothing_varies():
    ds = world()
    ds["runoff"] = (ds["runoff"] * 0 + 2.0).assign_attrs(units="mm d-1")
    np.testing.assert_array_equal(gathered(ds).std["runoff"], 0.0)
    assert np.isfinite(quick(ds).history["loss"]).all()


def test_constant_attribute_is_harmless():
    ds = world()
    ds["flat"] = xr.full_like(ds["sand"], 0.3)
    fit = quick(ds, attributes=["flat", "clay"])
    assert fit.scaling.attributes.std[0] == 1.0
    assert fit.parameters(ds).to_array().notnull().all()


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        (None, (0, 199)),
        (slice("2001-02", "2001-03"), (31, 89)),
        (slice(None, "2001-01-10"), (0, 9)),
        (slice("2001-07-01", None), (181, 199)),
        (slice(np.datetime64("2001-01-02"), np.datetime64("2001-01-03")), (1, 2)),
    ],
)
def test_periods_are_inclusive_index_pairs(period, expected):
    assert arrays.periods(world(), period, None) == {"train": expected}


def test_a_mask_is_validated_over_the_training_period(held_out):
    when = arrays.periods(world(), TRAIN, held_out)
    assert when["validate"] == when["train"] == (31, 119)
