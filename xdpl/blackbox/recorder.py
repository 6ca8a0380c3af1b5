"""Keeps the runs of a model in its archive, and finds them again."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl.blackbox.archive import FORMAT, META, described
from xdpl.blackbox.parts import Parts, begin
from xdpl.labelled.attrs import model_hash, variable_attrs

if TYPE_CHECKING:
    import pandas as pd

    from xdpl.models import BlackBox

__all__ = ["Record", "Recorder", "refusal"]

# Seconds between parts: what a kill can cost.
_EVERY = 5.0


@dataclass(frozen=True)
class Record:
    """One run.

    Parameters
    ----------
    key, series : bytes
        Of the run, and of its forcings.
    parameters : dict of str to float
    outputs : dict of str to ndarray of float64, (time,)
        NaN if it has failed.
    message : str
        Why it has failed; empty if it has not.
    seconds : float
    """

    key: bytes
    series: bytes
    parameters: dict[str, float]
    outputs: dict[str, np.ndarray]
    message: str
    seconds: float


class Recorder:
    """The writing side of an archive; threads may share one.

    Parameters
    ----------
    model : BlackBox
        With an archive, which is made if it is not there.
    """

    def __init__(self, model: BlackBox) -> None:
        path = Path(model.archive or "")
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            begin(path, {META: _identity(model)}, ["runs", "series"])
        self._model = model
        self._runs, self._series = Parts(path / "runs"), Parts(path / "series")
        self._lock = threading.RLock()
        self._where: dict[bytes, tuple[str, int, str]] = {}
        for name in self._runs.names():
            self._index(name, self._runs.read(name, ["key", "status"]))
        self._known = {
            row.tobytes()
            for name in self._series.names()
            for row in self._series.read(name, ["key"])["key"].values
        }
        self._recent: dict[bytes, Record] = {}
        self._new_series: dict[bytes, dict[str, np.ndarray]] = {}
        self._time: pd.Index | None = None
        self._flushed = time.monotonic()
        # Runs are asked for again in the order in which they were made: from the same few parts.
        self._part = lru_cache(8)(self._runs.read)

    def find(self, key: bytes) -> Record | None:
        """A run that is there; None if it is not, or has failed and is to be tried again."""
        with self._lock:
            found = self._recent.get(key) or self._stored(key)
        retry = self._model.retry_failed and found is not None and found.message
        return None if retry else found

    def add(
        self, records: list[Record], time_: pd.Index, forcings: dict[bytes, dict[str, np.ndarray]]
    ) -> None:
        """Keep runs on the same dates, and the forcings (time,) they had, by their keys."""
        with self._lock:
            if self._time is not None and not self._time.equals(time_):
                self.flush()
            self._time = time_
            self._recent |= {record.key: record for record in records}
            self._new_series |= {k: v for k, v in forcings.items() if k not in self._known}
            if time.monotonic() - self._flushed > _EVERY:
                self.flush()

    def flush(self) -> None:
        """Write what is only in memory."""
        with self._lock:
            if self._recent:
                # A run is never there without its forcings.
                if self._new_series:
                    self._series.add(self._dataset_of_series())
                    self._known |= set(self._new_series)
                    self._new_series = {}
                part = self._dataset_of_runs(list(self._recent.values()))
                self._index(self._runs.add(part), part)
                self._recent = {}
            self._flushed = time.monotonic()

    def _stored(self, key: bytes) -> Record | None:
        place = self._where.get(key)
        if place is None:
            return None
        name, row, message = place
        part = self._part(name)
        outputs = {f.name: part[f.name].values[row].astype(np.float64) for f in self._model.fluxes}
        return Record(key, b"", {}, outputs, message, float(part["seconds"].values[row]))

    def _index(self, name: str, part: xr.Dataset) -> None:
        messages = json.loads(part.attrs["messages"])
        for row, (key, status) in enumerate(zip(part["key"].values, part["status"].values, strict=True)):
            before = self._where.get(key.tobytes())
            # What has succeeded once stays so.
            if before is None or before[2] or not status:
                self._where[key.tobytes()] = (name, row, messages.get(str(row), ""))

    def _dataset_of_runs(self, records: list[Record]) -> xr.Dataset:
        model = self._model
        ds = xr.Dataset(coords={"time": self._time})
        for p in model.parameters:
            ds[p.name] = ("run", np.array([r.parameters[p.name] for r in records]), variable_attrs(p))
        for f in model.fluxes:
            ds[f.name] = (("run", "time"), np.stack([r.outputs[f.name] for r in records]), variable_attrs(f))
        ds["key"] = (("run", "byte"), _bytes([r.key for r in records]))
        ds["series_key"] = (("run", "byte"), _bytes([r.series for r in records]))
        status = np.array([bool(r.message) for r in records], dtype=np.int8)
        ds["status"] = ("run", status, described("status"))
        ds["seconds"] = ("run", np.array([r.seconds for r in records]), described("seconds"))
        messages = {str(i): r.message for i, r in enumerate(records) if r.message}
        return ds.assign_attrs(messages=json.dumps(messages))

    def _dataset_of_series(self) -> xr.Dataset:
        series = self._new_series
        ds = xr.Dataset(coords={"time": self._time})
        for f in self._model.forcings:
            values = np.stack([own[f.name] for own in series.values()])
            ds[f.name] = (("series", "time"), values, variable_attrs(f))
        return ds.assign(key=(("series", "byte"), _bytes(list(series))))


def _bytes(keys: list[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(len(keys), -1)


def _identity(model: BlackBox) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "model": model.name,
        "version": model.version,
        "dt": model.dt,
        "model_hash": model_hash(model),
        "parameters": [p.name for p in model.parameters],
        "fluxes": [f.name for f in model.fluxes],
        "forcings": [f.name for f in model.forcings],
    }


def refusal(model: BlackBox, meta: dict[str, Any]) -> str:
    """Why an archive is not that of a model; empty if it is."""
    own = _identity(model)
    differ = [
        k for k in ("model", "version", "dt", "parameters", "fluxes", "forcings") if own[k] != meta.get(k)
    ]
    if differ:
        return ", ".join(f"{k} {meta.get(k)!r}" for k in differ)
    return "" if own["model_hash"] == meta.get("model_hash") else "other bounds, units or long names"
