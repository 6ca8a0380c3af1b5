"""A labelled dataset inside the store of a fit, whose own names and dims it must not meet."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

__all__ = ["packed", "unpacked"]


def packed(ds: xr.Dataset, prefix: str) -> tuple[xr.Dataset, dict[str, Any]]:
    """Variables and coordinates under names of their own, and what brings them back.

    Parameters
    ----------
    ds : Dataset
    prefix : str
        Of the names, such as ``"observation."``.

    Returns
    -------
    Dataset
        Numbers only: zarr has no settled way to write text, which is kept as code points.
    dict
        Plain values.
    """
    out = xr.Dataset()
    said: dict[str, Any] = {"attrs": dict(ds.attrs), "variables": {}}
    for name, variable in ds.variables.items():
        values, kind = variable.values, variable.dtype.kind
        text = kind == "U" or (kind == "O" and all(isinstance(v, str) for v in values.flat))
        if not text and kind not in "biufmM":
            # Of what has no plain form, a date of another calendar or a label of two parts, its text is kept.
            values, text = np.vectorize(str, otypes=["U"])(values), True
        dims = list(map(str, variable.dims))
        known = {"dims": dims, "attrs": dict(variable.attrs), "coordinate": name in ds.coords}
        if text:
            values = np.ascontiguousarray(values.astype("U"))
            width = values.dtype.itemsize // 4
            values = values.view(np.uint32).reshape(*values.shape, width) if width else values[..., None]
        elif kind in "mM":
            known["dtype"] = str(values.dtype)
            values = values.view(np.int64)
        known["text"] = text
        said["variables"][str(name)] = known
        own = [f"{prefix}{d}" for d in dims] + [f"{prefix}{name}.text"] * text
        # The dims are named otherwise than the variables, which would be taken for their labels.
        out[f"{prefix}{name}"] = ([f"{d}.dim" for d in own], values)
    return out, said


def unpacked(stored: xr.Dataset, said: dict[str, Any], prefix: str) -> xr.Dataset:
    """Inverse of `packed`, from a store that has more.

    Parameters
    ----------
    stored : Dataset
    said : dict
    prefix : str
    """
    variables: dict[str, Any] = {}
    coords: dict[str, Any] = {}
    for name, known in said["variables"].items():
        values = stored[f"{prefix}{name}"].values
        if known["text"]:
            values = np.ascontiguousarray(values.astype(np.uint32))
            values = values.view(f"U{values.shape[-1]}").reshape(values.shape[:-1])
        elif "dtype" in known:
            values = values.view(known["dtype"])
        (coords if known["coordinate"] else variables)[name] = (known["dims"], values, known["attrs"])
    return xr.Dataset(variables, coords, said["attrs"])
