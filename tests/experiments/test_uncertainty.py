"""Coverage of intervals, in a synthetic world."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from xdpl.errors import InputErrors
from xdpl.experiments import uncertainty
from xdpl.experiments.reports.uncertainty import table
from xdpl.experiments.uncertainty import CONTENDERS, QUANTITIES


def test_what_comes_back(small_case, tmp_path, monkeypatch):
    """In one piece: a run takes a minute, and parallel tests would each have one."""
    options = {"held_out": 8, "fits": 2, "seeds": (0,), "out": tmp_path, "progress": False}
    result = uncertainty(small_case, **options)
    found = result["coverage"]
    assert found.sizes["group"] == 2
    assert list(found["contender"].values) == list(CONTENDERS)
    assert list(found["quantity"].values) == list(QUANTITIES)
    assert ((found >= 0.0) & (found <= 1.0)).all()
    mean = result["parameter_coverage"].mean("parameter")
    np.testing.assert_allclose(found.sel(quantity="parameters", drop=True), mean.transpose(*mean.dims))
    assert "ensemble" in table(result)
    scale = result["scale"].isel(seed=0)
    raw = [name for name in CONTENDERS if not name.endswith("-tuned")]
    np.testing.assert_allclose(scale.sel(contender=raw), 1.0)
    assert (scale > 0.0).all()
    # What is kept is read.
    monkeypatch.setattr("xdpl.experiments.work.learn", None)
    xr.testing.assert_allclose(uncertainty(small_case, **options), result)


def test_every_problem(small_case):
    unknown = replace(small_case, ds=small_case.ds.drop_vars("true_soil_moisture"))
    with pytest.raises(InputErrors, match="uncertainty cannot run") as caught:
        uncertainty(unknown, seeds=(), fits=1, progress=False)
    assert [e.subject for e in caught.value.exceptions] == ["seeds", "fits", "case"]
