"""Tuned intervals hold validation data as often as they should, whatever the scale before."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from helpers_learn import quick, world

from xdpl.errors import InputErrors, Problems
from xdpl.evaluation import coverage
from xdpl.uncertainty import Posterior, deep_ensemble
from xdpl.uncertainty.moments import Moments
from xdpl.uncertainty.observations import observations
from xdpl.uncertainty.tuning import Validation, smallest_scale
from xdpl.uncertainty.windows import Windows


@pytest.fixture(scope="module")
def posterior():
    return deep_ensemble(quick(seed=[0, 1, 2, 3], epochs=10), world())


@pytest.fixture(scope="module")
def drawn(posterior):
    """A world observed with an error of 0.2, whose parameters are a sample of three times the spread."""
    ds = xr.concat([world()] * 40, "copy", data_vars="all").transpose("time", ...)
    spread = replace(posterior, scale=3.0)
    maps = spread.parameters(world(), samples=40, seed=7).rename(sample="copy").drop_vars("copy")
    from xdpl import simulate

    true = simulate(world(), posterior.model, maps.transpose(..., "copy"), outputs=["runoff"])["runoff"]
    error = 0.2 * np.random.default_rng(0).normal(size=true.shape)
    return ds.assign(
        runoff=(true + error).assign_attrs(true.attrs).transpose("time", ...),
        true_runoff=true.transpose("time", ...),
    )


def test_scale_is_found_again(posterior, drawn):
    tuned = posterior.tuned(drawn, window=5, samples=200, observation_error=0.2)
    assert isinstance(tuned, Posterior)
    assert 2.2 < tuned.scale < 4.0
    assert tuned.observation_error == {"runoff": 0.2}
    again = replace(posterior, scale=9.0).tuned(drawn, window=5, samples=200, observation_error=0.2)
    assert again.scale == tuned.scale and again.settings["tuned"] == {"level": 0.9, "window": 5}


def test_intervals_hold_the_truth_when_tuned(posterior, drawn):
    true = drawn.assign(runoff=drawn["true_runoff"])
    held = {}
    for name, found in (
        ("raw", posterior),
        ("tuned", posterior.tuned(drawn, window=5, samples=200, observation_error=0.2)),
    ):
        intervals = found.prediction_intervals(drawn, observed=False, quantiles=(0.05, 0.95), samples=200)
        held[name] = float(coverage(intervals, true[["runoff"]])["runoff"])
    assert held["raw"] < 0.75 and 0.8 < held["tuned"] < 0.97


def test_error_is_what_samples_do_not_scatter(posterior, drawn):
    """Residuals within windows are errors of observation, and of simulations that change as fast."""
    ds = drawn.isel(copy=slice(0, 10))
    data = observations(posterior.fits[0], ds, None, None, Problems("x"))
    observed = {k: v.numpy().astype(float) for k, v in data.observed.items()}
    moments = Moments.of(posterior.fits, ds, 1.0)
    validation = Validation(ds, data, {k: Windows(v, 20) for k, v in observed.items()}, moments, 4, 0)
    rng = np.random.default_rng(1)
    samples = np.nan_to_num(observed["runoff"]) + rng.normal(size=(400, *observed["runoff"].shape))
    wide = validation.errors({"runoff": samples - 0.0}, {})
    assert wide["runoff"] < 0.12 * np.nanstd(samples - observed["runoff"])
    noisy = observed["runoff"] + 2.0 * rng.normal(size=observed["runoff"].shape)
    validation = Validation(ds, data, {"runoff": Windows(noisy, 20)}, moments, 4, 0)
    np.testing.assert_allclose(
        validation.errors({"runoff": samples}, {})["runoff"], np.sqrt(4.0 - 1.0), rtol=0.1
    )
    assert validation.errors({"runoff": samples}, {"runoff": 0.7}) == {"runoff": 0.7}


def test_smallest_scale():
    np.testing.assert_allclose(smallest_scale(lambda s: s / (1.0 + s), 0.75), 3.0, rtol=4e-3)
    np.testing.assert_allclose(smallest_scale(lambda s: 1.0, 0.9), 1.0)
    np.testing.assert_allclose(smallest_scale(lambda s: 0.0, 0.9), 20.0)


def test_every_problem(posterior):
    with pytest.raises(InputErrors, match=r"Posterior.tuned cannot run") as caught:
        posterior.tuned(world().drop_vars("runoff"), level=1.0, window=1, samples=1)
    assert {"level", "window", "samples"} <= {e.subject for e in caught.value.exceptions}
    once = world()
    once["runoff"] = once["runoff"].where(once["time"].dt.day == 1)
    with pytest.raises(InputErrors, match="observations whose error shows"):
        posterior.tuned(once, window=20)
