"""Responses to changed forcings, beside the truth of a synthetic world."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from xdpl.errors import InputErrors
from xdpl.evaluation import perturbation_response
from xdpl.experiments import perturbation
from xdpl.experiments.reports.perturbation import table


@pytest.fixture(scope="module")
def result(small_case):
    return perturbation(small_case, seeds=(0, 1), progress=False)


def test_everybody_is_beside_the_truth(small_case, result):
    assert {"truth", "dpl", "calibrated", "lstm", "uncalibrated"} == set(result["contender"].values)
    assert result.attrs["target"] == "soil_moisture"
    known = [k for k in result.data_vars if k.startswith("soil_moisture")]
    assert known
    for name in known:
        assert result[name].notnull().all(), name
    others = [k for k in result.data_vars if k.startswith("runoff")]
    assert others and result[others[0]].sel(contender="lstm").isnull().all()
    assert "parameter learning" in table(result)


def test_the_truth_is_that_of_the_function(small_case, result):
    theta = small_case.truth
    assert set(theta) < set(small_case.process.defaults())
    own = perturbation_response(
        small_case.data,
        "vic",
        theta,
        relative={"precipitation": (-0.1, 0.1)},
        absolute={"air_temperature": 3.0},
        outputs=["soil_moisture"],
        time=small_case.test,
    )
    for name in own.data_vars:
        xr.testing.assert_allclose(result[name].sel(contender="truth", seed=1, drop=True), own[name])


def test_the_truth_needs_no_truth_to_be_left_out(small_case):
    plain = small_case.ds.drop_vars([f"true_{k}" for k in small_case.truth])
    found = perturbation(replace(small_case, ds=plain, alone=None), seeds=(0,), progress=False)
    assert set(found["contender"].values) == {"dpl", "calibrated", "uncalibrated"}


def test_what_is_kept_is_read(small_case, tmp_path, monkeypatch):
    found = perturbation(small_case, seeds=(0,), out=tmp_path, progress=False)
    monkeypatch.setattr("xdpl.experiments.work.learn", None)
    monkeypatch.setattr("xdpl.experiments.work.calibrate", None)
    again = perturbation(small_case, seeds=(0,), out=tmp_path, progress=False)
    xr.testing.assert_allclose(again, found)


def test_errors(small_case):
    with pytest.raises(InputErrors) as caught:
        perturbation(small_case, seeds=(), relative={"rain": 0.1}, progress=False)
    assert "seeds" in [e.subject for e in caught.value.exceptions]
    assert len(caught.value.exceptions) == 2


def test_more_rain_wets_the_truth(result):
    name = "soil_moisture_to_precipitation"
    assert (result[name].sel(contender="truth") > 0.0).mean() > 0.9
    assert np.isfinite(result[name].sel(contender="dpl")).all()
