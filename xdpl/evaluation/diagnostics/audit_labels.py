"""Gradients of an audit, summarised and labelled."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from xdpl.evaluation.diagnostics.audit_flags import slow
from xdpl.evaluation.diagnostics.audit_gradients import Gradients
from xdpl.evaluation.diagnostics.case import Case
from xdpl.evaluation.diagnostics.information import shares
from xdpl.evaluation.diagnostics.loss_and_score import cost
from xdpl.labelled.attrs import provenance

__all__ = ["described", "per_parameter", "per_site"]

# Of the largest gradient of a site: below, there is none, or it does not matter.
_ZERO, _MATTERS = 1e-12, 1e-3
# Of the gradient: what differences to both sides may differ by.
_BENT = 0.01
_MARGIN = 0.01

_WORDS = {
    "relative_error": "median difference of adjoint and central difference, over the larger",
    "mismatch": "fraction of sites where adjoint and central difference do not match",
    "bent": "fraction of sites where differences to both sides are unlike",
    "zero": "fraction of sites without a gradient",
    "not_finite": "fraction of sites where the gradient is not finite",
    "at_bound": "fraction of sites at a bound",
    "sign_agreement": "fraction of sites where the sign stays without a gradient through the warm-up",
    "remaining": "median ratio of the gradient without the warm-up to that with it",
    "slow": "whether a parameter acts through a store slower than the window",
}


def per_parameter(case: Case, found: Gradients, tolerance: float) -> xr.Dataset:
    """Medians and fractions of sites of every parameter."""
    adjoint, central = found.adjoint, found.central
    finite = np.isfinite(adjoint)
    size = np.maximum(np.abs(adjoint), np.abs(central))
    apart = np.abs(adjoint - central)
    largest = np.where(finite, np.abs(adjoint), 0.0).max(axis=1, keepdims=True)
    matters = finite & (np.abs(adjoint) > _MATTERS * largest)
    position = shares(case)
    kept = np.sign(found.cut) == np.sign(adjoint)
    with np.errstate(all="ignore"):
        values = {
            "relative_error": _median(apart / size, finite & (size > 0.0)),
            "mismatch": _fraction(~(apart <= tolerance * size + found.floor), finite),
            "bent": _fraction(found.bend > _BENT * size + 2.0 * found.floor, finite),
            "zero": _fraction(np.abs(adjoint) <= _ZERO * largest, finite),
            "not_finite": (~finite).mean(axis=0),
            "at_bound": ((position <= _MARGIN) | (position >= 1.0 - _MARGIN)).mean(axis=0),
            "sign_agreement": _fraction(kept, matters),
            "remaining": _median(found.cut / adjoint, matters),
        }
    out = xr.Dataset({k: ("parameter", v) for k, v in values.items()}, {"parameter": _names(case)})
    out["slow"] = slow(out)
    for name, words in _WORDS.items():
        out[name].attrs = {"units": "1", "long_name": words}
    return out


def per_site(case: Case, found: Gradients, loss: str, score: str) -> xr.Dataset:
    """Gradients, and how the kinds of loss and score fit, at every site."""
    correlation, ratio = _moments(found.simulated, case.observed)
    with np.errstate(all="ignore"):
        lengths = np.linalg.norm(found.adjoint, axis=1) * np.linalg.norm(found.score, axis=1)
        alignment = (found.adjoint * found.score).sum(axis=1) / lengths
    by_parameter = {
        "adjoint": (found.adjoint, "gradient of the loss by the adjoint"),
        "central_difference": (found.central, "gradient of the loss by central differences of the series"),
        "without_warmup": (found.cut, "gradient of the loss without what flows through the warm-up"),
    }
    alone = {
        "correlation": (correlation, "correlation of simulated and observed"),
        "variability_ratio": (ratio, "standard deviation of the simulated over that of the observed"),
        "cost": (cost(loss, score, correlation), "cost of the kind of loss in the score"),
        "alignment": (alignment, "cosine between the gradients of loss and score"),
    }
    unit = case.model.output(case.output).units if loss in ("rmse", "site_rmse") else "1"
    out = xr.Dataset()
    for name, (values, words) in by_parameter.items():
        array = case.placed(values)
        out[name] = array.rename({array.dims[-1]: "parameter"})
        out[name].attrs = {"units": unit, "long_name": words}
    for name, (values, words) in alone.items():
        out[name] = case.placed(values).assign_attrs(units="1", long_name=words)
    return out.assign_coords(parameter=_names(case))


def described(ds: xr.Dataset, case: Case, what: str, loss: str, score: str) -> dict[str, Any]:
    """Attributes that say what gradients are of."""
    history = ds.attrs.get("history")
    return provenance(f"{case.model.name} {what}", case.model, history=history) | {
        "target": case.output,
        "loss": loss,
        "score": score,
        "period": json.dumps(list(case.period)),
        "warmup": case.warmup,
        "default_parameters": json.dumps(case.defaulted),
    }


def _names(case: Case) -> xr.Variable:
    # As objects: text of a fixed length has no place in the format of zarr.
    names = np.array([p.name for p in case.model.parameters], dtype=object)
    return xr.Variable("parameter", names, {"long_name": "parameter"})


def _fraction(which: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Fraction of sites, of those that count; NaN where none does."""
    count = among.sum(axis=0)
    fraction: np.ndarray = np.where(count > 0, (which & among).sum(axis=0) / np.maximum(count, 1), np.nan)
    return fraction


def _median(values: np.ndarray, among: np.ndarray) -> np.ndarray:
    columns = zip(values.T, among.T, strict=True)
    return np.array([np.median(v[a]) if a.any() else np.nan for v, a in columns])


def _moments(simulated: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Correlation and ratio of standard deviations of each site, where observed."""
    known = ~np.isnan(observed)
    count = known.sum(axis=0)
    s, o = (np.where(known, v, 0.0) for v in (simulated, observed))
    s, o = (np.where(known, v - v.sum(axis=0) / count, 0.0) for v in (s, o))
    with np.errstate(all="ignore"):
        ss, oo, so = (s * s).sum(axis=0), (o * o).sum(axis=0), (s * o).sum(axis=0)
        return so / np.sqrt(ss * oo), np.sqrt(ss / oo)
