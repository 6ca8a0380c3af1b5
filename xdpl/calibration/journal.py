"""What was asked and answered so far, on disk: an interrupted calibration is replayed from it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np

from xdpl.errors import Problems

__all__ = ["Journal"]

_FORMAT = "xdpl-calibration-1"
# Of the points of a round, before its answers.
_STAMP = 8


class Journal:
    """Answers of the model in the order they were given; optimisers are deterministic, so that is all.

    Parameters
    ----------
    path : Path, optional
        Read if it exists, and added to. None keeps nothing.
    fingerprint : str
        Identifies the data and the settings that the answers belong to.

    Raises
    ------
    InputErrors
        If the file is none of ours, or belongs to other data or settings.
    """

    def __init__(self, path: Path | None, fingerprint: str) -> None:
        self._file: IO[bytes] | None = None
        self._path = path
        self._fingerprint = fingerprint
        if path is None:
            return
        exists = path.exists()
        self._file = path.open("r+b" if exists else "w+b")
        head = self._head()
        if not exists:
            self._file.write(head)
            self._file.flush()
        elif self._file.readline() != head:
            self._refuse("a file of other data, other settings or another kind")

    def next(self, points: np.ndarray, size: int) -> np.ndarray | None:
        """The next answers of an earlier run, (size,); None when all were read.

        Raises
        ------
        InputErrors
            If they were given to other points: the optimiser is not the one of that run.
        """
        if self._file is None or not size:
            return None
        at = self._file.tell()
        raw = self._file.read(_STAMP + 8 * size)
        if len(raw) == _STAMP + 8 * size:
            if raw[:_STAMP] != _stamp(points):
                self._refuse("answers to other points, of another version of the method")
            return np.frombuffer(raw[_STAMP:], dtype="<f8").copy()
        # Half an answer, of a run that was killed, is written over.
        self._file.seek(at)
        self._file.truncate()
        return None

    def add(self, points: np.ndarray, values: np.ndarray) -> None:
        """Keep new answers, float64, with the points that they were given to."""
        if self._file is not None:
            self._file.write(_stamp(points) + np.ascontiguousarray(values, dtype="<f8").tobytes())
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _head(self) -> bytes:
        meta: dict[str, Any] = {"format": _FORMAT, "fingerprint": self._fingerprint}
        return json.dumps(meta, sort_keys=True).encode() + b"\n"

    def _refuse(self, got: str) -> NoReturn:
        problems = Problems("calibrate")
        problems.add(
            str(self._path),
            expected="a checkpoint of a calibration of the same data with the same settings",
            got=got,
            fix="another checkpoint, or remove the file",
        )
        self.close()
        problems.raise_all()


def _stamp(points: np.ndarray) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(points, dtype="<f8").tobytes()).digest()[:_STAMP]
