"""What a skill costs, counted and timed."""

import numpy as np
import pytest
import xarray as xr

from xdpl.errors import InputErrors
from xdpl.experiments import cost
from xdpl.experiments.cost import _needed
from xdpl.experiments.reports.cost import CELLS, projected, table


def test_runs_are_those_that_were_made(small_case):
    found = cost(
        small_case, sizes=(4, 8), batch=4, updates=(1, 6), evaluations=(10, 40), seeds=(0,), progress=False
    )
    # 365 days of which 30 warm up, in windows of 90 days: four of each site.
    series = {4: 16, 8: 32}
    for size, count in series.items():
        for effort, updates in enumerate((1, 6)):
            epochs = max(1, round(updates * 4 / count))
            expected = 2 * epochs * count * (90 + 30) / (365 * size)
            runs = found["runs"].sel(contender="dpl", size=size, effort=effort, seed=0)
            assert float(runs) == pytest.approx(expected)
    calibrated = found["runs"].sel(contender="sce-ua", seed=0)
    np.testing.assert_allclose(calibrated, [[10 * 395 / 365, 40 * 395 / 365]] * 2)
    assert (found["core_seconds"] > 0).all()
    assert np.isfinite(found["rmse"]).all()
    assert (found["runs_needed"] > 0).all()


def curves():
    """Errors and runs of two contenders with four efforts."""
    errors = np.array([[8.0, 4.0, 2.0, 1.0], [9.0, 6.0, 3.0, 4.0]])
    runs = np.array([[1.0, 10.0, 100.0, 1000.0], [2.0, 20.0, 200.0, 2000.0]])
    dims = ("contender", "size", "effort", "seed")
    shaped = {"rmse": errors, "runs": runs, "core_seconds": 36.0 * runs}
    ds = xr.Dataset(
        {k: (dims, v[:, None, :, None]) for k, v in shaped.items()},
        {"contender": ["dpl", "sce-ua"], "size": [10], "effort": range(4), "seed": [0]},
    )
    ds["rmse"].attrs["units"] = "1"
    return ds.assign_attrs(score="rmse")


def test_what_the_common_score_needs():
    """Both reach 3: one between its second and third effort, the other with its third."""
    found = _needed(curves(), lower=True, score="rmse")
    np.testing.assert_allclose(found["runs_needed"].squeeze(), [10.0**1.5, 200.0])
    np.testing.assert_allclose(found["core_seconds_needed"].squeeze(), [36.0 * 10.0**1.5, 7200.0])
    hours = projected(found)
    assert hours["sce-ua"] == pytest.approx(7200.0 / 10 * CELLS / 3600.0)
    assert "times fewer" in table(found) and "6.3" in table(found)


def test_of_a_score_that_is_better_when_larger():
    turned = curves()
    turned["rmse"] = (-turned["rmse"]).assign_attrs(units="1")
    found = _needed(turned, lower=False, score="rmse")
    np.testing.assert_allclose(found["runs_needed"].squeeze(), [10.0**1.5, 200.0])


@pytest.mark.parametrize(
    ("options", "message"),
    [({"sizes": (4, 21)}, "2 to the 20"), ({"updates": (1, 2), "evaluations": (3,)}, "as many of both")],
)
def test_bad_arguments(small_case, options, message):
    with pytest.raises(InputErrors, match=message):
        cost(small_case, **{"sizes": (4,), "progress": False} | options)
