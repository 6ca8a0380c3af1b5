"""A folder of zarr groups that only grows: each is complete or not there."""

from __future__ import annotations

import json
import shutil
import time
import uuid
from pathlib import Path
from typing import Any

import xarray as xr

__all__ = ["Parts", "begin"]


class Parts:
    """Datasets in a folder, in the order in which they were added.

    No two processes write to the same part, and none is changed: readers need no lock.

    Parameters
    ----------
    folder : Path
        A group of a zarr store.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """Names of the parts, the oldest first."""
        return sorted(p.name for p in self._folder.iterdir() if p.is_dir() and not p.name.startswith("."))

    def add(self, ds: xr.Dataset) -> str:
        """Write a dataset as a part; its name."""
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}"
        partial = self._folder / f".{name}"
        try:
            ds.to_zarr(partial, mode="w", consolidated=False, zarr_format=3)
            partial.rename(self._folder / name)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return name

    def read(self, name: str, variables: list[str] | None = None) -> xr.Dataset:
        """A part, or some variables of it, in memory."""
        with xr.open_zarr(self._folder / name, consolidated=False, chunks=None) as ds:
            return (ds if variables is None else ds[variables]).load().drop_encoding()


def begin(path: Path, attrs: dict[str, Any], groups: list[str]) -> None:
    """Make a store of empty groups, unless another process has just done so."""
    import zarr

    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    root = zarr.open_group(partial, mode="w", zarr_format=3)
    root.attrs.update({k: json.dumps(v) for k, v in attrs.items()})
    for group in groups:
        root.create_group(group)
    try:
        partial.rename(path)
    except OSError:
        if not path.is_dir():
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
