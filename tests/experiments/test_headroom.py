"""Every way to a target at the sites of the training."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import xdpl
from xdpl.errors import InputErrors
from xdpl.experiments import headroom
from xdpl.experiments.headroom import CONTENDERS
from xdpl.experiments.reports.headroom import table


@pytest.fixture(scope="module")
def result(small_case):
    return headroom(small_case, seeds=(0, 1), progress=False)


def test_what_comes_back(result):
    assert result["rmse"].dims == ("contender", "seed", "lat", "lon")
    assert np.isfinite(result["rmse"]).all()
    assert list(result["contender"].values) == list(CONTENDERS)
    assert result["share"].sel(contender="calibrated") == 1.0
    assert result["error"].attrs["units"] == "m3 m-3"
    text = table(result)
    assert "scale and offset of each site" in text and "of the oracle's" in text


def test_scores_are_those_of_the_functions(small_case, result):
    ds, test = small_case.data, small_case.test
    default = xdpl.simulate(ds, "vic", outputs=["soil_moisture"])["soil_moisture"]
    observed = ds["soil_moisture"]
    plain = xdpl.evaluation.metrics(default.sel(time=test), observed.sel(time=test))["rmse"]
    np.testing.assert_allclose(result["rmse"].sel(contender="uncalibrated", seed=0), plain, rtol=1e-6)
    site = {"lat": 1, "lon": 2}
    s, o = (v.isel(site).sel(time=small_case.train).values.astype(float) for v in (default, observed))
    seen = np.isfinite(o)
    slope, offset = np.polyfit(s[seen], o[seen], 1)
    s, o = (v.isel(site).sel(time=test).values.astype(float) for v in (default, observed))
    error = np.sqrt(np.nanmean((slope * s + offset - o) ** 2))
    found = result["rmse"].sel(contender="site-affine", seed=1).isel(site)
    assert float(found) == pytest.approx(error, rel=1e-5)


def test_without_a_network_alone_and_kept(small_case, tmp_path, monkeypatch):
    case = replace(small_case, alone=None)
    found = headroom(case, seeds=(0,), out=tmp_path, progress=False)
    assert "lstm" not in found["contender"]
    monkeypatch.setattr("xdpl.experiments.work.learn", None)
    monkeypatch.setattr("xdpl.experiments.work.calibrate", None)
    xr.testing.assert_equal(headroom(case, seeds=(0,), out=tmp_path, progress=False), found)


def test_a_target_that_depends_on_nothing_is_said_to_be_marginal(small_case):
    """Observed is the default run with noise: no parameters can do better."""
    ds = small_case.ds
    default = xdpl.simulate(ds, "vic", outputs=["soil_moisture"])["soil_moisture"]
    noise = np.random.default_rng(0).normal(0.0, 0.02, default.shape)
    observed = (default + noise).astype("float32").assign_attrs(ds["soil_moisture"].attrs)
    found = headroom(
        replace(small_case, ds=ds.assign(soil_moisture=observed), alone=None), seeds=(0,), progress=False
    )
    assert bool(found["marginal"])
    assert "WARNING: marginal by construction" in table(found)


def test_errors(small_case):
    with pytest.raises(InputErrors, match="seeds"):
        headroom(small_case, seeds=(), progress=False)
    with pytest.raises(InputErrors, match="floor: expected an error"):
        headroom(replace(small_case, alone=None), floor=-1.0, seeds=(0,), progress=False)
