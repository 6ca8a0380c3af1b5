"""`open` and `list`, the functions of `xdpl.data`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdpl.data import cache, catalogue, manifest, mirror, upstream
from xdpl.data.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    import xarray as xr

__all__ = ["list", "open"]


def open(name: str, *, progress: bool = False) -> xr.Dataset:
    """Open a sample dataset, fetching it on first use.

    With the environment variable ``XDPL_DATA_URL`` set to a mirror (a folder or a URL), the
    prepared file is taken from there. Else the public upstream files are downloaded and the same
    dataset is prepared from them. All files are checked against known SHA-256 digests and kept in
    the folder ``XDPL_DATA_DIR``, by default the cache folder of the system.

    Parameters
    ----------
    name : str
        One of `xdpl.data.list`; case, ``-`` and ``_`` make no difference.
    progress : bool
        Whether to show a progress bar while downloading.

    Returns
    -------
    Dataset
        In memory, with CF attributes: units per variable; source, licence, references and
        cleaning steps in the attributes of the dataset.

    Raises
    ------
    InputErrors
        If there is no such dataset.
    DataError
        If a file cannot be reached, has another hash, or cannot be stored.

    Examples
    --------
    >>> ds = xdpl.data.open("smap_conus412")  # doctest: +SKIP
    """
    import xarray as xr

    path = _locate(catalogue.resolve(name), progress=progress)
    try:
        # The encoding holds the path in the cache and chunk sizes that break a later write.
        return xr.load_dataset(path, engine="h5netcdf").drop_encoding()
    except OSError as error:
        raise DataError(
            str(path),
            expected="a readable netCDF file",
            got=f"{type(error).__name__}: {error}",
            fix="delete it from the cache and open the dataset again",
        ) from error


def _locate(entry: catalogue.Entry, *, progress: bool) -> Path:
    source = mirror.named()
    if source:
        return mirror.fetch(entry, source, progress=progress)
    copied = cache.folder() / entry.file
    if cache.is_intact(copied, manifest.prepared(entry.name).sha256):
        return copied
    return upstream.fetch(entry, progress=progress)


def list() -> pd.DataFrame:
    """Table of the sample datasets.

    Returns
    -------
    DataFrame
        One row per dataset, indexed by the name to `open`: content, licence, ``mirror_mb`` (size
        of the prepared file, MB) and ``upstream_mb`` (download without a mirror, MB).
    """
    import pandas as pd

    rows = [
        {
            "name": entry.name,
            "content": entry.content,
            "licence": entry.licence,
            "mirror_mb": round(manifest.prepared(entry.name).bytes / 1e6, 1),
            "upstream_mb": round(sum(row.bytes for row in manifest.upstream(entry.name)) / 1e6, 1),
        }
        for entry in catalogue.ENTRIES
    ]
    return pd.DataFrame(rows).set_index("name")
