"""Attributes of outputs, written from declarations and never inherited."""

from __future__ import annotations

import datetime
import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xdpl.models import Model, Parameter
    from xdpl.models.base import Declaration

__all__ = ["model_hash", "provenance", "variable_attrs"]


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


def provenance(title: str, model: Model) -> dict[str, Any]:
    """Dataset attributes that say what made it: plain values, fit for netCDF and zarr."""
    from xdpl import __version__

    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "Conventions": "CF-1.10",
        "title": title,
        "history": f"{now}: created by xdpl {__version__}",
        "xdpl_version": __version__,
        "model": model.name,
        "model_options": json.dumps(model.options()),
        "model_hash": model_hash(model),
    }


def model_hash(model: Model) -> str:
    """Short hash of a model's declarations and options."""
    text = repr((model.name, model.forcings, model.parameters, model.states, model.fluxes, model.options()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
