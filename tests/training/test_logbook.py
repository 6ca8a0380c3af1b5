"""Losses in the files of TensorBoard."""

import sys

import pytest
from helpers_learn import problems, quick

from xdpl.errors import InputErrors

LATE = slice("2001-05-01", "2001-06-30")


def read(folder):
    """Scalars in a folder: name to epoch to value."""
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = accumulator.EventAccumulator(str(folder)).Reload()
    return {name: {e.step: e.value for e in events.Scalars(name)} for name in events.Tags()["scalars"]}


@pytest.mark.parametrize("options", [{}, {"validate": LATE}], ids=["plain", "validated"])
def test_the_history_is_written(tmp_path, options):
    pytest.importorskip("tensorboard")
    fit = quick(log=tmp_path / "log", **options)
    found = read(tmp_path / "log")
    assert set(found) == set(fit.history) - (set() if options else {"validation_loss"})
    for name, values in found.items():
        assert list(values) == [1, 2, 3]
        assert list(values.values()) == pytest.approx(fit.history[name].values.tolist(), rel=1e-6)


def test_a_resumed_run_goes_on_in_the_same_folder(tmp_path):
    pytest.importorskip("tensorboard")
    log, run = tmp_path / "log", tmp_path / "run"
    quick(log=log, checkpoint=run)
    assert list(read(log)["loss"]) == [1, 2, 3]
    quick(log=log, checkpoint=run)
    assert list(read(log)["loss"]) == [1, 2, 3]


def test_each_seed_has_its_folder(tmp_path):
    pytest.importorskip("tensorboard")
    fits = quick(log=tmp_path / "log", seed=[4, 2]).fits
    for fit, seed in zip(fits, (4, 2), strict=True):
        found = read(tmp_path / "log" / str(seed))["loss"]
        assert list(found.values()) == pytest.approx(fit.history["loss"].values.tolist(), rel=1e-6)


def test_without_tensorboard(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(InputErrors) as raised:
        quick(log=tmp_path, epochs=0)
    found = problems(raised)
    assert "TensorBoard installed" in found["log"] and "pip install" in found["log"]
    assert "epochs" in found
