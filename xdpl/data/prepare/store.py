"""Quantize and store the prepared datasets."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

__all__ = ["Prepared", "bit_round", "write"]


@dataclass(frozen=True)
class Prepared:
    """A dataset and how to store it.

    Parameters
    ----------
    ds : Dataset
        Values and attributes.
    bits : mapping of variable to int
        Explicit mantissa bits (of 23) that quantization keeps.
    steps : mapping of variable to (dtype, float)
        Integer type and step of fixed-point storage, in the units of the variable.
    chunks : mapping of dimension to int
        Chunk lengths of arrays with two or more dimensions.
    time_units : str
        CF units of stored times.
    """

    ds: xr.Dataset
    bits: Mapping[str, int] = field(default_factory=dict)
    steps: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    chunks: Mapping[str, int] = field(default_factory=dict)
    time_units: str = "days since 1970-01-01"


def bit_round(values: npt.ArrayLike, bits: int) -> npt.NDArray[np.float32]:
    """Quantize 32-bit floats as the BitRound mode of netCDF-C does.

    Parameters
    ----------
    values : array of float
        Any units; NaN and infinity stay as they are.
    bits : int
        Explicit mantissa bits to keep, 1 to 22.

    Notes
    -----
    Rounds to nearest; a tie goes away from zero, not to even: the library adds half a unit to the
    raw bits and cuts [1]_.

    References
    ----------
    .. [1] https://docs.unidata.ucar.edu/netcdf-c/current/md__media_psf_quantize.html
    """
    dropped = 23 - bits
    half = np.uint32(1 << (dropped - 1))
    kept = np.uint32(0xFFFFFFFF >> dropped << dropped)
    plain = np.ascontiguousarray(values, "f4")
    rounded = ((plain.view("u4") + half) & kept).view("f4")
    return np.where(np.isfinite(plain), rounded, plain)


def write(prepared: Prepared, path: Path) -> None:
    """Write compressed netCDF-4.

    Parameters
    ----------
    prepared : Prepared
        Is not changed.
    path : Path
        File to make.
    """
    ds = prepared.ds.copy()
    for name, bits in prepared.bits.items():
        ds[name] = ds[name].copy(data=bit_round(ds[name].values, bits))
        # The mark netCDF-C leaves on quantized variables.
        ds[name].attrs["_QuantizeBitRoundNumberOfSignificantBits"] = np.int32(bits)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    ds.attrs["Conventions"] = "CF-1.10"
    ds.attrs["history"] = (
        f"{today}: prepared by xdpl.data from the upstream files, with xarray {xr.__version__}"
    )
    encoding = {name: _encoding(prepared, str(name)) for name in ds.variables}
    ds.to_netcdf(path, engine="h5netcdf", encoding=encoding)


def _encoding(prepared: Prepared, name: str) -> dict[str, Any]:
    array = prepared.ds[name]
    if array.ndim == 0 or array.dtype.kind in "OUST":
        return {}
    encoding: dict[str, Any] = {"zlib": True, "shuffle": True, "complevel": 9}
    encoding |= _storage(prepared, name)
    if array.ndim > 1 and prepared.chunks:
        encoding["chunksizes"] = tuple(min(prepared.chunks.get(str(d), n), n) for d, n in array.sizes.items())
    return encoding


def _storage(prepared: Prepared, name: str) -> dict[str, Any]:
    array = prepared.ds[name]
    if array.dtype.kind == "M":
        return {"dtype": "i4", "units": prepared.time_units, "calendar": "standard", "_FillValue": None}
    if name in prepared.steps:
        kind, step = prepared.steps[name]
        dtype = np.dtype(kind)
        missing = dtype.type(np.iinfo(dtype).min)
        return {"dtype": dtype, "scale_factor": np.float32(step), "_FillValue": missing}
    if array.dtype.kind == "f" and name not in array.coords:
        return {"dtype": "f4", "_FillValue": np.float32(np.nan)}
    return {"_FillValue": None}
