"""Learning through a surrogate that is made again where it led, until the model itself is best."""

import numpy as np
import pytest
import xarray as xr
from helpers_bucket import FLUXES, FORCINGS, PARAMETERS, Twin, learnable
from helpers_bucket import run as run_bucket
from helpers_learn import Bucket, assert_same_fit, world

import xdpl
from xdpl.errors import InputErrors
from xdpl.models import BlackBox
from xdpl.networks import LSTM, MLP
from xdpl.surrogate import AuditError, Loop, rounds

EMULATOR = {"network": LSTM(24), "window": 90, "batch": 48, "epochs": 50, "learning_rate": 0.02}
SMALL = EMULATOR | {"epochs": 25}
LOOSE = {"slope": (-9.0, 9.0), "correlation": 0.0, "effect": 1.0}


def learn(ds, model, loop, **options):
    defaults = {
        "target": "runoff",
        "attributes": [k for k in ("sand", "clay", "slope", "soil") if k in ds],
        "network": MLP((16,)),
        "window": 60,
        "warmup": 20,
        "learning_rate": 0.02,
        "epochs": 60,
        "progress": False,
    }
    return xdpl.learn(ds, model, gradients=loop, **(defaults | options))


def basins():
    return learnable(200)[0]


class Counted:
    """The bucket in this process, which counts the sites it is run at."""

    def __init__(self, stop_after=None):
        self.sites, self.stop_after = 0, stop_after

    def __call__(self, forcings, parameters):
        self.sites += parameters.sizes["site"]
        if self.stop_after is not None and self.sites > self.stop_after:
            raise KeyboardInterrupt
        return run_bucket(forcings, parameters)


def box(program):
    return BlackBox("bucket", FORCINGS, PARAMETERS, FLUXES, program, workers=0)


@pytest.fixture(scope="module")
def learned():
    program = Counted()
    fit = learn(basins(), box(program), Loop(draws=20, emulator=EMULATOR, rounds=2))
    return fit, program.sites


def test_the_model_itself_is_better_than_uncalibrated(learned):
    fit, _ = learned
    history = fit.history
    model, through = (history[k].sel(target="runoff").values for k in ("model_rmse", "surrogate_rmse"))
    assert history.sizes["round"] == fit.settings["rounds"] == 2
    assert fit.settings["best_round"] == int(history["round"][model.argmin()])
    best = model.min()
    assert best < 0.3 * history["uncalibrated_rmse"].item()
    np.testing.assert_allclose(history["gap"].sel(target="runoff"), model - through)
    assert (history["audit_nse"].sel(where="range") > 0.85).all()
    slopes = history["audit_slope"].sel(where="range")
    assert ((slopes > 0.7) & (slopes < 1.3)).all()


def test_scores_are_those_of_the_model(learned):
    """By hand, over the training period after the warm-up."""
    fit, _ = learned
    ds = basins()
    time = slice(ds["time"].values[20], None)
    expected = float(fit.evaluate(ds, time=time)["pooled_rmse"])
    np.testing.assert_allclose(float(fit.history["model_rmse"].min()), expected, rtol=1e-5)
    default = xdpl.simulate(ds, Twin())["runoff"].sel(time=time) - ds["runoff"].sel(time=time)
    np.testing.assert_allclose(
        fit.history["uncalibrated_rmse"].item(), float((default**2).mean() ** 0.5), rtol=1e-4
    )


def test_every_run_counts(learned):
    fit, sites = learned
    assert int(fit.history["model_runs"][-1]) == sites
    # Of eleven sites at first, then one of twelve held out with five runs for each of forty sets, and all
    # twelve with five at what was learned.
    assert int(fit.history["model_runs"][0]) == 20 * 11 + 40 * 5 + 12 * 5 + 12 + 12


def test_it_is_kept_with_the_fit(learned, tmp_path):
    fit, _ = learned
    fit.save(tmp_path / "fit")
    again = xdpl.load(tmp_path / "fit", model=fit.model)
    xr.testing.assert_equal(again.history, fit.history)
    assert again.settings == fit.settings
    assert "2 rounds, stopped: rounds; best round" in repr(again)
    assert "over the bounds NSE 0." in repr(again)


def test_the_report_tells_of_it(learned, tmp_path):
    fit, _ = learned
    page = fit.report(tmp_path / "report.html", progress=False).read_text("utf8")
    assert "Errors (RMSE) at what was learned, round by round" in page
    assert f"{fit.settings['best_round']} (best)" in page
    failed = bool(fit.history["audit_failed"].sel(round=fit.settings["best_round"]).any())
    assert ("the surrogate does not answer" in page) == failed


def test_a_weak_surrogate_is_stopped():
    with pytest.raises(AuditError, match="over the full bounds the surrogate of 'bucket'") as caught:
        learn(world(), Bucket(), Loop(draws=8, emulator=SMALL | {"epochs": 1}))
    error = caught.value
    assert error.where == "range" and bool(error.audit["failed"].all())
    assert "leak on runoff: slope" in str(error) and "Loop(draws=" in str(error)


def test_the_best_so_far_is_left_by_a_later_audit(monkeypatch):
    """The second surrogate meets limits that none can."""
    calls = []

    def stricter(*args, **options):
        calls.append(None)
        return audit(*args, **options | ({"slope": (0.0, 1e-6)} if len(calls) > 2 else {}))

    audit = rounds.audit
    monkeypatch.setattr(rounds, "audit", stricter)
    with pytest.warns(RuntimeWarning, match="the best round so far is the result"):
        fit = learn(world(), Bucket(), Loop(draws=16, emulator=EMULATOR), epochs=20)
    assert fit.settings["rounds"] == 1 and fit.settings["rounds_stopped"] == "audit"


@pytest.mark.filterwarnings("ignore:what was learned")
def test_the_same_call_goes_on(tmp_path):
    """From its checkpoints, and to the same result as without."""
    call = {"epochs": 5, "checkpoint": tmp_path / "c"}
    loop = Loop(draws=8, emulator=SMALL | {"epochs": 5}, audit=LOOSE, rounds=2, tolerance=0.0)
    first = learn(world(), Bucket(), loop, **call)
    names = {p.name for p in tmp_path.iterdir()}
    assert {"c.round-1", "c.round-1-emulator"} <= names
    before = {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    again = learn(world(), Bucket(), loop, **call)
    assert_same_fit(again, first)
    assert before == {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    assert_same_fit(learn(world(), Bucket(), loop, epochs=5), first)


@pytest.mark.filterwarnings("ignore:what was learned")
@pytest.mark.parametrize(("after", "rounds"), [(10, 0), (20 * 11 + 200 + 60 + 24 + 40, 1)])
def test_interrupted(after, rounds):
    """In the first runs, and in those after the first round."""
    loop = Loop(draws=20, emulator=SMALL | {"epochs": 3}, audit=LOOSE)
    program = Counted(stop_after=after)
    if not rounds:
        with pytest.raises(KeyboardInterrupt):
            learn(basins(), box(program), loop, epochs=2)
        return
    fit = learn(basins(), box(program), loop, epochs=2)
    assert fit.settings["rounds"] == rounds and fit.settings["rounds_stopped"] == "interrupted"


@pytest.mark.filterwarnings("ignore:what was learned")
def test_members_targets_and_masks():
    """Two outputs imitated at once, two members, a site that only validates, and one that is not there."""
    ds = world()
    ds["wetness"] = xdpl.simulate(ds, Bucket(), {"leak": 0.3, "split": 0.2}, outputs=["wetness"])["wetness"]
    ds["wetness"] = (100.0 * ds["wetness"]).assign_attrs(units="percent")
    away = xr.zeros_like(ds["sand"], dtype=bool).drop_attrs()
    away[0, 0] = True
    ds["runoff"] = ds["runoff"].where(ds["lon"] != 7.0).assign_attrs(ds["runoff"].attrs)
    loop = Loop(
        draws=8, more=3, sites=3, emulator=SMALL | {"epochs": 60}, audit=LOOSE, rounds=2, tolerance=0.0
    )
    fit = learn(ds, Bucket(), loop, target=["runoff", "wetness"], members=2, validate=away, epochs=3)
    history = fit.history
    assert list(history["target"].values) == ["runoff", "wetness"]
    assert np.isfinite(history["model_rmse"]).all()
    assert fit.parameters(ds)["leak"].sizes["member"] == 2
    # One of six sites is held out for validation; two lack runoff, but have the other target. Of three drawn
    # one is for the audit.
    assert int(history["model_runs"][0]) == 8 * 2 + 40 * 5 * 1 + 2 * 5 * 3 + 1 + 2 * 6
    wet = fit.evaluate(ds.where(away), time=slice(ds["time"].values[20], None))
    expected = 0.01 * float(wet["pooled_rmse"].sel(target="wetness"))
    found = history["model_rmse"].sel(target="wetness", round=fit.settings["best_round"])
    np.testing.assert_allclose(float(found), expected, rtol=1e-4)


def test_worse_than_uncalibrated_is_said():
    ds = world()
    ds["runoff"] = xdpl.simulate(ds, Bucket())["runoff"]
    with pytest.warns(RuntimeWarning, match="worse in 'bucket' than its defaults: runoff"):
        learn(ds, Bucket(), Loop(draws=8, emulator=SMALL | {"epochs": 2}, audit=LOOSE, rounds=1), epochs=2)


def test_settings_that_make_no_sense():
    loop = Loop(draws=1, held_out=1.0, spread=0, sites=0, emulator={"epoch": 3}, audit={"step": 0})
    with pytest.raises(InputErrors) as caught:
        learn(world(), Bucket(), loop, warmup_gradient=False)
    subjects = [e.subject for e in caught.value.exceptions]
    assert subjects == [
        "Loop.draws", "Loop.sites", "Loop.spread", "Loop.held_out", "Loop.emulator", "step", "gradients",
    ]  # fmt: skip
    with pytest.raises(InputErrors, match=r"Loop\.emulator: expected a mapping of options, without"):
        learn(world(), Bucket(), Loop(emulator={"seed": 3}))
