"""From a fit and perhaps a dataset to a page on disk."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from xdpl.report.gather import gather
from xdpl.report.page import page
from xdpl.report.request import check

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.fit import Fit
    from xdpl.report.request import Request

__all__ = ["write"]


def write(fit: Fit, path: str | Path, ds: xr.Dataset | None, request: Request) -> Path:
    """Write the page; arguments and errors as those of `Fit.report`."""
    target = check(fit, path, ds, request)
    # Before the long parts: pictures need what not everybody has.
    import matplotlib  # noqa: F401

    _replace(target, page(gather(fit, ds, request)))
    return target


def _replace(target: Path, text: str) -> None:
    """Put a file in the place of another at once: nobody sees half of it."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".partial")
    try:
        with os.fdopen(handle, "w", encoding="utf8", newline="\n") as file:
            file.write(text)
        # Temporary files are for their owner alone; pages are read by others.
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
