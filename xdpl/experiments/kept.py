"""What an experiment has computed so far, on disk: the same call goes on where it was stopped."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from xdpl import models
from xdpl.errors import Problems
from xdpl.experiments.case import Case
from xdpl.labelled.attrs import model_hash

__all__ = ["Kept"]


class Kept:
    """A folder of datasets, one for each part of an experiment.

    Parameters
    ----------
    folder : Path, optional
        Made if there is none. None keeps them in memory, as long as the object lives.
    case : Case
        What the parts belong to.

    Raises
    ------
    InputErrors
        If the folder keeps parts of another case.
    """

    def __init__(self, folder: Path | None, case: Case) -> None:
        self.folder = folder
        self._parts: dict[str, xr.Dataset] = {}
        if folder is None:
            return
        folder.mkdir(parents=True, exist_ok=True)
        mine, path = _identity(case), folder / "case.json"
        if path.exists() and json.loads(path.read_text("utf8")) != mine:
            problems = Problems("experiment")
            problems.add(
                str(folder),
                expected="an empty folder, or one of the same data, model and settings",
                got="parts of another case",
                fix="another folder",
            )
            problems.raise_all()
        path.write_text(json.dumps(mine, indent=1), "utf8")

    def of(self, key: Mapping[str, Any], compute: Callable[[], xr.Dataset]) -> xr.Dataset:
        """The part with a key: read if it is there, else computed and kept."""
        name = "-".join(f"{k}={v}" for k, v in key.items())
        if self.folder is None:
            if name not in self._parts:
                self._parts[name] = compute()
            return self._parts[name]
        path = self.folder / f"{name}.nc"
        if path.exists():
            with xr.open_dataset(path, engine="h5netcdf") as part:
                return part.load()
        found = compute()
        # Written aside and renamed: what is there is whole.
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            found.drop_encoding().to_netcdf(aside, engine="h5netcdf")
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
        return found

    def file(self, name: str) -> Path | None:
        """A file of its own, such as a checkpoint."""
        return None if self.folder is None else self.folder / name


def _identity(case: Case) -> dict[str, Any]:
    """What decides about results, as plain values; the values of data by their digests."""
    digest = hashlib.sha256()
    names = sorted(str(k) for k in case.ds.data_vars)
    for name in names:
        array = case.ds[name]
        digest.update(repr((name, array.dims, array.shape, array.attrs.get("units"))).encode())
        digest.update(array.values.tobytes())
    model = models.get(case.model, "Case")
    return {
        "name": case.name,
        "data": digest.hexdigest()[:16],
        "model": model_hash(model),
        "target": case.target,
        "attributes": list(case.attributes),
        "train": repr(case.train),
        "test": repr(case.test),
        "score": case.score,
        "learn": repr(case.learning(100)),
        "alone": repr(case.learning_alone(100)),
        "calibrate": repr(dict(case.calibrate)),
        "regionalise": repr(dict(case.regionalise)),
    }
