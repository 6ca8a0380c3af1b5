"""One network for all sites against each site by itself, on few and gappy data."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from xdpl.errors import InputErrors
from xdpl.experiments import global_constraint
from xdpl.experiments.reports.global_constraint import table


@pytest.fixture(scope="module")
def result(small_case):
    return global_constraint(small_case, days=120, share=0.5, seeds=(0, 1), progress=False)


def test_both_are_scored_at_all_sites(small_case, result):
    for name in ("train", "test"):
        assert result[name].dims == ("contender", "seed", "lat", "lon")
        assert np.isfinite(result[name]).all()
    assert "with the network: training" in table(result)


def test_both_see_the_same_part_of_the_observations(small_case, monkeypatch):
    seen = {}

    def spy(name, function):
        def call(ds, *args, **options):
            seen[name] = ds["soil_moisture"].sel(time=options["train"])
            return function(ds, *args, **options)

        return call

    # The name in the package is that of the function.
    module = sys.modules["xdpl.experiments.global_constraint"]
    monkeypatch.setattr(module, "learn_whole", spy("dpl", module.learn_whole))
    monkeypatch.setattr(module, "calibrate_whole", spy("per-site", module.calibrate_whole))
    global_constraint(small_case, days=120, share=0.5, seeds=(3,), progress=False)
    xr.testing.assert_identical(seen["dpl"], seen["per-site"])
    whole = small_case.ds["soil_moisture"].sel(time=seen["dpl"]["time"])
    assert seen["dpl"].sizes["time"] == 120
    share = float(seen["dpl"].notnull().sum() / whole.notnull().sum())
    assert share == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"days": 1}, "2 to the 365 days"), ({"share": 0.0}, "above 0 to 1")],
)
def test_bad_arguments(small_case, options, message):
    with pytest.raises(InputErrors, match=message):
        global_constraint(small_case, progress=False, **options)


def test_another_score_is_refused(small_case):
    other = replace(small_case, **{"score": "correlation"})
    with pytest.raises(InputErrors, match="rmse or nse"):
        global_constraint(other, progress=False)
