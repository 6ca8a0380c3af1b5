"""A network in place of a model: what it gives, its gradients, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import xarray as xr
from helpers_learn import Bucket, assert_same_fit, world

import xdpl
from xdpl.errors import InputErrors
from xdpl.networks import LSTM, MLP
from xdpl.surrogate import Surrogate, audit, design, emulate

# A seventh of the seconds that a good one would take.
SETTINGS = {"network": LSTM(24), "window": 90, "batch": 48, "learning_rate": 0.02, "progress": False}


@pytest.fixture(scope="module")
def runs():
    theta = design(world(), Bucket(), 24)
    return theta, xdpl.simulate(world(), Bucket(), theta)


@pytest.fixture(scope="module")
def good(runs):
    return emulate(world(), Bucket(), *runs, outputs=["runoff"], epochs=60, **SETTINGS)


@pytest.fixture(scope="module")
def weak(runs):
    return emulate(world(), Bucket(), *runs, outputs=["runoff"], epochs=1, **SETTINGS)


@pytest.fixture(scope="module")
def elsewhere():
    return design(world(), Bucket(), 4, seed=7)


def test_it_gives_what_the_model_gives(good, elsewhere):
    found, true = good.simulate(world(), elsewhere), xdpl.simulate(world(), Bucket(), elsewhere)
    assert set(found["runoff"].dims) == {"time", "draw", "lat", "lon"}
    assert found["runoff"].attrs["units"] == "mm d-1"
    error = ((found - true)["runoff"] ** 2).mean("time") / true["runoff"].var("time")
    assert float(1.0 - error.median()) > 0.8
    assert good.outputs == ("runoff",)
    assert "of bucket, runoff, 144 runs" in repr(good)


def test_series_are_those_of_simulate_with_gradients(good):
    ds = world()
    theta = xr.Dataset({"leak": 0.05 + 0.001 * ds["sand"], "split": 0.1 + ds["clay"]})
    theta["leak"].attrs["units"], theta["split"].attrs["units"] = "d-1", "1"
    leaves = {k: torch.tensor(v.values.ravel(), requires_grad=True) for k, v in theta.data_vars.items()}
    rain = torch.tensor(ds["precipitation"].values.reshape(ds.sizes["time"], -1))
    series = good.series({"precipitation": rain}, leaves)["runoff"]
    expected = good.simulate(ds, theta)["runoff"].transpose("time", "lat", "lon").values
    np.testing.assert_allclose(series.detach().numpy(), expected.reshape(len(expected), -1), atol=1e-5)
    series.mean().backward()
    step = 1e-3
    for name in leaves:
        with torch.no_grad():
            ends = [
                good.series({"precipitation": rain}, leaves | {name: leaves[name] + d})["runoff"].mean()
                for d in (-step, step)
            ]
        slope = float(ends[1] - ends[0]) / (2.0 * step)
        np.testing.assert_allclose(float(leaves[name].grad.sum()), slope, rtol=0.05, atol=1e-3)


def test_some_runs_are_left_out(runs):
    theta, simulated = runs
    broken = simulated.copy()
    broken["runoff"] = simulated["runoff"].where(xr.DataArray(np.arange(24) > 3, dims="draw"))
    broken["runoff"].attrs = simulated["runoff"].attrs
    found = emulate(world(), Bucket(), theta, broken, outputs=["runoff"], epochs=1, **SETTINGS)
    assert found.fit.settings["training_sites"] == 20 * 6
    some = xr.DataArray(np.arange(24) < 5, dims="draw")
    found = emulate(world(), Bucket(), *runs, outputs=["runoff"], sites=some, epochs=1, **SETTINGS)
    assert found.fit.settings["training_sites"] == 5 * 6


def test_another_model_is_refused(good):
    from xdpl.errors import Problems

    problems = Problems("learn")
    good.check(Bucket(), problems)
    assert not problems.found
    good.check(Bucket(dt=2.0), problems)
    assert "one of the model 'bucket' as it is" in str(problems.found[0])


def test_other_statistics_are_refused(good):
    scaling = good.fit.scaling
    shifted = replace(scaling.forcings, mean=scaling.forcings.mean + 1.0)
    other = replace(good.fit, scaling=replace(scaling, forcings=shifted))
    stale = Surrogate(good.model, other, good.identity)
    with pytest.raises(InputErrors, match="the statistics and weights of its training"):
        stale.simulate(world())


def test_other_data_are_refused(good):
    ds = world()
    ds["precipitation"] = (ds["precipitation"] * 1000.0).assign_attrs(units="mm d-1")
    with pytest.raises(InputErrors, match="precipitation: expected forcings like those of the runs"):
        good.simulate(ds)


def test_what_cannot_be_imitated(runs):
    theta, simulated = runs
    with pytest.raises(InputErrors) as caught:
        emulate(world(), Bucket(), theta.isel(draw=0), simulated, outputs=["runof"], **SETTINGS)
    assert [e.subject for e in caught.value.exceptions] == ["outputs", "parameters"]


def test_a_good_one_passes_the_audit(good, elsewhere):
    found = audit(good, world(), elsewhere)
    assert found["slope"].dims == ("parameter", "output")
    assert found.attrs["failures"] == ""
    assert not bool(found["failed"].any())
    assert float(found["nse"].sel(output="runoff")) > 0.8
    # Each parameter matters.
    assert float(found["effect"].min()) > 0.02


def test_a_weak_one_is_stopped(weak, elsewhere):
    found = audit(weak, world(), elsewhere)
    assert bool(found["failed"].all())
    assert "split on runoff: slope" in found.attrs["failures"]


def test_effects_are_those_of_the_model(good, elsewhere):
    """By hand, of one parameter."""
    found = audit(good, world(), elsewhere, step=0.5, time=slice("2001-03", None))
    p = Bucket().parameters[1]
    low = np.clip(elsewhere["split"] - 0.25, 0.0, 0.5)
    runs = [
        xdpl.simulate(world(), Bucket(), elsewhere.assign(split=(low + d).assign_attrs(units="1")))["runoff"]
        for d in (0.0, 0.5)
    ]
    base = xdpl.simulate(world(), Bucket(), elsewhere)["runoff"].sel(time=slice("2001-03", None))
    change = (runs[1] - runs[0]).sel(time=slice("2001-03", None))
    effect = float((change**2).mean() ** 0.5 / base.std())
    np.testing.assert_allclose(
        float(found["effect"].sel(parameter=p.name, output="runoff")), effect, rtol=1e-4
    )


@pytest.mark.parametrize(
    ("options", "subject"),
    [
        ({"step": 0.0}, "step"),
        ({"slope": (2, 1)}, "slope"),
        ({"correlation": 2}, "correlation"),
        ({"effect": None}, "effect"),
    ],
)
def test_limits_that_are_none(good, options, subject):
    with pytest.raises(InputErrors) as caught:
        audit(good, world(), **options)
    assert [e.subject for e in caught.value.exceptions] == [subject]


def learn(surrogate, model=None, ds=None, **options):
    defaults = {"target": "runoff", "attributes": ["sand", "clay"], "network": MLP((16,)), "epochs": 60}
    return xdpl.learn(
        world() if ds is None else ds,
        Bucket() if model is None else model,
        gradients=surrogate,
        learning_rate=0.02,
        warmup=10,
        window=60,
        progress=False,
        **(defaults | options),
    )


def test_learning_through_it(good, weak):
    """Scores are those of the model itself."""
    direct, through, blind = (learn(s).evaluate(world())["nse"].median() for s in (None, good, weak))
    start = learn(None, epochs=1).evaluate(world())["nse"].median()
    assert float(direct) > 0.99
    assert float(through) - float(start) > 0.8 * float(direct - start)
    assert float(through) > float(blind)
    assert learn(good, epochs=1).settings["gradients"] == good.identity


def test_members_and_checkpoints(good, weak, tmp_path):
    call = {"members": 2, "epochs": 3, "checkpoint": tmp_path / "c"}
    first = learn(good, **call)
    assert first.parameters(world())["leak"].sizes["member"] == 2
    assert_same_fit(learn(good, **call), first)
    with pytest.raises(InputErrors, match="checkpoint"):
        learn(weak, **call)


def test_what_it_cannot_stand_in_for(good):
    with pytest.raises(InputErrors) as caught:
        ds = world()
        ds["wetness"] = ds["runoff"].assign_attrs(units="1")
        learn(good, model=Bucket(dt=2.0), ds=ds, target="wetness", warmup_gradient=False)
    text = str(caught.value)
    for said in ("of the model 'bucket' as it is", "one that imitates wetness", "leave warmup_gradient out"):
        assert said in text
    with pytest.raises(InputErrors, match=r"Loop or Surrogate of xdpl\.surrogate, or .*, got 3"):
        learn(3)
