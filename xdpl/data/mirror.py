"""Route 1: the prepared file comes from the mirror named by ``XDPL_DATA_URL``."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from xdpl.data import cache, download, manifest
from xdpl.data.catalogue import Entry
from xdpl.data.errors import DataError

__all__ = ["fetch", "named"]

_FIX = (
    "retry, set XDPL_DATA_URL to another mirror (a folder or URL that holds the prepared files), "
    "or unset it to download the upstream files"
)


def named() -> str:
    """Return the mirror that ``XDPL_DATA_URL`` names; empty if none."""
    return os.environ.get("XDPL_DATA_URL", "").strip()


def fetch(entry: Entry, mirror: str, *, progress: bool) -> Path:
    """Bring the prepared file into the cache, unless it is there.

    Parameters
    ----------
    entry : Entry
        Which dataset.
    mirror : str
        An ``http://``, ``https://`` or ``file://`` URL, or a folder.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    DataError
        If the mirror lacks the file, cannot be reached, or has another one.
    """
    row = manifest.prepared(entry.name)
    local = _folder_of(mirror)
    url = f"{mirror.rstrip('/')}/{entry.file}" if local is None else str(_present(local / entry.file))
    wanted = download.Wanted(entry.file, url, row.sha256, row.bytes)
    copy = None if local is None else _copy
    (path,) = download.fetch(cache.folder(), [wanted], fix=_FIX, progress=progress, copy=copy)
    return path


def _folder_of(mirror: str) -> Path | None:
    if "://" not in mirror:
        return Path(mirror).expanduser()
    parts = urlsplit(mirror)
    if parts.scheme == "file":
        return Path(url2pathname(parts.path))
    if parts.scheme in ("http", "https"):
        return None
    subject = f"XDPL_DATA_URL={mirror}"
    raise DataError(
        subject,
        expected="a folder, or a URL with http://, https:// or file://",
        got=f"{parts.scheme}://",
        fix=_FIX,
    )


def _present(path: Path) -> Path:
    if path.is_file():
        return path
    raise DataError(
        str(path),
        expected=f"the file {path.name} in the mirror folder {path.parent}",
        got="no such file" if path.parent.is_dir() else "no such folder",
        fix=_FIX,
    )


def _copy(source: str, output: str, _: Any) -> None:
    shutil.copyfile(source, output)
