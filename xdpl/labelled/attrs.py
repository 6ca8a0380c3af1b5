"""Attributes of outputs, written from declarations and never inherited."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from xdpl.labelled.host import read

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.models import Model, Parameter
    from xdpl.models.base import Declaration

__all__ = ["model_hash", "parameters_hash", "provenance", "variable_attrs"]


def variable_attrs(declared: Declaration | Parameter) -> dict[str, Any]:
    """CF attributes of an output variable from its declaration."""
    attrs = {"units": declared.units, "long_name": declared.long_name or declared.name.replace("_", " ")}
    standard_name = getattr(declared, "standard_name", "")
    if standard_name:
        attrs["standard_name"] = standard_name
    for bound in ("lower", "upper", "default"):
        if hasattr(declared, bound):
            attrs[f"{bound}_bound" if bound != "default" else bound] = getattr(declared, bound)
    return attrs


def provenance(title: str, model: Model, *, history: Any = None) -> dict[str, Any]:
    """Dataset attributes that say what made it: plain values, fit for netCDF and zarr.

    Parameters
    ----------
    title : str
    model : Model
    history : str, optional
        Of the dataset it was made from; goes below the line of this call.
    """
    from xdpl import __version__

    line = f"{_now()}: {title} created by xdpl {__version__}"
    return {
        "Conventions": "CF-1.10",
        "title": title,
        "history": f"{line}\n{history}" if isinstance(history, str) and history else line,
        "xdpl_version": __version__,
        "model": model.name,
        "model_options": json.dumps(model.options(), default=_plain),
        "model_hash": model_hash(model),
    }


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _plain(value: Any) -> Any:
    """Numbers of numpy as those of Python."""
    return value.item() if isinstance(value, np.generic) else str(value)


def parameters_hash(parameters: Mapping[str, xr.DataArray]) -> str:
    """Short hash of parameter values, the same on any device, in any order of dims and precision they fit in.

    Lazy ones count with their dask graph, those that numpy cannot read with their dims only;
    the hash is marked so.
    """
    marks = set()
    digest = hashlib.sha256()
    for name, array in sorted(parameters.items()):
        order = sorted(array.dims, key=str)
        digest.update(repr((name, [(d, array.sizes[d]) for d in order])).encode())
        if array.chunks is not None:
            marks.add("lazy:")
            digest.update(array.data.name.encode())
        elif (values := read(array.data)) is not None:
            turned = np.transpose(values, [array.dims.index(d) for d in order])
            digest.update(np.ascontiguousarray(turned, dtype=np.float64).tobytes())
        else:
            marks.add("unread:")
    return f"{''.join(sorted(marks))}{digest.hexdigest()[:16]}"


def model_hash(model: Model) -> str:
    """Short hash of a model's declarations and options; of its equations it says nothing."""
    declared = (model.name, model.forcings, model.parameters, model.states, model.fluxes, model.options())
    # Models without routes keep the hash they had before there were any.
    text = repr((*declared, model.routes) if model.routes else declared)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
