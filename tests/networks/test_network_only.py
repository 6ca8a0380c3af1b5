"""A network that predicts the targets itself, the baseline of pure machine learning."""

import json

import numpy as np
import pytest
import torch
import xarray as xr
from helpers_learn import ATTRIBUTES, Bucket, assert_same_fit, problems, quick, world

import xdpl
from xdpl import models
from xdpl.errors import InputErrors
from xdpl.models import NetworkOnly
from xdpl.networks import LSTM
from xdpl.networks.base import Inputs

ALONE = NetworkOnly(Bucket())
LATE = slice("2001-05-01", "2001-06-30")


def alone(**options):
    return quick(**({"model": ALONE, "network": LSTM(hidden=8), "learning_rate": 0.02} | options))


@pytest.fixture(scope="module")
def fit():
    return alone(validate=LATE)


def refused(call):
    with pytest.raises(InputErrors) as raised:
        call()
    return problems(raised)


def test_it_learns():
    ds, late = world(), slice("2001-05-01", None)
    fit = alone(epochs=60)
    mean = (ds["runoff"].sel(time=slice("2001-02-01", "2001-04-30"))).mean()
    error = (mean - ds["runoff"]).sel(time=late)
    assert float(fit.evaluate(ds, time=late)["pooled_rmse"]) < 0.7 * float(np.sqrt((error**2).mean()))


def test_a_fit_that_learned_nothing_gives_the_mean():
    ds = world()
    fit = alone(epochs=1, learning_rate=1e-9)
    mean = float(ds["runoff"].sel(time=slice("2001-02-01", "2001-04-30")).mean())
    np.testing.assert_allclose(fit.simulate(ds)["runoff"], mean, rtol=1e-4)


def by_hand(fit, ds):
    """What the network gives, (time, site), in standard deviations around the mean."""
    moments, flat = fit.scaling, ds.stack(site=("lat", "lon")).transpose("time", "site")
    rain = np.arcsinh((flat["precipitation"].values - moments.forcings.mean[0]) / moments.forcings.std[0])
    x = moments.attributes.normal(np.stack([flat[k].values for k in ATTRIBUTES], axis=1))
    with torch.no_grad():
        raw = fit.network.body(Inputs(torch.tensor(x).float(), torch.tensor(rain[..., None]).float())).series
    return raw[..., 0].numpy().astype(float), moments.responses.mean[0], moments.responses.std[0]


def test_a_simulation_is_what_the_network_gives(fit):
    ds = world()
    sim = fit.simulate(ds)
    assert list(sim) == ["runoff"] and sim["runoff"].dims == ("time", "lat", "lon")
    assert (
        sim["runoff"].attrs["units"] == "mm d-1"
        and sim["runoff"].attrs["long_name"] == "outflow of the bucket"
    )
    xr.testing.assert_identical(sim["lat"], ds["lat"])
    assert sim.attrs["model"] == "network" and json.loads(sim.attrs["training"]) == fit.settings
    raw, mean, std = by_hand(fit, ds)
    # The softplus of what it is for the mean, and of one more for each standard deviation.
    expected = std * np.log(1 + np.exp(raw + np.log(np.exp(mean / std) - 1)))
    found = sim["runoff"].stack(site=("lat", "lon")).transpose("time", "site")
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_what_may_be_negative():
    ds = world()
    ds["runoff"] = (ds["runoff"] - 10.0).assign_attrs(ds["runoff"].attrs)
    said = refused(lambda: alone(ds=ds))
    assert list(said) == ["runoff"]
    assert "a mean of -" in said["runoff"] and "NetworkOnly(like, positive=False)" in said["runoff"]
    fit = alone(ds=ds, model=NetworkOnly(Bucket(), positive=False), epochs=30)
    raw, mean, std = by_hand(fit, ds)
    found = fit.simulate(ds)["runoff"].stack(site=("lat", "lon")).transpose("time", "site")
    np.testing.assert_allclose(found, mean + std * raw, rtol=1e-4, atol=1e-5)
    assert float(found.min()) < 0
    for model in (NetworkOnly("hbv", positive=False), NetworkOnly("hbv")):
        assert models.restore(model.name, model.options()) == model


def test_scores_by_hand(fit):
    ds = world()
    error = (fit.simulate(ds)["runoff"] - ds["runoff"]).sel(time=LATE)
    scores = fit.evaluate(ds, time=LATE)
    np.testing.assert_allclose(scores["rmse"], np.sqrt((error**2).mean("time")), rtol=1e-5)
    assert float(fit.history["validation_loss"].min()) > 0


def test_of_several_targets():
    ds = world()
    ds["wet"] = (10.0 * ds["runoff"]).assign_attrs(units="percent")
    fit = alone(ds=ds, target={"wetness": "wet", "runoff": "runoff"})
    sim = fit.simulate(ds)
    assert list(sim) == ["wetness", "runoff"] and sim["wetness"].attrs["units"] == "1"
    assert list(fit.simulate(ds, outputs="runoff")) == ["runoff"]
    np.testing.assert_allclose(fit.scaling.responses.mean[0], 0.1 * fit.scaling.responses.mean[1], rtol=1e-5)
    assert list(fit.evaluate(ds)["target"].values) == ["wetness", "runoff"]


def test_saved_and_loaded(fit, tmp_path):
    ds = world()
    fit.save(tmp_path / "fit")
    loaded = xdpl.load(tmp_path / "fit", model=ALONE)
    xr.testing.assert_equal(loaded.simulate(ds), fit.simulate(ds))
    assert repr(loaded) == repr(fit)
    found = refused(lambda: xdpl.load(tmp_path / "fit"))
    assert "load(path, model=" in found[str(tmp_path / "fit")]
    # Those of known models come back by name, with their options.
    made = models.restore("network", NetworkOnly(models.get("hbv")).options())
    assert made == NetworkOnly("hbv") and made.forcings == models.get("hbv").forcings


def test_same_seed_same_fit(fit):
    assert_same_fit(alone(validate=LATE), fit)


@pytest.mark.parametrize("chunks", [{"lat": 1, "lon": 1}, {"lon": 2}])
def test_lazy_is_eager(fit, chunks):
    ds = world()
    lazy = fit.simulate(ds.chunk(chunks))
    assert lazy["runoff"].chunks is not None
    xr.testing.assert_equal(lazy.compute(), fit.simulate(ds))
    scores = fit.evaluate(ds.chunk(chunks))
    assert scores["rmse"].chunks is not None
    np.testing.assert_allclose(scores["rmse"], fit.evaluate(ds)["rmse"], rtol=1e-5)


def test_sites_of_nan_transposed_dims_and_trees(fit):
    ds = world()
    expected = fit.simulate(ds)["runoff"]
    ds["precipitation"][:, 0, 1] = np.nan
    sim = fit.simulate(ds.transpose("lon", "time", "lat"))["runoff"]
    assert sim.dims == ("lon", "time", "lat")
    assert sim.isel(lat=0, lon=1).isnull().all()
    xr.testing.assert_equal(sim.isel(lat=1).transpose("time", "lon"), expected.isel(lat=1))
    tree = xr.DataTree.from_dict({"/a": world().isel(lat=[0])})
    xr.testing.assert_equal(fit.simulate(tree)["a"].to_dataset(), fit.simulate(world().isel(lat=[0])))


def test_there_are_no_parameters(fit):
    found = refused(lambda: fit.parameters(world()))["Fit.parameters"]
    assert "a network that predicts the target itself" in found and "fit.simulate(ds)" in found


def test_options_of_a_simulation_are_refused(fit):
    found = refused(lambda: fit.simulate(world(), outputs=["wetness"], dtype="float64", at="2001-03-01"))
    assert set(found) == {"outputs", "dtype", "at"}
    assert "what the network predicts: runoff" in found["outputs"]


def test_what_a_network_alone_cannot_do():
    found = refused(lambda: alone(network="mlp", members=2, warmup_gradient=False))
    assert set(found) == {"network", "members", "warmup_gradient"} and 'network="lstm"' in found["network"]
    assert "there are none" in refused(lambda: alone(dynamic=["leak"]))["dynamic"]
    assert "'history'" in refused(lambda: alone(network="history"))["network"]


@pytest.mark.parametrize("call", [xdpl.simulate, xdpl.spin_up])
def test_running_it_says_what_to_do(call):
    ds = xdpl.data.twin(shape=(1, 1), years=1)
    found = refused(lambda: call(ds, NetworkOnly("vic")))["model"]
    assert 'network="lstm"' in found and "fit.simulate(ds)" in found


def test_check_says_what_it_reads():
    assert xdpl.check(world(), ALONE).ok
    assert not xdpl.check(world().drop_vars("precipitation"), ALONE).ok


def test_reads_well(fit):
    assert "NetworkOnly(like=Bucket(dt=1.0)" in repr(ALONE) and "runoff (mm d-1)" in repr(ALONE)
    assert "none, a network alone (in place of bucket)" in repr(fit)
    assert "lstm, hidden 8" in repr(fit)
    with pytest.raises(TypeError, match="simulate of the fit"):
        ALONE.step(np, None, None, None)


def test_pictures(fit):
    import matplotlib as mpl

    mpl.use("agg")
    ds = world()
    ax = fit.plot.series(ds, {"lat": 1, "lon": 2})
    line = ax.lines[0].get_ydata()
    np.testing.assert_allclose(line, fit.simulate(ds)["runoff"].isel(lat=1, lon=2), rtol=1e-4)
    with pytest.raises(InputErrors):
        fit.plot.parameters(ds)
    mpl.pyplot.close("all")
