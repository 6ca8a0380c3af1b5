"""The folder in which sample data are kept."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xdpl.data.errors import DataError

__all__ = ["atomic", "folder", "is_intact", "unwritable"]


def folder() -> Path:
    """Return the folder named by ``XDPL_DATA_DIR``, else the cache folder of this system."""
    named = os.environ.get("XDPL_DATA_DIR", "").strip()
    if named:
        return Path(named).expanduser()
    import pooch

    return Path(pooch.os_cache("xdpl"))


def is_intact(path: Path, sha256: str) -> bool:
    """Whether the file is there and has this digest."""
    import pooch

    return path.is_file() and pooch.file_hash(str(path)) == sha256


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a name to write to; the finished file then replaces `path` in one step.

    Another process sees the whole file or none, and the last writer wins.

    Parameters
    ----------
    path : Path
        Final place; its folder is made if needed.

    Raises
    ------
    DataError
        If the folder cannot be written to.
    """
    part = path.with_name(f".{uuid.uuid4().hex}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        os.replace(part, path)
    except OSError as error:
        raise unwritable(path.parent, error) from error
    finally:
        part.unlink(missing_ok=True)


def unwritable(folder: Path, error: OSError) -> DataError:
    """Make the error to raise when a cache folder cannot be written to."""
    return DataError(
        f"cache folder {folder}",
        expected="a folder with write permission and free space",
        got=f"{type(error).__name__}: {error}",
        fix="set XDPL_DATA_DIR to a folder you can write to",
    )
