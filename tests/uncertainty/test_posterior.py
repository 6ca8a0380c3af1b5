"""Posteriors: moments by hand, samples and intervals that agree, the same from lazy data, clear errors."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from helpers_learn import ATTRIBUTES, ORDER, Bucket, problems, quick, stores, world

import xdpl
from xdpl.errors import InputErrors
from xdpl.fit import Ensemble
from xdpl.models import NetworkOnly
from xdpl.uncertainty import deep_ensemble, laplace
from xdpl.uncertainty.unbounded import to_unbounded


@pytest.fixture(scope="module")
def ensemble():
    return quick(seed=[0, 1, 2], epochs=10)


@pytest.fixture(scope="module")
def posterior(ensemble):
    return deep_ensemble(ensemble, world())


@pytest.fixture(scope="module")
def around(ensemble):
    return laplace(ensemble.fits[0], world(), samples=60)


def test_intervals_of_an_ensemble_by_hand(ensemble, posterior):
    found = posterior.parameter_intervals(world(), quantiles=(0.05, 0.5, 0.95))
    raw = np.stack([to_unbounded(f.parameters(world()), Bucket())["leak"].values for f in ensemble.fits])
    # One more fit would differ from the mean of three by that much: Student's t with two degrees of freedom.
    wide = 2.9199856 * raw.std(axis=0, ddof=1) * np.sqrt(4 / 3)
    expected = np.stack([raw.mean(axis=0) - wide, raw.mean(axis=0), raw.mean(axis=0) + wide])
    np.testing.assert_allclose(to_unbounded(found, Bucket())["leak"], expected, rtol=1e-5)
    assert found["leak"].dims == ("quantile", "lat", "lon")
    assert found["leak"].attrs["units"] == "d-1" and found["leak"].attrs["long_name"]
    assert found["quantile"].values.tolist() == [0.05, 0.5, 0.95]


def test_observation_error_is_the_residual_of_the_mean(ensemble, posterior):
    mean = ensemble.simulate(world(), outputs=["runoff"])["runoff"].mean("seed")
    period = slice("2001-02-01", "2001-04-30")
    residual = (world()["runoff"] - mean).sel(time=period)
    expected = float(np.sqrt((residual.astype(float) ** 2).mean()))
    np.testing.assert_allclose(posterior.observation_error["runoff"], expected, rtol=1e-4)
    assert deep_ensemble(ensemble, world(), observation_error=0.3).observation_error == {"runoff": 0.3}


@pytest.mark.parametrize("which", ["posterior", "around"])
def test_samples_have_the_quantiles(which, request):
    distribution = request.getfixturevalue(which)
    samples = distribution.parameters(world(), samples=4000, seed=1)
    intervals = distribution.parameter_intervals(world())
    assert samples["leak"].dims == ("sample", "lat", "lon")
    empirical = samples["split"].quantile([0.05, 0.5, 0.95], "sample")
    width = intervals["split"].isel(quantile=-1) - intervals["split"].isel(quantile=0)
    assert float((abs(empirical - intervals["split"]) / width).max()) < 0.05
    xr.testing.assert_identical(
        samples.drop_attrs(), distribution.parameters(world(), samples=4000, seed=1).drop_attrs()
    )


def test_laplace_is_centred_on_the_fit_and_narrower_with_more_data(ensemble, around):
    fit = ensemble.fits[0]
    middle = around.parameter_intervals(world())["leak"].sel(quantile=0.5)
    np.testing.assert_allclose(middle, fit.parameters(world())["leak"], rtol=1e-4)
    short = laplace(fit, world(), time=slice("2001-02-01", "2001-02-15"), observation_error=1.0)
    whole = laplace(fit, world(), observation_error=1.0)
    wide, narrow = (
        p.parameter_intervals(world(), quantiles=(0.05, 0.95))["leak"].diff("quantile")
        for p in (short, whole)
    )
    assert (wide > narrow).all()


def test_observed_intervals_add_the_error_and_others_do_not(posterior):
    free, noisy = (posterior.prediction_intervals(world(), observed=o, samples=50) for o in (False, True))
    assert free["runoff"].dims == ("quantile", "time", "lat", "lon")
    assert free["runoff"].attrs["units"] == "mm d-1"
    assert "observed" in noisy["runoff"].attrs["long_name"]
    assert "observed" not in free["runoff"].attrs["long_name"]
    runs = posterior.simulate(world(), samples=50, outputs=["runoff"])["runoff"].astype(float)
    np.testing.assert_allclose(
        free["runoff"],
        runs.quantile([0.05, 0.5, 0.95], "sample", method="weibull"),
        rtol=1e-4,
        atol=1e-6,
    )
    wide = 1.6448536 * np.sqrt(runs.var("sample", ddof=1) + posterior.observation_error["runoff"] ** 2)
    np.testing.assert_allclose(noisy["runoff"].isel(quantile=2), runs.mean("sample") + wide, rtol=1e-4)


def test_tuned_takes_what_is_given(posterior):
    sites = world()["sand"] > 30.0
    tuned = posterior.tuned(world(), sites=sites, time=slice("2001-05-01", None), observation_error=0.01)
    assert tuned.observation_error == {"runoff": 0.01} and tuned.scale >= 1.0
    wide, plain = (
        p.parameter_intervals(world(), quantiles=(0.05, 0.95))["leak"].diff("quantile")
        for p in (tuned, posterior)
    )
    assert ((wide > plain) == (tuned.scale > 1.0)).all() and (wide >= plain).all()


def test_members_of_one_fit():
    fit = quick(members=3)
    found = laplace(fit, world(), samples=20)
    assert found.parameter_intervals(world())["leak"].dims == ("quantile", "member", "lat", "lon")
    assert found.prediction_intervals(world(), observed=False, samples=5)["runoff"].dims[0] == "quantile"
    with pytest.raises(InputErrors, match="members of different seeds"):
        deep_ensemble(Ensemble((fit, fit)), world())


def test_mixture_is_wider_than_its_parts(ensemble):
    mixed = laplace(ensemble, world(), samples=60)
    assert mixed.settings["centres"] == 3 and len(mixed.fits) == 60
    assert len(mixed.settings["prior_precision"]) == 3


def test_lazy_data_stay_lazy(posterior, counter):
    lazy = world().chunk(lat=1, time=-1)
    found = posterior.prediction_intervals(lazy, observed=True, samples=5)
    theta = posterior.parameter_intervals(lazy)
    assert counter.calls == 0
    np.testing.assert_allclose(
        found["runoff"],
        posterior.prediction_intervals(world(), observed=True, samples=5)["runoff"],
        rtol=1e-5,
    )
    np.testing.assert_allclose(theta["leak"], posterior.parameter_intervals(world())["leak"], rtol=1e-5)


def test_quantities_stay(posterior):
    import pint

    plain, registry, ds = posterior.parameter_intervals(world()), pint.UnitRegistry(), world()
    for name, unit in (("sand", "percent"), ("clay", "dimensionless")):
        bare = ds[name].drop_attrs()
        ds[name] = bare.copy(data=registry.Quantity(bare.values, unit))
    found = posterior.parameter_intervals(ds)["leak"].variable._data
    assert found.units == registry.Unit("1/day")
    np.testing.assert_allclose(found.magnitude, plain["leak"])


def test_every_problem_at_once(ensemble):
    fit = ensemble.fits[0]
    with pytest.raises(InputErrors, match="laplace cannot run") as caught:
        laplace(
            fit,
            world().drop_vars("runoff"),
            prior=-1.0,
            samples=1,
            probes=0,
            observation_error={"flow": 1.0},
        )
    assert {"prior", "samples", "probes", "observation_error"} <= set(problems(caught))
    with pytest.raises(InputErrors, match="two seeds or more"):
        deep_ensemble(Ensemble((fit,)), world())
    with pytest.raises(InputErrors, match="rising numbers between 0 and 1"):
        deep_ensemble(ensemble, world()).parameter_intervals(world(), quantiles=(0.9, 0.1))
    with pytest.raises(InputErrors, match="observed=False"):
        deep_ensemble(ensemble, world()).prediction_intervals(world(), observed=True, outputs=["wetness"])


def test_what_is_not_supported_is_said():
    with pytest.raises(InputErrors, match="'mlp', whose last layer is linear"):
        laplace(quick(network="transfer"), world())
    dynamic = quick(network=xdpl.networks.LSTM(4), dynamic=["leak"])
    with pytest.raises(InputErrors, match="dynamic ones: leak"):
        laplace(dynamic, world())
    alone = quick(model=NetworkOnly(Bucket()), network=xdpl.networks.LSTM(4), attributes=ATTRIBUTES)
    with pytest.raises(InputErrors, match="predicts the target itself"):
        deep_ensemble(Ensemble((alone, alone)), world())


def test_samples_keep_the_order_of_fits():
    fits, ds = stores(order=ORDER, seed=[0, 1, 2], epochs=10)
    wide = replace(deep_ensemble(fits, ds), scale=8.0)
    theta = wide.parameters(ds, samples=50)
    assert bool((theta["slow"] <= theta["fast"]).all())
    assert float((theta["fast"] / theta["slow"]).max()) > 1.2
    mean = replace(wide, scale=1e-9).parameters(ds, samples=2).isel(sample=0)
    raw = {k: np.stack([fit.parameters(ds)[k].values for fit in fits.fits]) for k in ("slow", "fast")}
    assert bool((mean["slow"].values <= raw["slow"].max(axis=0) + 1e-6).all())
    assert bool((mean["fast"].values >= raw["fast"].min(axis=0) - 1e-6).all())
    intervals = wide.parameter_intervals(ds, quantiles=(0.05, 0.95))
    held = (theta >= intervals.sel(quantile=0.05)) & (theta <= intervals.sel(quantile=0.95))
    for name in ("slow", "fast"):
        assert 0.7 < float(held[name].mean()) < 1.0
        assert intervals[name].dims[0] == "quantile"
