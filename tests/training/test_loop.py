import numpy as np
import pytest
import torch
import xarray as xr
from helpers_learn import Bucket, assert_same_fit, quick, weights, world

import xdpl
from xdpl.networks import MLP
from xdpl.training import loop
from xdpl.training.progress import Progress

LATE = slice("2001-05-01", "2001-06-30")


def recompute(fit, ds, period, sites=None):
    """Per-site normalised RMSE of the full simulation, in plain numpy."""
    simulated = fit.simulate(ds)["runoff"]
    error = (simulated - ds["runoff"]).sel(time=period)
    rmse = np.sqrt((error**2).mean("time"))
    trained = ds["runoff"].sel(time=slice(*fit.settings["train"]))
    spread = trained.std("time")
    used = xr.ones_like(spread, bool) if sites is None else sites
    typical = np.median(spread.where(used).values[used.values])
    return rmse / (spread + 0.1 * typical)


def test_loss_is_that_of_the_simulation():
    # One update in the epoch, over whole windows: its loss is that of the default parameters.
    ds = world()
    fit = quick(ds, epochs=1, batch=100, window=89, warmup=31, train=slice("2001-02-01", "2001-04-30"))
    default = ds.dpl.simulate(Bucket())["runoff"]
    error = (default - ds["runoff"]).sel(time=slice("2001-02-01", "2001-04-30"))
    spread = ds["runoff"].sel(time=slice("2001-02-01", "2001-04-30")).std("time")
    expected = np.sqrt((error**2).mean("time")) / (spread + 0.1 * float(spread.median()))
    assert fit.history["loss"][0].item() == pytest.approx(float(expected.mean()), rel=1e-4)


def test_best_weights_come_back():
    ds = world()
    # Later observations lie halfway to the default run: training passes by them.
    half = (ds["runoff"] + ds.dpl.simulate(Bucket())["runoff"]) / 2
    ds["runoff"] = xr.where(ds["time"] < half["time"][120], ds["runoff"], half, keep_attrs=True)
    ds["runoff"] = ds["runoff"].transpose("time", "lat", "lon").assign_attrs(units="mm d-1")
    fit = quick(ds, epochs=25, validate=LATE, learning_rate=0.02)
    losses = fit.history["validation_loss"].values
    assert 0 < losses.argmin() < len(losses) - 1
    assert fit.settings["best_epoch"] == losses.argmin() + 1
    assert float(recompute(fit, ds, LATE).mean()) == pytest.approx(losses.min(), rel=1e-4)


def scripted(monkeypatch, losses):
    """Validation losses as told; returns the weights at the end of each epoch."""
    seen = []

    def validate(course):
        seen.append(torch.nn.utils.parameters_to_vector(course.network.parameters()).detach().numpy().copy())
        return losses[len(seen) - 1]

    monkeypatch.setattr(loop, "_validate", validate)
    return seen


def test_early_stopping_keeps_the_best(monkeypatch):
    seen = scripted(monkeypatch, [3.0, 2.0, 1.0, 1.5, 1.0, 0.5, 0.1])
    fit = quick(epochs=7, patience=2, validate=LATE)
    assert fit.settings["stopped"] == "early"
    assert fit.settings["best_epoch"] == 3
    assert fit.history.sizes["epoch"] == 5
    np.testing.assert_array_equal(weights(fit), seen[2])
    assert not np.array_equal(seen[2], seen[4])


@pytest.mark.parametrize("kind", ["period", "sites"])
def test_early_stopping_on_what_is_held_out(kind):
    """Observations that are held out lie halfway to the default run: training passes by them."""
    ds = world()
    sites = ds["sand"] > ds["sand"].quantile(0.7)
    later = ds["time"] >= np.datetime64("2001-05-01")
    half = (ds["runoff"] + ds.dpl.simulate(Bucket())["runoff"]) / 2
    mixed = ds["runoff"].where(~(later if kind == "period" else sites), half)
    ds["runoff"] = mixed.transpose("time", "lat", "lon").assign_attrs(units="mm d-1")
    fit = quick(
        ds, epochs=60, patience=3, validate=LATE if kind == "period" else sites, network=MLP((8,)), batch=12
    )
    losses = fit.history["validation_loss"].values
    assert fit.settings["stopped"] == "early"
    assert losses.argmin() > 0 and len(losses) == losses.argmin() + 1 + 3
    # The loss of the best weights, of what is held out alone, by hand.
    when = LATE if kind == "period" else slice("2001-02-01", "2001-04-30")
    each = recompute(fit, ds, when, None if kind == "period" else ~sites)
    held = each if kind == "period" else each.where(sites)
    assert float(held.mean()) == pytest.approx(losses.min(), rel=1e-4)
    assert fit.settings["validation_sites"] == (None if kind == "period" else int(sites.sum()))
    assert fit.settings["training_sites"] == (6 if kind == "period" else int((~sites).sum()))


def test_an_improvement_restarts_patience(monkeypatch):
    scripted(monkeypatch, [3.0, 4.0, 2.0, 2.5, 1.0])
    fit = quick(epochs=5, patience=2, validate=LATE)
    assert (fit.settings["stopped"], fit.settings["best_epoch"]) == ("finished", 5)


def test_without_validation_the_last_weights_count():
    fit = quick(epochs=4, patience=1, learning_rate=1.0)
    assert (fit.settings["stopped"], fit.settings["best_epoch"]) == ("finished", 4)
    assert fit.history["validation_loss"].isnull().all()


def test_history_says_what_happened():
    fit = quick(epochs=4, learning_rate=0.02, validate=LATE)
    history = fit.history
    assert list(history["epoch"].values) == [1, 2, 3, 4]
    expected = 0.02 * (1 + np.cos(np.pi * np.arange(4) / 4)) / 2
    np.testing.assert_allclose(history["learning_rate"], expected, rtol=1e-12)
    assert (history["gradient_norm"] > 0).all()
    assert (history["seconds"] > 0).all() and history["seconds"].attrs["units"] == "s"


def test_warmup_with_and_without_gradient():
    with_, without = (quick(epochs=2, warmup_gradient=flag, batch=100) for flag in (True, False))
    # The first update sees the same simulation, and another gradient.
    assert with_.history["loss"][0].item() == pytest.approx(without.history["loss"][0].item(), rel=1e-6)
    assert with_.history["gradient_norm"][0] != without.history["gradient_norm"][0]
    assert not np.array_equal(weights(with_), weights(without))
    assert "10 steps, with gradient" in repr(with_)
    assert "10 steps, without gradient" in repr(without)
    assert with_.settings["warmup_gradient"] is True and without.settings["warmup_gradient"] is False


def test_without_warmup_the_flag_changes_nothing():
    assert_same_fit(quick(warmup=0), quick(warmup=0, warmup_gradient=False))


def test_gradient_clipping_takes_effect():
    start = weights(quick(epochs=1, learning_rate=1e-12))
    free, clipped = (weights(quick(epochs=1, clip=clip)) for clip in (float("inf"), 1e-10))
    # A gradient far below the epsilon of Adam moves nothing to speak of.
    assert np.abs(clipped - start).max() < 0.05 * np.abs(free - start).max()


def test_clipping_above_the_norm_changes_nothing():
    free = quick(clip=float("inf"))
    assert_same_fit(free, quick(clip=1.01 * 10 * float(free.history["gradient_norm"].max())))


@pytest.mark.parametrize("loss", ["nrmse", "rmse", "site_rmse", "nse", "kge"])
def test_every_loss_learns(loss):
    fit = quick(loss=loss, epochs=25, learning_rate=0.05, batch=6, window=89)
    losses = fit.history["loss"].values
    assert losses[-3:].mean() < 0.6 * losses[0]
    assert f"({loss}" in fit.plot.history().get_ylabel()


def test_progress_bar_shows_losses_or_nothing(capsys):
    quick(epochs=2)
    assert capsys.readouterr() == ("", "")
    quick(epochs=2, validate=LATE, progress=True)
    shown = capsys.readouterr().err
    assert "2/2" in shown and "loss=" in shown and "validation_loss=" in shown


def test_resumed_bar_starts_where_it_was(capsys):
    bar = Progress(5, 3, True)
    bar.update({"loss": 0.5, "validation_loss": float("nan")})
    bar.close()
    shown = capsys.readouterr().err
    assert "4/5" in shown and "loss=0.5000" in shown and "validation" not in shown


def test_network_comes_back_in_evaluation_mode():
    fit = quick(network=xdpl.networks.MLP(hidden=(8,), dropout=0.5))
    assert not fit.network.training
    a, b = (fit.parameters(world()) for _ in range(2))
    xr.testing.assert_equal(a, b)


class Blowing(Bucket):
    """Its gradient is infinite once `leak` has left the neighbourhood of its default."""

    def step(self, xp, s, f, p):
        states, fluxes = super().step(xp, s, f, p)
        far = xp.abs(p.leak - 0.1) > 0.01
        return states, fluxes | {"runoff": fluxes["runoff"] / xp.where(far, 0.0 * p.leak, 1.0)}


def test_divergence_keeps_what_was_learned():
    with pytest.warns(RuntimeWarning, match=r"epoch \d+: the loss .* not finite; .* weights of epoch"):
        fit = quick(model=Blowing(), epochs=30, learning_rate=1e-3)
    assert fit.settings["stopped"] == "diverged"
    assert 0 < fit.history.sizes["epoch"] < 30 and np.isfinite(weights(fit)).all()


def test_divergence_at_once_is_an_error():
    with pytest.raises(FloatingPointError, match="a lower learning_rate may help"):
        quick(model=Blowing(), epochs=30, learning_rate=10.0, batch=1)
