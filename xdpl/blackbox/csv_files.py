"""Forcings and parameters as CSV, outputs from CSV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from xdpl.blackbox.task import Failure

__all__ = ["read", "write"]


def write(forcings: xr.Dataset, parameters: xr.Dataset, forcing_file: Path, parameters_file: Path) -> None:
    """Write what a program reads; numbers in full precision, as `xdpl.models.Command` says."""
    dates = _dates(forcings)
    if "site" not in forcings.dims:
        columns = {"time": dates} | {str(k): v.values for k, v in forcings.items()}
        pd.DataFrame(columns).to_csv(forcing_file, index=False)
        lines = [f"{k},{float(v)!r}\n" for k, v in parameters.items()]
        parameters_file.write_text("".join(lines), "utf8")
        return
    sites = forcings.sizes["site"]
    labels = {"site": np.repeat(np.arange(sites), len(dates)), "time": np.tile(dates, sites)}
    series = {str(k): v.transpose("site", "time").values.ravel() for k, v in forcings.items()}
    pd.DataFrame(labels | series).to_csv(forcing_file, index=False)
    columns = {"site": np.arange(sites)} | {str(k): v.values for k, v in parameters.items()}
    pd.DataFrame(columns).to_csv(parameters_file, index=False)


def read(file: Path, forcings: xr.Dataset) -> xr.Dataset:
    """Numbers of a file that a program wrote, on the dims of the forcings.

    Raises
    ------
    Failure
        If it is no table, or its sites, dates or length are not those of the forcings. What is in
        a column is looked at by those who need it.
    """
    try:
        table = pd.read_csv(file, skipinitialspace=True, float_precision="round_trip")
    except (ValueError, UnicodeError) as error:  # of pandas too
        msg = f"{file.name} is no table: {error}"
        raise Failure(msg) from error
    if not isinstance(table.index, pd.RangeIndex):
        # pandas would take the first columns for labels, and shift the names of the others.
        msg = f"{file.name} has lines with more columns than its head"
        raise Failure(msg)
    table.columns = table.columns.str.strip()
    dates, sites = _dates(forcings), forcings.sizes.get("site", 1)
    if len(table) != sites * len(dates):
        msg = f"{file.name} has {len(table)} lines below its head, not {sites * len(dates)}"
        raise Failure(msg)
    wanted = {"time": np.tile(dates, sites)}
    if "site" in forcings.dims:
        wanted["site"] = np.repeat(np.arange(sites), len(dates)).astype(str)
        if "site" not in table:
            msg = f"{file.name} has no column 'site'; there are {', '.join(map(str, table))}"
            raise Failure(msg)
    for name, labels in wanted.items():
        if name in table and not np.array_equal(table[name].astype(str).str.strip().to_numpy(), labels):
            msg = f"{file.name} has another column {name!r} than the forcings"
            raise Failure(msg)
    shape = tuple(forcings.sizes[d] for d in ("site", "time") if d in forcings.dims)
    dims = ("site", "time")[-len(shape) :]
    columns = [c for c in table if c not in ("site", "time")]
    return xr.Dataset({c: (dims, table[c].to_numpy().reshape(shape)) for c in columns})


def _dates(forcings: xr.Dataset) -> np.ndarray:
    """Dates in ISO 8601, without hours where all are at midnight."""
    index = forcings.indexes["time"]
    if index.dtype.kind == "M":
        # Ten thousand days one by one take as long as a fast program.
        rounded = (index.values.astype(f"datetime64[{unit}]") for unit in ("D", "s", "ns"))
        dates = next(dates for dates in rounded if (dates == index.values).all())
        return np.datetime_as_string(dates).astype(object)
    texts = [date.isoformat() for date in index]
    if all(text.endswith("T00:00:00") for text in texts):
        texts = [text.partition("T")[0] for text in texts]
    return np.array(texts, dtype=object)
