"""Score simulations against observations: per site, pooled, and the worst group of dryness."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import xarray as xr

from xdpl import units
from xdpl.errors import Problems
from xdpl.evaluation import metrics, pooled
from xdpl.fit.consistency import notes
from xdpl.fit.observed import observed_targets
from xdpl.fit.worst import by_dryness
from xdpl.labelled import schema
from xdpl.labelled.attrs import provenance
from xdpl.labelled.host import on_host

if TYPE_CHECKING:
    from xdpl.fit.observing import Compare
    from xdpl.fit.result import Fit
    from xdpl.fit.source import ParameterSource
    from xdpl.models import Model

__all__ = ["evaluate", "start"]

_SCORED = "output of the model as it is"


def evaluate(
    source: ParameterSource,
    ds: xr.Dataset,
    *,
    time: slice | None,
    target: str | Mapping[str, str] | None,
    forcings: Mapping[str, str] | None,
    simulate: Callable[..., xr.Dataset],
    compare: Compare | None = None,
) -> xr.Dataset:
    """Metrics of what is simulated; arguments as in `Fit.evaluate`, what simulates and what compares."""
    problems = Problems(f"{type(source).__name__}.evaluate")
    if compare is not None:
        compare.check(ds, problems)
    if time is not None:
        _check_period(ds, source.model, time, problems)
    mapping = forcings or source.forcings_in(ds)
    variables = _variables(source, target, problems)
    observed = observed_targets(source, ds, variables, mapping, problems, fix=_another(source))
    simulated = simulate(ds, forcings=mapping, outputs=list(variables))
    period = slice(None) if time is None else time
    dryness = _dryness(ds.sel(time=period), source.model, mapping)
    pairs = {k: (simulated[k], observed[k]) for k in variables}
    if compare is not None:
        pairs = {k: compare(k, *pair) for k, pair in pairs.items()}
    scores = {k: _score(s.sel(time=period), o.sel(time=period), dryness) for k, (s, o) in pairs.items()}
    out = _together(scores)
    first = next(iter(scores.values()))
    out.attrs = first.attrs | provenance(
        f"scores of {source.model.name} for {', '.join(scores)}", source.model
    )
    out.attrs["training"] = json.dumps(source.settings)
    out.attrs["scored"] = _SCORED if compare is None else compare.said
    out.attrs["comment"] = "; ".join([first.attrs["comment"], *notes(source.settings.get("loss", {}))])
    return units.quantify_like(out, *(ds[v] for v in variables.values()))


def _another(source: ParameterSource) -> Callable[[str, str], str]:
    """How to score by a variable of another name."""
    if len(source.targets) == 1:
        return lambda output, variable: f'{_name(source)}.evaluate(ds, target="<variable>")'
    return lambda output, variable: f'{_name(source)}.evaluate(ds, target={{"{output}": "<variable>"}})'


def _variables(
    source: ParameterSource, target: str | Mapping[str, str] | None, problems: Problems
) -> dict[str, str]:
    """The observed variable of each target that is scored."""
    if isinstance(target, Mapping):
        for name in target:
            if name not in source.targets:
                known = f"targets of the {_name(source)}: {', '.join(source.targets)}"
                problems.add("target", expected=known, got=repr(name), fix="remove it")
        return source.targets | {k: v for k, v in target.items() if k in source.targets}
    if target is not None and len(source.targets) > 1:
        names = ", ".join(f'"{k}": ...' for k in source.targets)
        problems.add(
            "target", expected="a mapping, of several targets", got=repr(target), fix=f"target={{{names}}}"
        )
    return source.targets if target is None else {source.target: target}


def _name(source: ParameterSource) -> str:
    return type(source).__name__.lower()


def start(fit: Fit, ds: xr.Dataset, time: slice | None) -> Any:
    """Before what date a network may read observations: nothing of what is scored."""
    if not fit.network_spec.steps:
        return None
    period = ds["time"] if time is None else ds["time"].sel(time=time)
    return period.values[0] if period.size else None


def _score(simulated: xr.DataArray, observed: xr.DataArray, dryness: xr.DataArray | None) -> xr.Dataset:
    # Quantities go in and out at the boundary only.
    simulated, observed = units.dequantify(simulated), units.dequantify(observed)
    scores = metrics(simulated, observed)
    together = pooled(simulated, observed)
    out = scores.assign({f"pooled_{k}": v for k, v in together.data_vars.items()})
    return out if dryness is None else out.assign(by_dryness(scores, dryness).data_vars)


def _together(scores: dict[str, xr.Dataset]) -> xr.Dataset:
    """Scores of several targets along a dim `target`; units that differ become a coordinate."""
    if len(scores) == 1:
        return next(iter(scores.values())).copy()
    parts = list(scores.values())
    out = xr.concat(
        parts, dim="target", data_vars="all", coords="minimal", compat="override", combine_attrs="drop"
    )
    for name in out.data_vars:
        attrs = [dict(part[name].attrs) for part in parts]
        out[name].attrs = {k: v for k, v in attrs[0].items() if all(a.get(k) == v for a in attrs)}
    own = [str(part["rmse"].attrs.get("units", "1")) for part in parts]
    return out.assign_coords(target=list(scores), target_units=("target", own))


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
