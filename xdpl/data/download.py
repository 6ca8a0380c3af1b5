"""Bring files into the cache with pooch: hash-checked, retried, moved in place when whole."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xdpl.data.cache import unwritable
from xdpl.data.errors import DataError

__all__ = ["RETRIES", "TIMEOUT", "Wanted", "fetch"]

RETRIES = 2
"""How often a failed download is tried again (pooch waits 1, 2, ... seconds between)."""

TIMEOUT = 60.0
"""Seconds without an answer after which a download has failed."""


@dataclass(frozen=True)
class Wanted:
    """One file to bring into a folder.

    Parameters
    ----------
    path : str
        Place in the folder, with ``/``.
    url : str
        Where it comes from: an http(s) URL, or the path of a file.
    sha256 : str
        Hexadecimal digest.
    bytes : int
        Size in bytes, for the progress bar.
    """

    path: str
    url: str
    sha256: str
    bytes: int


def fetch(
    folder: Path,
    wanted: Sequence[Wanted],
    *,
    fix: str,
    progress: bool = False,
    copy: Callable[..., Any] | None = None,
) -> list[Path]:
    """Bring what is not in the folder yet, or is there with another hash.

    Parameters
    ----------
    folder : Path
        Where the files go.
    wanted : sequence of Wanted
        What is needed.
    fix : str
        What a user can do if a file cannot be fetched.
    progress : bool
        Whether to show a progress bar over all bytes.
    copy : callable, optional
        A pooch downloader to use instead of HTTP; not retried.

    Returns
    -------
    list of Path
        The files, in the order wanted.

    Raises
    ------
    DataError
        If a file cannot be reached, has another hash, or cannot be stored.
    """
    import pooch
    from tqdm.auto import tqdm

    registry = pooch.Pooch(
        path=folder,
        base_url="",
        registry={each.path: each.sha256 for each in wanted},
        urls={each.path: each.url for each in wanted},
        retry_if_failed=0 if copy else RETRIES,
    )
    copy = copy or pooch.HTTPDownloader(timeout=TIMEOUT)
    paths = []
    total = sum(each.bytes for each in wanted)
    with _quiet(), tqdm(total=total, unit="B", unit_scale=True, disable=not progress) as bar:
        for each in wanted:
            paths.append(_fetch_one(copy, registry, each, fix))
            bar.update(each.bytes)
    return paths


def _fetch_one(copy: Callable[..., Any], registry: Any, wanted: Wanted, fix: str) -> Path:
    import pooch
    import requests  # type: ignore[import-untyped,unused-ignore]

    digests = []

    def downloader(url: str, output: str, pup: Any) -> None:
        # pooch reports a wrong hash only as text: note it here for our own message.
        copy(url, output, pup)
        digests.append(pooch.file_hash(output))

    try:
        # pooch makes the folder too, but fails if another process was faster.
        (Path(registry.abspath) / wanted.path).parent.mkdir(parents=True, exist_ok=True)
        return Path(registry.fetch(wanted.path, downloader=downloader))
    except requests.exceptions.RequestException as error:
        got = f"{type(error).__name__}: {error}"
        raise DataError(wanted.url, expected="a download", got=got, fix=fix) from error
    except OSError as error:
        raise unwritable(Path(registry.abspath), error) from error
    except ValueError as error:
        if not digests or digests[-1] == wanted.sha256:
            raise
        raise DataError(
            wanted.url,
            expected=f"a file with SHA-256 {wanted.sha256}",
            got=f"SHA-256 {digests[-1]} (transfer cut or source changed; nothing was kept)",
            fix=fix,
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    # pooch logs every file to stderr at level INFO: hundreds of lines here.
    import pooch

    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
