"""The archive of the runs of a black box, as its readers see it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from xdpl.blackbox.parts import Parts
from xdpl.errors import Problems

__all__ = ["FORMAT", "META", "Archive", "described", "read_meta"]

FORMAT = "xdpl-runs-1"
META = "xdpl_runs"


class Archive:
    """All runs of a `BlackBox`, read from disk.

    A folder in zarr format that a model with ``archive=path`` writes. It may be read while it grows,
    and after a process that wrote to it was killed: what has been running for the last seconds is
    then missing, and nothing else is.

    Parameters
    ----------
    path : path

    Raises
    ------
    InputErrors
        If there is no archive.

    Notes
    -----
    A run is identified by its model and version, the dates and values of its forcings and its
    parameters, in double precision. Each process adds parts with names of its own, so that several
    may write at once; what one of them runs the others know when they open the archive again.

    Examples
    --------
    >>> import xdpl
    >>> runs = xdpl.blackbox.Archive("runs.zarr").to_dataset()  # doctest: +SKIP
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        meta = read_meta(self._path)
        if meta is None:
            problems = Problems("Archive")
            got = "another folder or file" if self._path.exists() else "nothing there"
            fix = "the path that was given to BlackBox(..., archive=)"
            problems.add(str(path), expected="an archive of runs", got=got, fix=fix)
            problems.raise_all()
        self._meta = meta

    def __repr__(self) -> str:
        finished, failed = self._counts()
        model, version = self._meta["model"], self._meta["version"]
        return f"Archive({str(self._path)!r}): {finished} runs of {model} {version}, and {failed} that failed"

    def to_dataset(self, *, failed: bool = False) -> xr.Dataset:
        """Runs with what went in and what came out, such as to train an emulator with.

        Parameters
        ----------
        failed : bool
            Whether runs that failed are among them, with NaN for outputs.

        Returns
        -------
        Dataset
            Of each ``run``: parameters (run), fluxes (run, time), ``series_of_run`` (run), the position
            of its forcings (series, time); ``status`` (run), 0 if it has finished, else 1, ``message``
            (run), and ``seconds`` (run), what it took. In declared units. Of runs over several periods,
            times that are not of a run are NaN, as are those not of a series.
        """
        # In this order: forcings are written before the first run with them.
        found = [_with_messages(part) for part in self._parts("runs")]
        if not found:
            problems = Problems("to_dataset")
            fix = "simulate or calibrate with the model first"
            problems.add(str(self._path), expected="at least one run", got="none", fix=fix)
            problems.raise_all()
        runs, series = _joined(found, "run"), _joined(self._parts("series"), "series")
        runs = runs.isel(run=_latest(runs["key"].values, runs["status"].values))
        if not failed:
            runs = runs.isel(run=np.flatnonzero(runs["status"].values == 0))
        series = series.isel(series=np.unique(series["key"].values, axis=0, return_index=True)[1])
        place = {key.tobytes(): i for i, key in enumerate(series["key"].values)}
        number = np.array([place[key.tobytes()] for key in runs["series_key"].values], dtype=np.int64)
        runs = runs.assign(series_of_run=("run", number, described("series_of_run")))
        both = [runs.drop_vars(["key", "series_key"]), series.drop_vars("key")]
        out = xr.merge(both, join="outer", compat="override")
        declared = [name for kind in ("parameters", "fluxes", "forcings") for name in self._meta[kind]]
        out = out[[*declared, "series_of_run", "status", "message", "seconds"]].drop_encoding()
        said = {k: self._meta[k] for k in ("model", "version", "model_hash")}
        return out.drop_attrs(deep=False).assign_attrs(title=f"runs of {said['model']}", **said)

    def _parts(self, kind: str, variables: list[str] | None = None) -> list[xr.Dataset]:
        parts = Parts(self._path / kind)
        return [parts.read(name, variables) for name in parts.names()]

    def _counts(self) -> tuple[int, int]:
        found = self._parts("runs", ["key", "status"])
        if not found:
            return 0, 0
        status = np.concatenate([part["status"].values for part in found])
        latest = status[_latest(np.concatenate([part["key"].values for part in found]), status)]
        return int((latest == 0).sum()), int((latest != 0).sum())


def read_meta(path: Path) -> dict[str, Any] | None:
    """What an archive says of itself; None if there is none."""
    import zarr

    try:
        attrs = dict(zarr.open_group(path, mode="r", use_consolidated=False).attrs)
        meta: dict[str, Any] = json.loads(str(attrs[META]))
    except (FileNotFoundError, KeyError, NotADirectoryError, ValueError, zarr.errors.BaseZarrError):
        return None
    return meta if meta.get("format") == FORMAT else None


def described(name: str) -> dict[str, Any]:
    """Attributes of what an archive has besides what is declared."""
    if name == "status":
        values = {"flag_values": [0, 1], "flag_meanings": "finished failed"}
        return {"long_name": "whether a run has finished", **values}
    if name == "seconds":
        return {"units": "s", "long_name": "what a run took; a share of its batch"}
    return {"long_name": "position of the forcings of a run along series"}


def _with_messages(part: xr.Dataset) -> xr.Dataset:
    messages = json.loads(part.attrs["messages"])
    texts = np.array([messages.get(str(i), "") for i in range(part.sizes["run"])], dtype=object)
    return part.assign(message=("run", texts, {"long_name": "why a run has failed"}))


def _joined(parts: list[xr.Dataset], dim: str) -> xr.Dataset:
    return xr.concat(
        parts,
        dim,
        data_vars="minimal",
        coords="minimal",
        compat="override",
        join="outer",
        combine_attrs="override",
    )


def _latest(keys: np.ndarray, status: np.ndarray) -> np.ndarray:
    """Positions of runs, each once: as it has succeeded, or as it has failed the last time."""
    best: dict[bytes, int] = {}
    for i, key in enumerate(keys):
        before = best.get(key.tobytes())
        if before is None or status[before] or not status[i]:
            best[key.tobytes()] = i
    return np.array(sorted(best.values()), dtype=np.int64)
