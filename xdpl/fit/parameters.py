"""Learned parameters as a labelled dataset."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.errors import Problems
from xdpl.fit.inputs import read_inputs
from xdpl.fit.predict import Prediction
from xdpl.labelled.attrs import provenance, variable_attrs
from xdpl.networks.series import SeriesNetwork

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xdpl.fit.inputs import Read
    from xdpl.fit.result import Fit

__all__ = ["parameters", "predicted"]


def parameters(fit: Fit, ds: xr.Dataset, at: Any) -> xr.Dataset:
    """Parameters of every site; arguments as in `Fit.parameters`."""
    problems = Problems("Fit.parameters")
    if isinstance(fit.network, SeriesNetwork):
        problems.add(
            "Fit.parameters",
            expected="a fit of a process model",
            got="a network that predicts the target itself",
            fix="fit.simulate(ds)",
        )
        problems.raise_all()
    read = read_inputs(fit, ds, at, problems)
    columns = fit.network.columns
    dims = [
        [*(["time"] if p.name in columns.dynamic else []), *(["member"] if columns.count(p) > 1 else [])]
        for p in columns.parameters
    ]
    named = zip(columns.parameters, predicted(fit, read, dims), dims, strict=True)
    out = xr.Dataset(
        {p.name: v.transpose(*lead, ...).assign_attrs(variable_attrs(p)) for p, v, lead in named}
    )
    for name in out.coords:
        out[name].attrs = dict(ds[name].attrs)
    learned = {"attributes": json.dumps(list(fit.attributes)), "training": json.dumps(fit.settings)}
    title = f"{fit.model.name} parameters learned from attributes"
    out.attrs = provenance(title, fit.model, history=ds.attrs.get("history")) | learned
    out = out.drop_encoding()
    return units.quantify_like(out, *(ds[name] for name in fit.attributes))


def predicted(fit: Fit, read: Read, dims: Sequence[list[str]]) -> list[xr.DataArray]:
    """Outputs of the network, with these dims besides those of the sites; lazy where an input is."""
    series = {**read.forcings, **read.responses}
    prediction = Prediction(
        fit.network,
        fit.network_spec,
        tuple(read.attributes),
        tuple(read.forcings),
        tuple(read.responses),
        fit.scaling,
        read.end,
    )
    members = fit.settings["members"]
    results = xr.apply_ufunc(
        prediction,
        *read.attributes.values(),
        *series.values(),
        input_core_dims=[[]] * len(read.attributes) + [["time"]] * len(series),
        output_core_dims=dims,
        dask="parallelized",
        output_dtypes=[np.float32] * len(dims),
        dask_gufunc_kwargs={"output_sizes": {"member": members}} if members > 1 else {},
        keep_attrs=False,
    )
    return list(results) if isinstance(results, tuple) else [results]
