"""A folder in which finished fits leave their scores, so that an interrupted run goes on."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote

import xarray as xr

from xdpl.errors import Problems

if TYPE_CHECKING:
    from xdpl.cross_validation.plan import Key
    from xdpl.fit import Fit

__all__ = ["Store"]

_FORMAT = "xdpl-cross-validation-1"


class Store:
    """Scores, checkpoints and fits of one run on disk.

    Parameters
    ----------
    path : Path
    run : dict
        What all fits share, as plain values.
    models : dict of str to dict
        Options of each model.
    save_fits : bool

    Raises
    ------
    InputErrors
        If the folder belongs to other data or settings, or holds something else.

    Notes
    -----
    Every file is complete or not there, and no two processes with different models or seeds write to
    the same one.
    """

    def __init__(
        self, path: Path, run: dict[str, Any], models: dict[str, dict[str, Any]], *, save_fits: bool
    ) -> None:
        self._path = path
        self._save_fits = save_fits
        described = {"run": {"format": _FORMAT, **run}} | {f"model-{k}": v for k, v in models.items()}
        files = {name: path / f"{quote(name, safe='')}.json" for name in described}
        problems = Problems("cross_validate")
        if path.is_dir() and any(path.iterdir()) and not files["run"].is_file():
            problems.add(
                str(path),
                expected="a folder that is empty, or of this run",
                got="other files",
                fix="out= another folder",
            )
        for name, file in files.items():
            if file.is_file():
                _compare(file, name, described[name], problems)
        problems.raise_if_any()
        for part in ("scores", "checkpoints", *(("fits",) if save_fits else ())):
            (path / part).mkdir(parents=True, exist_ok=True)
        for name, file in files.items():
            if not file.is_file():
                _write_text(file, json.dumps(described[name], indent=1))

    def read(self, key: Key) -> xr.Dataset | None:
        """Scores of a finished fit; None if it is not, or was not kept and now should be."""
        file = self._file("scores", key)
        if not file.is_file() or (self._save_fits and not self._file("fits", key).is_dir()):
            return None
        try:
            with xr.open_dataset(file, engine="h5netcdf") as stored:
                return stored.load().drop_encoding()
        except (KeyError, OSError, ValueError) as error:
            _refuse(file, "scores of a finished fit", f"a damaged file ({error})", "delete it, to fit again")

    def write(self, key: Key, scores: xr.Dataset, fit: Fit) -> None:
        """Keep what is finished; its checkpoint is no longer needed."""
        if self._save_fits:
            kept = self._file("fits", key)
            # A fit without scores was cut off between the two.
            shutil.rmtree(kept, ignore_errors=True)
            fit.save(kept)
        file = self._file("scores", key)
        temporary = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            scores.to_netcdf(temporary, engine="h5netcdf")
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)
        self.checkpoint(key).unlink(missing_ok=True)

    def checkpoint(self, key: Key) -> Path:
        """Where the training of one fit keeps its state."""
        return self._file("checkpoints", key)

    def _file(self, part: str, key: Key) -> Path:
        label, fold, seed = key
        suffix = {"scores": "nc", "fits": "zarr", "checkpoints": "npz"}[part]
        return self._path / part / f"{quote(label, safe='')}.{fold}.{seed}.{suffix}"


def _compare(file: Path, name: str, described: dict[str, Any], problems: Problems) -> None:
    try:
        there = json.loads(file.read_text("utf8"))
    except (OSError, ValueError) as error:
        _refuse(file, "settings of a run", f"a file that cannot be read ({error})", "out= another folder")
    here, there = _flat(json.loads(json.dumps(described))), _flat(there)
    for key in dict.fromkeys([*here, *there]):
        if here.get(key) != there.get(key):
            problems.add(
                f"{file.parent}: {key}"
                if name == "run"
                else f"{file.parent}: {key} of {name.removeprefix('model-')}",
                expected=f"{there.get(key)}, as in the run of this folder",
                got=str(here.get(key)),
                fix="the settings and data of that run, or out= another folder",
            )


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    """Nested settings by names such as ``protocol.seed``, so that only those that differ are told."""
    if not isinstance(value, dict):
        return {prefix: value}
    inner = [_flat(v, f"{prefix}.{k}" if prefix else k) for k, v in value.items()]
    return {k: v for part in inner for k, v in part.items()}


def _write_text(file: Path, text: str) -> None:
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        temporary.write_text(text, "utf8")
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def _refuse(file: Path, expected: str, got: str, fix: str) -> NoReturn:
    problems = Problems("cross_validate")
    problems.add(str(file), expected=expected, got=got, fix=fix)
    problems.raise_all()
