"""What is said about the result of an experiment."""

from __future__ import annotations

import xarray as xr

from xdpl import models
from xdpl.evaluation.declared import METRICS
from xdpl.experiments.case import Case
from xdpl.labelled.attrs import provenance

__all__ = ["described"]


def described(result: xr.Dataset, case: Case, experiment: str) -> xr.Dataset:
    """A result with attributes: of metrics their units, of the dataset what made it."""
    for metric in METRICS:
        if metric.name in result:
            scale = case.data[case.target].attrs["units"] if metric.dimensional else metric.units
            said = {"units": scale, "long_name": f"{metric.long_name} of {case.target}"}
            result[metric.name].attrs = said
    title = f"experiment {experiment} on {case.name}"
    result.attrs = provenance(title, models.get(case.model, "Case"), history=case.data.attrs.get("history"))
    result.attrs |= {"case": case.name, "score": case.score, "target": case.target}
    return result
