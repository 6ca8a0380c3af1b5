import numpy as np
import pytest
import xarray as xr

from xdpl.errors import InputErrors
from xdpl.evaluation import by_group, dryness_terciles, flow_metrics, metrics, worst_group


@pytest.fixture
def groups():
    return xr.DataArray([[0, 0, 0], [1, 1, -1]], {"y": [1.0, 2.0]}, ("y", "x"), "group_of_site")


@pytest.fixture
def scores():
    def variable(values, units):
        return (("y", "x"), np.array(values, float), {"units": units, "long_name": "x", "silly": 1})

    return xr.Dataset(
        {
            "rmse": variable([[1, 2, 9], [3, 5, 100]], "mm"),
            "bias": variable([[-7, -6, -5], [3, 5, 100]], "mm"),
            "nse": variable([[0.1, np.nan, 0.5], [0.2, 0.2, -100]], "1"),
            "count": (("y", "x"), [[10, 11, 12], [20, 30, 40]]),
        },
        {"y": [1.0, 2.0]},
        {"silly": 1},
    )


def test_terciles_of_a_grid():
    dryness = xr.DataArray(
        [[5.0, 1.0, np.nan], [2.0, 6.0, 0.5], [3.0, np.nan, np.nan]],
        {"lat": ("lat", [1, 2, 3], {"units": "degrees_north"})},
        ("lat", "lon"),
        "aridity",
        {"units": "1", "silly": 1},
    )
    labels = dryness_terciles(dryness)
    np.testing.assert_array_equal(labels, [[2, 0, -1], [1, 2, 0], [1, -1, -1]])
    assert labels.dtype == np.int64
    assert labels.dims == dryness.dims
    assert labels.lat.attrs == {"units": "degrees_north"}
    assert labels.attrs["flag_values"] == [-1, 0, 1, 2]
    assert labels.attrs["flag_meanings"].split() == ["no_site", "humid", "medium", "dry"]
    assert "silly" not in labels.attrs
    assert "units" not in labels.attrs


@pytest.mark.parametrize("n", [3, 10, 99, 100, 412])
def test_terciles_are_a_third_each_and_in_order(n):
    dryness = xr.DataArray(np.random.default_rng(n).random(n), dims="site")
    labels = dryness_terciles(dryness)
    assert np.ptp(np.bincount(labels)) <= 1
    assert dryness[labels == 0].max() < dryness[labels == 1].min()
    assert dryness[labels == 1].max() < dryness[labels == 2].min()


def test_equal_dryness_shares_a_label():
    labels = dryness_terciles(xr.DataArray([1.0, 1, 1, 2, 2, 3, 3, 3], dims="site"))
    np.testing.assert_array_equal(labels, [0, 0, 0, 1, 1, 2, 2, 2])


@pytest.mark.parametrize("values", [[1.0, 2.0], [1.0] * 9, [np.nan] * 5])
def test_terciles_need_three_groups(values):
    with pytest.raises(InputErrors, match="values that split into three groups"):
        dryness_terciles(xr.DataArray(values, dims="site"))


def test_terciles_need_a_static_field():
    with pytest.raises(InputErrors, match="static field over site dims"):
        dryness_terciles(xr.DataArray(np.random.default_rng(0).random((4, 9)), dims=("time", "site")))


def test_median_of_each_group(scores, groups):
    found = by_group(scores, groups)
    assert found.sizes == {"group": 2}
    np.testing.assert_array_equal(found["group"], [0, 1])
    assert found["group"].dtype == np.int64
    np.testing.assert_array_equal(found.sites, [3, 2])
    np.testing.assert_allclose(found.rmse, [2, 4])
    np.testing.assert_allclose(found.bias, [-6, 4])
    np.testing.assert_allclose(found.nse, [0.3, 0.2])
    np.testing.assert_allclose(found["count"], [11, 25])
    assert found.rmse.attrs == {"units": "mm", "long_name": "median over sites of x"}
    assert found["count"].attrs == {"long_name": "median over sites of count"}
    assert "silly" not in found.attrs
    xr.testing.assert_identical(by_group(scores, groups.transpose()), found)
    xr.testing.assert_identical(by_group(scores.transpose(), groups), found)


def test_flagged_group_without_sites_is_nan(scores, groups):
    flagged = groups.assign_attrs(flag_values=[0, 1, 2], flag_meanings="humid medium dry", silly=1)
    found = by_group(scores, flagged)
    np.testing.assert_allclose(found.rmse, [2, 4, np.nan])
    np.testing.assert_array_equal(found.sites, [3, 2, 0])
    assert found["group"].attrs["flag_meanings"] == "humid medium dry"
    assert "silly" not in found["group"].attrs
    assert worst_group(scores, flagged).rmse == 4
    more = groups.copy(data=[[0, 0, 0], [7, 7, -1]]).assign_attrs(flag_values=[0, 1])
    np.testing.assert_array_equal(by_group(scores, more)["group"], [0, 1, 7])


def test_worst_group_of_each_metric(scores, groups):
    found = worst_group(scores, groups)
    assert set(found) == {"rmse", "rmse_group", "bias", "bias_group", "nse", "nse_group"}
    assert (found.rmse, found.rmse_group) == (4, 1)
    # Farthest from zero, sign kept.
    assert (found.bias, found.bias_group) == (-6, 0)
    assert (found.nse, found.nse_group) == (pytest.approx(0.2), 1)
    assert found.rmse.attrs["units"] == "mm"
    assert "units" not in found.rmse_group.attrs
    assert found.rmse_group.dtype.kind == "i"
    assert set(found.coords) == set()


def test_worst_group_skips_groups_without_a_value(scores, groups):
    scores["nse"] = scores.nse.where(groups == 0)
    scores["bias"] = scores.bias * np.nan
    found = worst_group(scores, groups)
    assert (found.nse, found.nse_group) == (pytest.approx(0.3), 0)
    assert np.isnan(found.bias)
    assert found.bias_group == -1


def test_members_have_their_own_worst_group(scores, groups):
    rmse = xr.concat(
        [scores[["rmse"]], 10 - scores[["rmse"]]], dim=xr.Variable("member", [5, 6], {"note": "kept"})
    )
    found = worst_group(rmse, groups)
    np.testing.assert_allclose(found.rmse, [4, 8])
    np.testing.assert_array_equal(found.rmse_group, [1, 0])
    assert found.member.attrs == {"note": "kept"}
    assert by_group(rmse, groups).rmse.sizes == {"group": 2, "member": 2}


def test_groups_of_metrics_lazy_and_not():
    rng = np.random.default_rng(0)
    observed = xr.DataArray(rng.random((50, 9)), dims=("time", "site"), attrs={"units": "mm"})
    simulated = observed + rng.random((50, 9)) * np.arange(9)
    groups = dryness_terciles(xr.DataArray(np.arange(9.0), dims="site"))
    eager = by_group(metrics(simulated, observed), groups)
    np.testing.assert_allclose(eager.rmse, metrics(simulated, observed).rmse.values[[1, 4, 7]])
    lazy = by_group(metrics(simulated.chunk(site=2), observed), groups)
    xr.testing.assert_allclose(lazy.compute(), eager)
    worst = worst_group(metrics(simulated.chunk(site=2), observed), groups)
    assert worst.rmse_group == 2
    assert worst.nse_group == 2
    assert worst.rmse == pytest.approx(float(eager.rmse[2]))


def test_groups_of_flow_metrics():
    rng = np.random.default_rng(0)
    observed = xr.DataArray(rng.gamma(1, 2, (200, 6)), dims=("time", "site"), attrs={"units": "mm d-1"})
    # Site by site: 10 %, 0 %, 20 % too much; 30, 20 and 50 % too little.
    factor = xr.DataArray([1.1, 1.0, 1.2, 0.7, 0.8, 0.5], dims="site")
    scores = flow_metrics(observed * factor, observed)
    groups = xr.DataArray([0, 0, 0, 1, 1, 1], dims="site")
    medians = by_group(scores, groups)
    np.testing.assert_allclose(medians["percent_bias"], [10, -30])
    assert medians["percent_bias"].attrs["units"] == "percent"
    worst = worst_group(scores, groups)
    assert (float(worst["fhv"]), worst["fhv_group"]) == (pytest.approx(-30), 1)
    assert worst["rmse_high_group"] == worst["rmse_low_group"] == 1
    assert worst["peak_timing"] == 0
    assert "count" not in worst


def test_problems(scores, groups):
    with pytest.raises(InputErrors, match="integer labels") as caught:
        by_group(scores.assign(extra=1.0), groups.astype(float).assign_coords(y=[5, 6]))
    assert [e.subject for e in caught.value.exceptions] == ["groups", "extra", "groups"]
    with pytest.raises(InputErrors, match="labels from 0"):
        by_group(scores, xr.full_like(groups, -1))
    with pytest.raises(InputErrors, match="worst_group cannot run:\n  - scores: expected some of rmse"):
        worst_group(scores[["count"]], groups)
