"""Scores of single fits put together as one dataset."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl.cross_validation import identity
from xdpl.cross_validation.cell import STOPPED
from xdpl.cross_validation.splitting import fold_of_site
from xdpl.evaluation.declared import COUNT, REFERENCES
from xdpl.labelled.attrs import provenance

if TYPE_CHECKING:
    from xdpl.cross_validation.inputs import Ready
    from xdpl.cross_validation.plan import Key, Plan

__all__ = ["together"]

_LEAD = ("model", "fold", "seed")
# Of fits: dtype, value where one is missing, attributes.
_OF_FITS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "seconds": (np.float64, np.nan, {"long_name": "time spent in epochs of training", "units": "s"}),
    "epochs": (np.int64, 0, {"long_name": "number of epochs of training", "units": "1"}),
    "stopped": (
        np.int64,
        0,
        {
            "long_name": "why training ended",
            "flag_values": list(range(len(STOPPED))),
            "flag_meanings": " ".join(STOPPED),
        },
    ),
}


def together(ds: xr.Dataset, plan: Plan, ready: Ready, finished: dict[Key, xr.Dataset]) -> xr.Dataset:
    """What `xdpl.cross_validate` returns, before quantities.

    Parameters
    ----------
    ds : Dataset
    plan : Plan
    ready : Ready
    finished : dict of Key to Dataset
        As `run_one` gives them, of at least one fit.
    """
    folds = fold_of_site(ready.splits)
    models, names = list(plan.models), [split.name for split in ready.splits]
    shape = len(models), len(names), len(plan.seeds)
    where = {key: (models.index(key[0]), key[1], plan.seeds.index(key[2])) for key in finished}
    # Text as objects: zarr has no specification of text of a fixed length.
    labels = {"model": np.array(models, object), "fold": np.array(names, object), "seed": list(plan.seeds)}
    out = xr.Dataset(coords={**folds.coords, **labels, "fold_of_site": folds})
    for name, example in _examples(finished).items():
        usual: tuple[Any, Any] = (np.int64, 0) if name == COUNT else (np.float64, np.nan)
        dtype, fill, attrs = _OF_FITS.get(name, (*usual, example.attrs))
        dims = folds.dims if name not in _OF_FITS else ()
        values = np.full(shape + tuple(example.sizes[d] for d in dims), fill, dtype=dtype)
        for key, scores in finished.items():
            if name in scores:
                # A folder may be of a transposed dataset.
                values[where[key]] = scores[name].transpose(*dims).values
        out[name] = ((*_LEAD, *dims), values, dict(attrs))
    _describe(out)
    out.attrs = _attrs(ds, plan, ready)
    return out.drop_encoding()


def _examples(finished: dict[Key, xr.Dataset]) -> dict[str, xr.DataArray]:
    """One array of each name; models may have scores that others lack."""
    found: dict[str, xr.DataArray] = {}
    for scores in finished.values():
        found = {str(k): v for k, v in scores.data_vars.items()} | found
    return {k: v for k, v in found.items() if k not in _OF_FITS} | {k: found[k] for k in _OF_FITS}


def _describe(out: xr.Dataset) -> None:
    out["model"].attrs = {"long_name": "label of the model"}
    out["fold"].attrs = {"long_name": "fold of the protocol"}
    out["seed"].attrs = {"long_name": "seed of the training"}


def _attrs(ds: xr.Dataset, plan: Plan, ready: Ready) -> dict[str, Any]:
    settings = identity.settings(plan)
    title = f"{type(plan.protocol).__name__} scores of {', '.join(plan.models)} for {ready.variable}"
    history = ds.attrs.get("history")
    attrs = provenance(title, next(iter(ready.inputs.values())).model, history=history)
    # Of one model only; those of all are below.
    attrs = {k: v for k, v in attrs.items() if not k.startswith("model")}
    return attrs | {
        "comment": "NaN where a fold does not test a site, or its fit is missing",
        "references": REFERENCES,
        "protocol": json.dumps(settings["protocol"]),
        "settings": json.dumps({k: settings[k] for k in ("train", "test", "scores")}),
        "models": json.dumps(identity.of_models(plan, ready)),
    }
