"""A damaged or foreign file in the place of a checkpoint."""

import json

import numpy as np
import pytest
from helpers_learn import assert_same_fit, quick
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xdpl.errors import InputErrors


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.checkpoint"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint") / "run"
    return path, quick(epochs=2, checkpoint=path), path.read_bytes()


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_refused_or_without_effect(written, data):
    path, fit, sound = written
    at = data.draw(st.integers(0, len(sound) - 1))
    if data.draw(st.booleans()):
        flipped = sound[at] ^ data.draw(st.integers(1, 255))
        path.write_bytes(sound[:at] + bytes([flipped]) + sound[at + 1 :])
    else:
        path.write_bytes(sound[:at])
    try:
        again = quick(epochs=2, checkpoint=path)
    except InputErrors as raised:
        (error,) = raised.exceptions
        assert error.subject == str(path)
    else:
        # Bytes such as the time of a file in the archive mean nothing.
        assert_same_fit(again, fit)


def write_foreign(path):
    with path.open("wb") as file:
        np.savez(file, x=np.arange(3))


def write_other_format(path):
    with path.open("wb") as file:
        np.savez(file, meta=np.array(json.dumps({"format": "xdpl-checkpoint-0"})))


def write_list(path):
    with path.open("wb") as file:
        np.savez(file, meta=np.array("[1, 2]"))


def write_array(path):
    with path.open("wb") as file:
        np.save(file, np.arange(3))


FOREIGN = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("weights"),
    "pickle": lambda path: path.write_bytes(b"\x80\x04cos\nsystem\n(S'exit 1'\ntR."),
    "folder": lambda path: path.mkdir(),
    "npz": write_foreign,
    "npy": write_array,
    "list": write_list,
    "other format": write_other_format,
}


@pytest.mark.parametrize("what", FOREIGN)
def test_foreign_file_is_refused(path, what):
    FOREIGN[what](path)
    with pytest.raises(InputErrors, match="learn cannot run") as raised:
        quick(checkpoint=path)
    assert "delete it to start afresh" in str(raised.value)


def test_an_interrupted_write_keeps_the_old_file(path, monkeypatch):
    saves, clean = [], np.savez

    def broken(file, **arrays):
        saves.append(1)
        if len(saves) == 2:
            file.write(b"half")
            raise KeyboardInterrupt
        clean(file, **arrays)

    monkeypatch.setattr(np, "savez", broken)
    assert quick(epochs=2, checkpoint=path).settings["stopped"] == "interrupted"
    monkeypatch.undo()
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert_same_fit(quick(epochs=2, checkpoint=path), quick(epochs=2))
