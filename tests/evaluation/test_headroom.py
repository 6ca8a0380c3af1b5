"""What could be gained, and what was."""

import numpy as np
import pytest
import xarray as xr

from xdpl.errors import InputErrors
from xdpl.evaluation import headroom


def errors(values, units="mm d-1"):
    return xr.DataArray(values, {"site": np.arange(len(values))}, "site", attrs={"units": units})


GIVEN = {
    "uncalibrated": errors([0.9, 1.0, 1.1]),
    "dpl": errors([0.5, 0.6, 0.7]),
    "worse": errors([1.0, 1.2, 1.3]),
    "oracle": errors([0.4, 0.5, 0.6]),
}


def test_gains_and_shares():
    found = headroom(GIVEN, oracle="oracle", floor=0.2)
    np.testing.assert_allclose(found["error"], [1.0, 0.6, 1.2, 0.5])
    np.testing.assert_allclose(found["gain"], [0.0, 0.5, -0.25, 0.625])
    np.testing.assert_allclose(found["share"], [0.0, 0.8, -0.4, 1.0])
    assert not found["marginal"] and int(found["sites"]) == 3
    assert found["error"].attrs["units"] == "mm d-1"
    assert list(found["contender"].values) == list(GIVEN)


def test_sites_without_one_of_them_do_not_count():
    holed = GIVEN | {"dpl": errors([0.5, np.nan, 0.7])}
    found = headroom(holed, oracle="oracle")
    assert int(found["sites"]) == 2
    np.testing.assert_allclose(found["error"].sel(contender="dpl"), 0.6)
    np.testing.assert_allclose(found["error"].sel(contender="oracle"), 0.5)


def test_seeds_are_averaged():
    seeds = xr.concat([GIVEN["dpl"] - 0.1, GIVEN["dpl"] + 0.1], "seed").assign_attrs(units="mm d-1")
    found = headroom(GIVEN | {"dpl": seeds}, oracle="oracle")
    np.testing.assert_allclose(found["error"].sel(contender="dpl"), 0.6)


@pytest.mark.parametrize(
    ("best", "floor", "marginal"),
    [(0.95, 0.0, True), (0.85, 0.0, False), (0.95, 0.8, False), (1.2, 0.0, True), (0.5, 1.5, True)],
)
def test_marginal_where_the_oracle_hardly_helps(best, floor, marginal):
    given = GIVEN | {"oracle": errors([best] * 3)}
    found = headroom(given, oracle="oracle", floor=floor)
    assert bool(found["marginal"]) is marginal
    assert np.isfinite(found["share"]).all() == (best < 1.0)


def test_every_problem():
    wrong = GIVEN | {"dpl": errors([0.5, 0.6], "1")}
    with pytest.raises(InputErrors, match="headroom cannot run") as caught:
        headroom(wrong, oracle="best", floor=-1.0, marginal=1.0)
    assert [e.subject for e in caught.value.exceptions] == ["oracle", "floor", "marginal", "dpl", "dpl"]
    nowhere = GIVEN | {"dpl": errors([np.nan] * 3)}
    with pytest.raises(InputErrors, match="expected sites where all are known"):
        headroom(nowhere, oracle="oracle")
