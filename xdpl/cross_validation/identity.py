"""What a folder of scores belongs to: settings and data, as plain values and hashes."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.labelled.attrs import model_hash
from xdpl.labelled.host import on_host

if TYPE_CHECKING:
    from xdpl.cross_validation.inputs import Ready
    from xdpl.cross_validation.plan import Plan

__all__ = ["hashed", "of_models", "of_run", "plain", "settings"]


def settings(plan: Plan) -> dict[str, Any]:
    """Settings that all fits share, as plain values."""
    from xdpl import __version__

    return {
        "xdpl_version": __version__,
        "protocol": plain(plan.protocol.to_dict()),
        "train": plain(plan.train),
        "test": plain(plan.test),
        "scores": None if plan.scores is None else plain(plan.scores),
    }


def of_run(ds: xr.Dataset, plan: Plan, ready: Ready) -> dict[str, Any]:
    """What all fits share, the values of the data by their hashes; reads all of them."""
    masks = hashlib.sha256()
    for split in ready.splits:
        masks.update(repr((split.name, hashed(split.train), hashed(split.test))).encode())
    variables = {name: hashed(ds[name]) for name in ready.variables}
    coords = {str(d): hashed(ds[d]) for d in ("time", *ready.site_dims) if d in ds.coords}
    return settings(plan) | {"splits": masks.hexdigest()[:16], "variables": variables, "coordinates": coords}


def of_models(plan: Plan, ready: Ready) -> dict[str, dict[str, Any]]:
    """Options of each model, by label, as plain values."""
    found = {}
    for label, options in plan.models.items():
        model = ready.inputs[label].model
        described = {"model": model.name, "model_options": model.options(), "model_hash": model_hash(model)}
        network = {"network": ready.inputs[label].network}
        found[label] = plain(options | network | described)
    return found


def plain(value: Any) -> Any:
    """A value as JSON has it: arrays by their hashes, objects by `to_dict`, functions by name."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, slice):
        return [str(edge) if edge is not None else None for edge in (value.start, value.stop)]
    if isinstance(value, xr.DataArray):
        return hashed(value)
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if hasattr(value, "to_dict"):
        return plain(value.to_dict())
    if isinstance(value, functools.partial):
        return [plain(value.func), plain(value.args), plain(value.keywords)]
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return json.loads(json.dumps(value, default=str))


def hashed(array: xr.DataArray) -> str:
    """Short hash of values and units, the same in any order of the dims."""
    order = sorted(array.dims, key=str)
    values = on_host(units.magnitude(array.transpose(*order))).values
    digest = hashlib.sha256(repr((order, values.shape, str(values.dtype), units.read(array))).encode())
    # Objects, such as strings, have addresses instead of bytes.
    if values.dtype.kind in "biufcmM":
        digest.update(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)
    else:
        digest.update(repr(values.tolist()).encode())
    return digest.hexdigest()[:16]
