"""Score a fit against observations: per site, pooled, and the worst group of dryness."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import xarray as xr

from xdpl.errors import Problems
from xdpl.evaluation import dryness_terciles, metrics, pooled, worst_group
from xdpl.labelled import schema
from xdpl.labelled.attrs import provenance

if TYPE_CHECKING:
    from xdpl.fit.result import Fit
    from xdpl.models import Model

__all__ = ["evaluate"]


def evaluate(
    fit: Fit,
    ds: xr.Dataset,
    *,
    time: slice | None,
    target: str | None,
    forcings: Mapping[str, str] | None,
) -> xr.Dataset:
    """Metrics of a fit; arguments as in `Fit.evaluate`."""
    problems = Problems("Fit.evaluate")
    variable = target or fit.settings["target_variable"]
    if variable not in ds:
        problems.add(
            variable,
            expected="the observed target in the dataset",
            got="no such variable",
            fix='fit.evaluate(ds, target="<variable>")',
        )
    if time is not None and ds["time"].sel(time=time).size == 0:
        edges = ds["time"].dt.strftime("%Y-%m-%d").values[[0, -1]]
        problems.add(
            "time",
            expected=f"a period inside the data, {edges[0]} to {edges[1]}",
            got=f"{time.start} to {time.stop}",
            fix=f'time=slice("{edges[0]}", "{edges[1]}")',
        )
    problems.raise_if_any()
    mapping = forcings or fit.forcings_in(ds)
    output = fit.settings["target"]
    simulated = fit.simulate(ds, forcings=mapping, outputs=[output])[output]
    observed = ds[variable]
    if time is not None:
        simulated, observed = simulated.sel(time=time), observed.sel(time=time)
        ds = ds.sel(time=time)
    scores = metrics(simulated, observed)
    together = pooled(simulated, observed)
    out = scores.assign({f"pooled_{k}": v for k, v in together.data_vars.items()})
    dryness = _dryness(ds, fit.model, mapping)
    if dryness is not None:
        groups = dryness_terciles(dryness)
        worst = worst_group(scores, groups)
        out = out.assign({f"worst_{k}": v for k, v in worst.data_vars.items()}).assign({groups.name: groups})
    out.attrs = scores.attrs | provenance(f"scores of {fit.model.name} for {output}", fit.model)
    out.attrs["training"] = json.dumps(fit.settings)
    return out


def _dryness(ds: xr.Dataset, model: Model, forcings: Mapping[str, str] | None) -> xr.DataArray | None:
    """Mean potential evapotranspiration over mean precipitation, if the model has both."""
    needed = ("precipitation", "potential_evapotranspiration")
    if not set(needed) <= {f.name for f in model.forcings}:
        return None
    found = schema.forcings(ds, model, forcings, Problems("Fit.evaluate"))
    rain, demand = (found[name].data.mean("time") for name in needed)
    return (demand / rain.where(rain > 0)).rename("dryness")
