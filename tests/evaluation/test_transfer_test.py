"""What learned parameters are worth without the operator they were learned with."""

import numpy as np
import pytest
import xarray as xr
from helpers_learn import Bucket, problems, quick, world

import xdpl
from xdpl.errors import InputErrors, Problems
from xdpl.evaluation import transfer_test
from xdpl.fit.operator_alone import operator_alone
from xdpl.observation import Frozen, GlobalAffine, SiteAffine

TRAIN = slice("2001-02-01", "2001-04-30")


def biased():
    ds = world()
    ds["unbiased"] = ds["runoff"]
    scale = xr.DataArray(np.linspace(0.5, 2.0, 6).reshape(2, 3), dims=("lat", "lon"))
    ds["runoff"] = (ds["runoff"] * scale + 1.0).transpose("time", "lat", "lon").assign_attrs(units="mm d-1")
    return ds


def rmse(a, b):
    return (((a - b).sel(time=TRAIN).astype(float) ** 2).mean("time") ** 0.5).transpose("lat", "lon")


def test_errors_by_hand():
    ds = biased()
    fit = quick(ds, observation=SiteAffine(penalty=0.0), epochs=20)
    found = transfer_test(fit, ds, truth="unbiased")
    sim, default = fit.simulate(ds)["runoff"], xdpl.simulate(ds, Bucket())["runoff"]
    compared = sim * fit.observation["runoff_scale"] + fit.observation["runoff_offset"]
    np.testing.assert_allclose(found["training_rmse"], rmse(compared, ds["runoff"]), rtol=1e-5)
    np.testing.assert_allclose(found["transfer_rmse"], rmse(sim, ds["unbiased"]), rtol=1e-5)
    np.testing.assert_allclose(found["uncalibrated_rmse"], rmse(default, ds["runoff"]), rtol=1e-5)
    e = {k: float(found[k].median()) for k in found if str(k).endswith("_rmse")}
    assert float(found["ratio"]) == pytest.approx(e["transfer_rmse"] / e["training_rmse"])
    gained = e["uncalibrated_rmse"] - e["training_rmse"]
    share = (e["uncalibrated_rmse"] - e["operator_rmse"]) / gained
    assert float(found["affine_share"]) == pytest.approx(share)
    assert all(found[k].attrs["units"] == "mm d-1" for k in e)
    assert found["ratio"].attrs["units"] == "1"


def test_a_free_operator_alone_is_least_squares():
    ds = biased()
    fit = quick(ds, observation=SiteAffine(penalty=0.0), epochs=1)
    found = transfer_test(fit, ds)["operator_rmse"]
    default = xdpl.simulate(ds, Bucket())["runoff"].sel(time=TRAIN)
    for lat in range(2):
        for lon in range(3):
            s, o = (v.isel(lat=lat, lon=lon).sel(time=TRAIN).values for v in (default, ds["runoff"]))
            seen = ~np.isnan(o)
            line = np.polyfit(s[seen].astype(float), o[seen], 1)
            # Least squares may turn the scale around, the operator may not.
            assert line[0] > 0
            best = np.sqrt(np.mean((np.polyval(line, s[seen]) - o[seen]) ** 2))
            assert float(found[lat, lon]) == pytest.approx(best, rel=1e-3)


def test_an_operator_alone_is_one_of_the_same_strength():
    """A stationary point of what the training minimises, by finite differences."""
    ds = biased()
    fit = quick(ds, observation=SiteAffine(penalty=0.5), epochs=1, loss="site_rmse")
    default = xdpl.simulate(ds, Bucket())["runoff"]
    sites = xr.ones_like(ds["sand"], bool).drop_attrs()
    alone = operator_alone(fit, "runoff", default, ds["runoff"], sites, Problems("test"))
    obs = ds["runoff"].sel(time=TRAIN).astype(float)
    unit, pivot = float(obs.std("time").median()), obs.mean("time")
    alpha = np.log(alone["runoff_scale"])
    beta = (alone["runoff_offset"] - pivot * (1 - np.exp(alpha))) / unit

    def cost(alpha, beta):
        compared = pivot + np.exp(alpha) * (default - pivot) + beta * unit
        return rmse(compared, ds["runoff"]) + 0.5 * unit * (alpha**2 + beta**2)

    step = 1e-3
    for up, down in (
        (cost(alpha + step, beta), cost(alpha - step, beta)),
        (cost(alpha, beta + step), cost(alpha, beta - step)),
    ):
        assert float(abs((up - down) / (2 * step)).max()) < 0.02 * unit


def test_without_an_operator_nothing_is_lost():
    fit = quick()
    found = transfer_test(fit, world())
    assert (float(found["ratio"]), float(found["affine_share"]), bool(found["failed"])) == (1.0, 0.0, False)


@pytest.mark.parametrize(("limit", "status"), [(0.5, "FAIL"), (1.0, "FAIL"), (1.0001, "PASS")])
def test_it_fails_from_the_limit_on(limit, status):
    assert transfer_test(quick(), world(), limit=limit).attrs["status"] == status


def test_frozen_and_anomaly_are_not_fitted():
    ds = biased()
    default = xdpl.simulate(ds, Bucket())["runoff"]
    given = transfer_test(quick(ds, observation=Frozen(0.5, 1.0)), ds)
    np.testing.assert_allclose(given["operator_rmse"], rmse(0.5 * default + 1.0, ds["runoff"]), rtol=1e-5)
    found = transfer_test(quick(ds, observation="anomaly"), ds)["operator_rmse"]
    pair = ds["runoff"].sel(time=TRAIN).notnull()
    less = [v - v.sel(time=TRAIN).where(pair).mean("time") for v in (default, ds["runoff"])]
    np.testing.assert_allclose(found, rmse(*less), rtol=1e-4)


def test_truth_in_other_units():
    ds = biased()
    ds["centimetres"] = (ds["unbiased"] / 10).assign_attrs(units="cm d-1")
    fit = quick(ds, observation=GlobalAffine())
    a, b = (transfer_test(fit, ds, truth=truth)["transfer_rmse"] for truth in ("unbiased", "centimetres"))
    xr.testing.assert_allclose(a, b)


def test_only_some_sites_count():
    ds = biased()
    mask = ds["sand"] > ds["sand"].min()
    found = transfer_test(quick(ds, observation="site_affine"), ds, sites=mask)
    xr.testing.assert_equal(found["transfer_rmse"].notnull().drop_attrs(), mask.drop_attrs())
    trained = quick(ds, observation="site_affine", sites=mask)
    found = transfer_test(trained, ds)
    xr.testing.assert_equal(found["transfer_rmse"].notnull().drop_attrs(), mask.drop_attrs())


def test_of_several_targets_one_is_tested():
    ds = biased()
    ds["wet"] = (0.5 * ds["unbiased"]).assign_attrs(units="percent")
    fit = quick(ds, target={"runoff": "runoff", "wetness": "wet"}, observation="site_affine")
    found = transfer_test(fit, ds, target="wetness")
    assert found["training_rmse"].attrs["units"] == "percent"
    scores = fit.evaluate(ds, time=TRAIN, operator=True)["rmse"].sel(target="wetness")
    np.testing.assert_allclose(found["training_rmse"], scores)
    with pytest.raises(InputErrors, match="one of the targets of the fit: runoff, wetness"):
        transfer_test(fit, ds)


def test_lazy_and_transposed_data_give_the_same():
    ds = biased()
    fit = quick(ds, observation="site_affine")
    lazy = ds.transpose("lon", "time", "lat").chunk(lat=1)
    xr.testing.assert_allclose(transfer_test(fit, lazy).transpose("lat", "lon"), transfer_test(fit, ds))


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(InputErrors, match="transfer_test") as raised:
        transfer_test(quick(epochs=1), world(), target="x", truth="y", sites=3, limit=0)
    assert set(problems(raised)) == {"target", "truth", "sites", "limit"}


def test_a_dataset_of_other_sites_is_refused():
    fit = quick(observation="site_affine", epochs=1)
    with pytest.raises(InputErrors, match="a site with observations and truth"):
        transfer_test(fit, world().assign_coords(lon=[1.0, 2.0, 3.0]))
