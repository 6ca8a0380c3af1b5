"""What an experiment has computed so far, on disk: the same call goes on where it was stopped."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from xdpl.cross_validation.identity import hashed, plain
from xdpl.errors import Problems
from xdpl.experiments.case import Case
from xdpl.labelled.attrs import model_hash

__all__ = ["Kept", "digest"]

_COUNTS = (10, 100, 1000)


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


def digest(mask: xr.DataArray) -> str:
    """Short name of some sites, the same in any order of the dims."""
    ordered = mask.transpose(*sorted(mask.dims, key=str)).values
    return hashlib.sha256(np.packbits(ordered).tobytes()).hexdigest()[:8]


def _identity(case: Case) -> dict[str, Any]:
    """What decides about results, as plain values; those of data by their hashes."""
    from xdpl import __version__

    data = case.data
    forcings = [d.name for d in case.process.forcings]
    truth = sorted(str(k) for k in data.data_vars if str(k).startswith(("true_", "unbiased_", "expected_")))
    learned = case.learning(_COUNTS[0])
    told = [name for prior in (learned.get("priors") or {}).values() for name in prior.variables]
    variables = dict.fromkeys([*forcings, case.target, *case.attributes, *truth, *told])
    settings = {
        "xdpl_version": __version__,
        "name": case.name,
        "sites": digest(case.usable()),
        "variables": {k: hashed(data[k]) for k in variables},
        "coordinates": {str(k): hashed(v) for k, v in data.coords.items()},
        "model": model_hash(case.process),
        "target": case.target,
        "attributes": list(case.attributes),
        "train": case.train,
        "test": case.test,
        "score": case.score,
        # Options may be those of a number of sites.
        "learn": [case.learning(count) for count in _COUNTS],
        "same_sites": [case.learning(count, same_sites=True) for count in _COUNTS],
        "alone": [case.learning_alone(count) for count in _COUNTS],
        "history": [case.learning_from_history(count) for count in _COUNTS],
        "loop": None if case.loop is None else case.loop.to_dict(),
        "calibrate": dict(case.calibrate),
        "regionalise": dict(case.regionalise),
    }
    settings = plain(settings)
    # As it is read back.
    found: dict[str, Any] = json.loads(json.dumps(settings))
    return found
