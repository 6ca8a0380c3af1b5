import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers_learn import Bucket, quick, weights, world

import xdpl
from xdpl.training import loop

LATE = slice("2001-05-01", "2001-06-30")

# A shell that starts jobs in the background makes them ignore SIGINT: undo that.
CHILD = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, sys.argv[1])
from helpers_learn import quick
from xdpl.training.progress import Progress

update = Progress.update
def told(self, row):
    update(self, row)
    print("epoch", flush=True)
Progress.update = told

fit = quick(epochs=100_000, validate=slice("2001-05-01", "2001-06-30"))
history = fit.history["validation_loss"].values
print(fit.settings["stopped"], len(history), fit.settings["best_epoch"] == history.argmin() + 1)
print(fit.parameters(__import__("helpers_learn").world())["leak"].notnull().all().item())
"""


def test_ctrl_c_returns_the_best_so_far():
    root = Path(xdpl.__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", CHILD, str(Path(__file__).parents[1])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        try:
            for _ in range(3):
                assert child.stdout.readline() == "epoch\n"
            child.send_signal(signal.SIGINT)
            out, _ = child.communicate(timeout=60)
        finally:
            child.kill()
    assert child.returncode == 0
    *_, said, sound = out.splitlines()
    stopped, epochs, best = said.split()
    assert stopped == "interrupted" and best == "True" and sound == "True"
    assert 3 <= int(epochs) < 100_000


def test_best_weights_so_far_are_kept(monkeypatch):
    losses, seen = iter([2.0, 1.0, 3.0]), []

    def validate(course):
        value = next(losses, None)
        if value is None:
            raise KeyboardInterrupt
        vector = [v.detach().numpy().ravel().copy() for v in course.network.state_dict().values()]
        seen.append(np.concatenate(vector))
        return value

    monkeypatch.setattr(loop, "_validate", validate)
    fit = quick(epochs=9, validate=LATE)
    assert (fit.settings["stopped"], fit.settings["best_epoch"]) == ("interrupted", 2)
    assert list(fit.history["validation_loss"].values) == [2.0, 1.0, 3.0]
    np.testing.assert_array_equal(weights(fit), seen[1])
    assert "interrupted after 3 of 9 epochs, best epoch 2" in repr(fit)


@pytest.fixture
def at_once(monkeypatch):
    """Interrupted before the first epoch is over."""

    def epoch(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loop, "_epoch", epoch)
        return quick(checkpoint=None)


def test_interrupted_at_once_gives_the_defaults(at_once, tmp_path):
    assert at_once.history.sizes["epoch"] == 0
    assert "interrupted after 0 of 3 epochs" in repr(at_once)
    np.testing.assert_allclose(at_once.parameters(world())["leak"], 0.1, rtol=0.01)
    at_once.save(tmp_path / "fit")
    again = xdpl.load(tmp_path / "fit", model=Bucket())
    np.testing.assert_array_equal(weights(again), weights(at_once))
    assert again.history.sizes["epoch"] == 0 and set(again.history) == set(at_once.history)
    at_once.plot.history()


def test_other_errors_are_not_swallowed(monkeypatch):
    def validate(*args):
        msg = "broken"
        raise RuntimeError(msg)

    monkeypatch.setattr(loop, "_validate", validate)
    with pytest.raises(RuntimeError, match="broken"):
        quick(validate=LATE)
