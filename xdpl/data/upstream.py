"""Route 2: the upstream files are downloaded and the dataset is prepared here."""

from __future__ import annotations

import importlib
from pathlib import Path
from urllib.parse import unquote, urlsplit

from xdpl.data import cache, download, manifest
from xdpl.data.catalogue import Entry

__all__ = ["VERSION", "fetch", "prepared_file", "url_of"]

VERSION = 1
"""Raise it when a preparation changes: older prepared files in caches are then left alone."""

_FIX = (
    "check the network and retry, set XDPL_DATA_URL to a mirror (a folder or URL that holds the "
    "prepared files), or set XDPL_DATA_DIR to a filled cache"
)


def prepared_file(entry: Entry) -> Path:
    """Where the dataset prepared here is kept.

    Its name differs from the mirror's: the bytes depend on the HDF5 library, so no hash is known.
    """
    return cache.folder() / f"{entry.name}.prepared-v{VERSION}.nc"


def url_of(row: manifest.Row) -> str:
    """Return the URL an upstream file is downloaded from.

    Internal seam: tests replace this function to serve the files themselves.
    """
    return row.location


def fetch(entry: Entry, *, progress: bool) -> Path:
    """Download the upstream files, prepare the dataset, and keep it in the cache.

    The upstream files stay in the folder ``upstream`` of the cache.

    Parameters
    ----------
    entry : Entry
        Which dataset.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    DataError
        If a file cannot be reached, has another hash, or cannot be stored.
    """
    target = prepared_file(entry)
    if target.is_file():
        return target
    folder = cache.folder() / "upstream"
    rows = manifest.upstream(entry.name)
    wanted = [download.Wanted(_place(row), url_of(row), row.sha256, row.bytes) for row in rows]
    download.fetch(folder, wanted, fix=_FIX, progress=progress)
    _prepare(entry, folder / _repository(rows[0]), target)
    return target


def _prepare(entry: Entry, root: Path, target: Path) -> None:
    from xdpl.data.prepare import store

    module = importlib.import_module(f"xdpl.data.prepare.{entry.preparation}")
    prepared = module.prepare(root)
    with cache.atomic(target) as part:
        store.write(prepared, part)


def _place(row: manifest.Row) -> str:
    """Path below the cache's upstream folder: owner/repository/commit/path."""
    return unquote(urlsplit(row.location).path).lstrip("/")


def _repository(row: manifest.Row) -> str:
    return "/".join(_place(row).split("/")[:3])
