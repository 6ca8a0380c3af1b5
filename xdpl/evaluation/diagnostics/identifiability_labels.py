"""Names, units and dims of what `identifiability` found."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from xdpl.evaluation.diagnostics.case import Case
from xdpl.evaluation.diagnostics.spectrum import Seen, Spectrum, direction_name
from xdpl.labelled.attrs import provenance

__all__ = ["DIMS", "described", "labelled", "with_mapped", "with_misfit"]

DIMS = ("parameter", "other_parameter", "direction", "position")

_WORDS = {
    "information": "Fisher information on the parameters as shares of their bounds",
    "eigenvalue": "eigenvalue of the Fisher information",
    "loading": "share of a parameter in a direction",
    "flat": "whether the observations cannot see a direction",
    "effective_dimension": "number of directions that the observations see",
    "standard_error": "standard error as a share of the bounds, other parameters unknown",
    "conditional_standard_error": "standard error as a share of the bounds, other parameters known",
    "seen": "what the observations tell of a parameter",
}


def labelled(case: Case, information: np.ndarray, sites: Spectrum, pooled: Spectrum) -> xr.Dataset:
    """Everything but misfits, of each site and pooled."""
    out = xr.Dataset()
    for name, (values, dims) in _arrays(information, sites).items():
        missing = {"seen": Seen.NO_SITE, "flat": False}.get(name, np.nan)
        array = case.placed(values, missing)
        out[name] = array.rename(dict(zip(array.dims[len(case.dims) :], dims, strict=True)))
    for name, (values, dims) in _arrays(np.nansum(information, axis=0), pooled).items():
        out[f"pooled_{name}"] = (dims, values)
    for name, words in _WORDS.items():
        attrs: dict[str, Any] = {"units": "1", "long_name": words}
        if name == "seen":
            attrs |= {"flag_values": [-1, 0, 1, 2], "flag_meanings": Seen.MEANINGS}
        out[name].attrs = attrs
        out[f"pooled_{name}"].attrs = attrs | {"long_name": f"{words}, all sites together"}
    return out.assign_coords(_coords(case, pooled))


def with_misfit(
    out: xr.Dataset, case: Case, positions: np.ndarray, errors: np.ndarray, pooled: np.ndarray
) -> xr.Dataset:
    """With the misfit (site, direction, position) along directions, and that of all sites."""
    array = case.placed(errors)
    out["misfit"] = array.rename(dict(zip(array.dims[len(case.dims) :], DIMS[2:], strict=True)))
    out["pooled_misfit"] = (DIMS[2:], pooled)
    words = "root mean square error with parameters moved along a direction"
    unit = case.model.output(case.output).units
    out["misfit"].attrs = {"units": unit, "long_name": words}
    out["pooled_misfit"].attrs = {"units": unit, "long_name": f"{words}, at all sites together"}
    said = {"units": "1", "long_name": "distance along a direction, in shares of the bounds"}
    return out.assign_coords(position=("position", positions, said))


def with_mapped(out: xr.Dataset, case: Case, errors: np.ndarray) -> xr.Dataset:
    """With the standard errors (site, parameter) of parameters that follow attributes."""
    array = case.placed(errors)
    words = "standard error as a share of the bounds, parameters a function of attributes"
    out["mapped_standard_error"] = array.rename({array.dims[-1]: "parameter"}).assign_attrs(
        units="1", long_name=words
    )
    return out


def described(
    ds: xr.Dataset, case: Case, sites: Spectrum, pooled: Spectrum, noise: float, threshold: float
) -> dict[str, Any]:
    """Attributes that say what is open, and what it was found from."""
    names = [p.name for p in case.model.parameters]
    label = {kind: [n for n, s in zip(names, pooled.seen, strict=True) if s == kind] for kind in (1, 2)}
    most = (sites.seen == Seen.UNSEEN).mean(axis=0) > 0.5
    flat = [direction_name(v, names) for v, f in zip(pooled.loadings, pooled.flat, strict=True) if f]
    return {
        "unseen_at_most_sites": json.dumps([n for n, m in zip(names, most, strict=True) if m]),
        "unseen": json.dumps(label[Seen.UNSEEN]),
        "traded_off": json.dumps(label[Seen.TRADED_OFF]),
        "flat_directions": json.dumps(flat),
        **provenance(f"identifiability of {case.model.name}", case.model, history=ds.attrs.get("history")),
        "target": case.output,
        "noise": noise,
        "threshold": threshold,
        "period": json.dumps(list(case.period)),
        "default_parameters": json.dumps(case.defaulted),
    }


def _arrays(information: np.ndarray, found: Spectrum) -> dict[str, tuple[np.ndarray, tuple[str, ...]]]:
    parameter, other, direction, _ = DIMS
    return {
        "information": (information, (parameter, other)),
        "eigenvalue": (found.eigenvalues, (direction,)),
        "loading": (found.loadings, (direction, parameter)),
        "flat": (found.flat, (direction,)),
        "effective_dimension": (found.dimension, ()),
        "standard_error": (found.errors, (parameter,)),
        "conditional_standard_error": (found.conditional, (parameter,)),
        "seen": (found.seen, (parameter,)),
    }


def _coords(case: Case, pooled: Spectrum) -> dict[str, Any]:
    # As objects: text of a fixed length has no place in the format of zarr.
    names = [p.name for p in case.model.parameters]
    text = np.array(names, dtype=object)
    directions = np.array([direction_name(v, names) for v in pooled.loadings], dtype=object)
    return {
        "parameter": ("parameter", text, {"long_name": "parameter"}),
        "other_parameter": ("other_parameter", text, {"long_name": "parameter"}),
        "direction": (
            "direction",
            np.arange(1, len(names) + 1),
            {"units": "1", "long_name": "rank of a direction, the best seen first"},
        ),
        "pooled_direction": (
            "direction",
            directions,
            {"long_name": "parameters of a direction, all sites together"},
        ),
    }
