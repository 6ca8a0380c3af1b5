"""Score a fit against observations: per site, pooled, and the worst group of dryness."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import xarray as xr

from xdpl import units
from xdpl.errors import Problems
from xdpl.evaluation import metrics, pooled
from xdpl.fit.observed import observed_target
from xdpl.fit.worst import by_dryness
from xdpl.labelled import schema
from xdpl.labelled.attrs import provenance
from xdpl.labelled.host import on_host

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
    if time is not None:
        _check_period(ds, fit.model, time, problems)
    mapping = forcings or fit.forcings_in(ds)
    output = fit.settings["target"]
    fix = 'fit.evaluate(ds, target="<variable>")'
    observed = observed_target(fit, ds, variable, mapping, problems, fix=fix)
    simulated = fit.simulate(ds, forcings=mapping, outputs=[output])[output]
    if time is not None:
        simulated, observed = simulated.sel(time=time), observed.sel(time=time)
        ds = ds.sel(time=time)
    # Quantities go in and out at the boundary only.
    simulated, observed = units.dequantify(simulated), units.dequantify(observed)
    scores = metrics(simulated, observed)
    together = pooled(simulated, observed)
    out = scores.assign({f"pooled_{k}": v for k, v in together.data_vars.items()})
    dryness = _dryness(ds, fit.model, mapping)
    if dryness is not None:
        out = out.assign(by_dryness(scores, dryness).data_vars)
    out.attrs = scores.attrs | provenance(f"scores of {fit.model.name} for {output}", fit.model)
    out.attrs["training"] = json.dumps(fit.settings)
    return units.quantify_like(out, ds[variable])


def _check_period(ds: xr.Dataset, model: Model, period: slice, problems: Problems) -> None:
    index = ds.indexes.get("time")
    if index is None or not hasattr(index, "month"):
        schema.check_time(ds, model, problems)
        return
    got = f"{period.start} to {period.stop}"
    try:
        inside = ds["time"].sel(time=period).size > 0
    except (KeyError, TypeError, ValueError) as error:
        inside, got = False, f"{got} ({error!s})"
    if not inside:
        problems.add(
            "time",
            expected=f"a period inside the data, {index[0]:%Y-%m-%d} to {index[-1]:%Y-%m-%d}",
            got=got,
            fix=f'time=slice("{index[0]:%Y-%m-%d}", "{index[-1]:%Y-%m-%d}")',
        )


def _dryness(ds: xr.Dataset, model: Model, forcings: Mapping[str, str] | None) -> xr.DataArray | None:
    """Mean potential evapotranspiration over mean precipitation; None if the model lacks one."""
    needed = ("precipitation", "potential_evapotranspiration")
    if not set(needed) <= {f.name for f in model.forcings}:
        return None
    found = schema.forcings(ds, model, forcings, Problems("Fit.evaluate"))
    rain, demand = (on_host(found[name].data).mean("time") for name in needed)
    return demand / rain.where(rain > 0)
