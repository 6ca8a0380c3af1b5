import numpy as np
import pytest
import xarray as xr
from helpers_learn import Bucket, assert_same_fit, quick, weights, world

import xdpl
from xdpl.errors import InputErrors
from xdpl.models import NetworkOnly
from xdpl.networks import LSTM, History, Hybrid
from xdpl.training import loop
from xdpl.training.progress import Progress

LATE = slice("2001-05-01", "2001-06-30")
DROPOUT = xdpl.networks.MLP(hidden=(8,), dropout=0.3)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.checkpoint"


@pytest.fixture
def interrupt(monkeypatch):
    """Raise KeyboardInterrupt at the end of the n-th epoch of a run."""

    def at(n):
        calls = []
        update = Progress.update

        def stopping(self, row):
            calls.append(row)
            update(self, row)
            if len(calls) == n:
                raise KeyboardInterrupt

        monkeypatch.setattr(Progress, "update", stopping)

    return at


def wet():
    ds = world()
    ds["wet"] = (0.5 * ds["runoff"]).where(ds["time"].dt.day % 3 != 0).assign_attrs(units="percent")
    return ds


MOVING = {"dynamic": ["leak"], "dynamic_dropout": 0.4}
RESUMED = {
    "plain": {},
    "dropout": {"network": DROPOUT},
    "validated": {"validate": LATE},
    "dropout and validated": {"network": DROPOUT, "validate": LATE, "loss": "kge"},
    "validation sites": {"validate": world()["sand"] == world()["sand"].max()},
    "members": {"members": 3, "schedule": "exponential", "weight_decay": 0.1},
    "lstm": {"network": LSTM(4, dropout=0.3), "members": 2, "schedule": "linear", "coverage": 0.9} | MOVING,
    "hybrid": {"network": Hybrid(4, (6,), 3, dropout=0.2), "members": 2, "pretrain": 4, "weight_decay": 0.1}
    | MOVING,
    "history": {"network": History(steps=20, hidden=4, dropout=0.2, blind=0.5), "schedule": "constant"},
    "site affine": {"observation": "site_affine", "weight_decay": 0.1, "validate": LATE},
    "global affine": {"observation": "global_affine", "members": 2},
    "anomaly": {"observation": "anomaly"},
    "worst group": {
        "objective": xdpl.objectives.GroupDRO(step=0.5),
        "groups": (world()["sand"] > world()["sand"].median()).astype(int),
        "validate": LATE,
    },
    "network alone": {"model": NetworkOnly(Bucket()), "network": LSTM(4, dropout=0.3), "validate": LATE},
    "several targets": {
        "ds": wet(),
        "target": {"runoff": "runoff", "wetness": "wet"},
        "loss": {"runoff": "rmse_log", "wetness": "nrmse"},
        "weights": {"runoff": 1.0, "wetness": 3.0},
    },
}


@pytest.mark.parametrize("options", RESUMED.values(), ids=RESUMED)
def test_resumed_run_is_the_run_in_one_go(path, interrupt, monkeypatch, options):
    whole = quick(epochs=6, **options)
    with monkeypatch.context():
        interrupt(3)
        part = quick(epochs=6, checkpoint=path, **options)
    assert part.settings["stopped"] == "interrupted"
    assert part.history.sizes["epoch"] == 3
    assert not np.array_equal(weights(part), weights(whole))
    monkeypatch.undo()
    resumed = quick(epochs=6, checkpoint=path, **options)
    assert_same_fit(resumed, whole)
    xr.testing.assert_equal(resumed.observation, whole.observation)
    assert resumed.settings == whole.settings
    # The first three epochs were not run a second time.
    np.testing.assert_array_equal(resumed.history["seconds"][:3], part.history["seconds"])


def test_resumed_epoch_by_epoch(path, interrupt, monkeypatch):
    """Every state that a training can be left in, one after the other."""
    options = {"network": Hybrid(4, (6,), 3, dropout=0.2), "pretrain": 2, "validate": LATE} | MOVING
    whole = quick(epochs=5, **options)
    for epoch in range(1, 5):
        with monkeypatch.context():
            interrupt(1)
            part = quick(epochs=5, checkpoint=path, **options)
        monkeypatch.undo()
        assert part.history.sizes["epoch"] == epoch
    assert_same_fit(quick(epochs=5, checkpoint=path, **options), whole)


def test_interrupted_within_an_epoch(path, monkeypatch):
    whole = quick(epochs=4)
    epochs, clean = [], loop._epoch

    def broken(*args):
        epochs.append(args)
        if len(epochs) == 3:
            next(args[1])  # draws from the generator first
            raise KeyboardInterrupt
        return clean(*args)

    monkeypatch.setattr(loop, "_epoch", broken)
    part = quick(epochs=4, checkpoint=path)
    assert (part.settings["stopped"], part.history.sizes["epoch"]) == ("interrupted", 2)
    monkeypatch.undo()
    assert_same_fit(quick(epochs=4, checkpoint=path), whole)


def test_a_checkpoint_changes_nothing(path):
    assert_same_fit(quick(checkpoint=path), quick())
    assert path.exists()
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_path_as_text_and_any_suffix(tmp_path):
    quick(checkpoint=str(tmp_path / "a.b"))
    assert [p.name for p in tmp_path.iterdir()] == ["a.b"]


def test_finished_run_returns_at_once(path, monkeypatch):
    first = quick(checkpoint=path, validate=LATE)
    monkeypatch.setattr(loop, "_epoch", lambda *a: pytest.fail("an epoch was run"))
    again = quick(checkpoint=path, validate=LATE)
    assert_same_fit(again, first)
    assert again.settings == first.settings


def test_early_stopped_run_returns_at_once(path, monkeypatch):
    monkeypatch.setattr(loop, "_validate", lambda *a: 1.0)
    first = quick(checkpoint=path, validate=LATE, patience=2, epochs=9)
    assert (first.settings["stopped"], first.history.sizes["epoch"]) == ("early", 3)
    monkeypatch.setattr(loop, "_epoch", lambda *a: pytest.fail("an epoch was run"))
    again = quick(checkpoint=path, validate=LATE, patience=2, epochs=9)
    assert_same_fit(again, first)
    assert again.settings["stopped"] == "early"


def changed_rain():
    ds = world()
    ds["precipitation"][40] += 1.0
    return ds


def changed_observation():
    ds = world()
    ds["runoff"][40] += 1.0
    return ds


def changed_attribute():
    ds = world()
    ds["sand"][0, 0] += 1.0
    return ds


OTHERS = {
    "epochs": {"epochs": 4},
    "seed": {"seed": 1},
    "loss": {"loss": "kge"},
    "learning_rate": {"learning_rate": 0.01},
    "clip": {"clip": 0.5},
    "warmup": {"warmup": 11},
    "warmup_gradient": {"warmup_gradient": False},
    "window": {"window": 31},
    "batch": {"batch": 5},
    "network": {"network": DROPOUT},
    "members": {"members": 2},
    "schedule": {"schedule": "linear"},
    "coverage": {"coverage": 0.5},
    "weight_decay": {"weight_decay": 0.1},
    "patience": {"patience": 31},
    "attributes": {"attributes": ["clay", "sand"]},
    "target": {"target": {"wetness": "wet"}},
    "train": {"train": slice("2001-02-02", "2001-04-30")},
    "sites": {"sites": world()["sand"] > world()["sand"].min()},
    "validation sites": {"validate": world()["sand"] == world()["sand"].min()},
    "no validation": {"validate": None},
    "validation period": {"validate": slice("2001-05-02", "2001-06-30")},
    "observation": {"observation": "global_affine"},
    "frozen": {"observation": xdpl.observation.Frozen(0.9)},
    "rain": {"ds": changed_rain()},
    "observations": {"ds": changed_observation()},
    "attribute values": {"ds": changed_attribute()},
}


@pytest.mark.parametrize("what", OTHERS)
def test_checkpoint_of_another_run_is_refused(path, what):
    start = {"ds": world(), "checkpoint": path, "validate": LATE}
    quick(**start)
    before = path.read_bytes()
    options = start | OTHERS[what]
    options["ds"] = options["ds"].assign(wet=options["ds"]["runoff"].assign_attrs(units="1"))
    with pytest.raises(InputErrors, match="learn cannot run") as raised:
        quick(**options)
    (error,) = raised.value.exceptions
    assert error.subject == str(path)
    assert "other data or settings" in error.got
    assert "another file, or delete it" in error.fix
    assert path.read_bytes() == before


def test_training_period_that_only_changes_the_scale_is_refused(path):
    # Both start after 40 days of warm-up, with another spread of the observations.
    quick(checkpoint=path, warmup=40, train=slice("2001-01-01", "2001-04-30"))
    with pytest.raises(InputErrors, match="other data or settings"):
        quick(checkpoint=path, warmup=40, train=slice("2001-01-20", "2001-04-30"))
