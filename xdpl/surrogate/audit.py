"""Whether a surrogate answers changes of parameters as its model does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.calibration.cube import Cube
from xdpl.errors import Problems
from xdpl.labelled.host import on_host
from xdpl.labelled.parameters import resolve
from xdpl.simulate import simulate
from xdpl.surrogate.design import DRAW
from xdpl.surrogate.surrogate import Surrogate

if TYPE_CHECKING:
    from xdpl.models import Model

__all__ = ["audit", "check_limits"]


def audit(
    surrogate: Surrogate,
    ds: xr.Dataset,
    parameters: xr.Dataset | Mapping[str, Any] | None = None,
    *,
    forcings: Mapping[str, str] | None = None,
    time: slice | None = None,
    step: float = 0.2,
    slope: tuple[float, float] = (0.5, 1.5),
    correlation: float = 0.7,
    effect: float = 0.02,
) -> xr.Dataset:
    """Compare a surrogate with its model, in what it gives and in how it answers changes of parameters.

    A surrogate may score well and recover only a part of what parameters do; then it leads to wrong ones.
    Each parameter is moved by itself, and the answer of the surrogate compared with that of the model.

    Parameters
    ----------
    surrogate : Surrogate
    ds : Dataset
        Sites it was not trained at, or others. Each is run 1 + 2 × (number of parameters) times for a draw.
    parameters : Dataset or mapping, optional
        Where: such as a new `design`, over (draw, *site dims), for the whole range, or what was learned. The
        defaults if not given.
    forcings : mapping of str to str, optional
        Which variable is which forcing, as in `xdpl.simulate`.
    time : slice, optional
        Period that is compared, by dates; the whole record is run.
    step : float
        What a parameter is moved by from end to end, as a share of the distance of its bounds on
        its linear or logarithmic scale, above 0, at most 1.
    slope : (float, float)
        Where the slope of the surrogate's change on the model's has to be.
    correlation : float
        The least correlation of both.
    effect : float
        Share of the spread of an output that the change has to have, for a parameter to count.

    Returns
    -------
    Dataset
        Over ``output``: ``nse`` (1), median over sites and draws, of the surrogate against the model.
        Over (parameter, output): ``effect`` (1), the root mean square of the change of the model over the
        standard deviation of the output; ``slope`` and ``correlation`` (1) over all days, sites and draws;
        ``counts``, whether the effect is large enough; ``failed``, whether one of them is then out of its
        limits.
        The attribute ``failures`` says what failed, in words, among it an output without any run that has
        values; empty if nothing did; ``least_effect`` is `effect`.

    Raises
    ------
    InputErrors
        With every problem of the input.
    """
    problems = Problems("surrogate.audit")
    check_limits(problems, step=step, slope=slope, correlation=correlation, effect=effect)
    surrogate.check(surrogate.model, problems)
    model, outputs = surrogate.model, list(surrogate.outputs)
    span = slice(None) if time is None else time
    theta, _ = resolve(model, parameters, problems)
    problems.raise_if_any()

    # All in one run, which processes share among them.
    sets = [theta]
    for p in model.parameters:
        sets += [theta | {p.name: v} for v in _moved(theta[p.name], p, step)]
    together, each = _stacked(model, sets)
    # Computed once: a run of the model may take long.
    true = _computed(simulate(ds, model, together, outputs=outputs, forcings=forcings).sel(time=span))
    alike = _computed(surrogate.simulate(ds, together, forcings=forcings).sel(time=span))
    # In the same order of dims each: values are compared one by one.
    alike = alike.assign({k: alike[k].transpose(*true[k].dims) for k in outputs})
    at = [{DRAW: slice(i * each, (i + 1) * each)} for i in range(len(sets))]
    found = {"nse": [_nse(true[k].isel(at[0]), alike[k].isel(at[0])) for k in outputs]}
    spread = {k: float(true[k].isel(at[0]).std()) for k in outputs}
    rows = []
    for i in range(len(model.parameters)):
        low, high = at[1 + 2 * i], at[2 + 2 * i]
        one, other = (v.isel(high) - v.isel(low) for v in (true, alike))
        rows.append([_effect(one[k], other[k], spread[k]) for k in outputs])
    table = np.asarray(rows, dtype=np.float64)
    out = xr.Dataset(
        {"nse": ("output", found["nse"])}
        | {name: (("parameter", "output"), table[..., i]) for i, name in enumerate(_NAMES)},
        {"output": outputs, "parameter": [p.name for p in model.parameters]},
    )
    out = _judged(out, slope, correlation, effect)
    lacking = [k for k in outputs if not bool((true[k].notnull() & alike[k].notnull()).any())]
    if lacking:
        # Nothing that was compared is nothing that passed.
        said = f"no run of the model gives {', '.join(lacking)} there"
        out.attrs["failures"] = "; ".join(filter(None, (out.attrs["failures"], said)))
    return out


_NAMES = {
    "effect": "change of the model by the parameter, over the spread of the output",
    "slope": "slope of the change of the surrogate on that of the model",
    "correlation": "correlation of the change of the surrogate with that of the model",
}


def _judged(out: xr.Dataset, slope: tuple[float, float], correlation: float, effect: float) -> xr.Dataset:
    out["counts"] = out["effect"] >= effect
    wrong = ~((out["slope"] >= slope[0]) & (out["slope"] <= slope[1]) & (out["correlation"] >= correlation))
    out["failed"] = out["counts"] & wrong
    said = [
        f"{p} on {k}: slope {float(one['slope']):.2f}, correlation {float(one['correlation']):.2f}"
        for p in out["parameter"].values
        for k in out["output"].values
        for one in [out.sel(parameter=p, output=k)]
        if bool(one["failed"])
    ]
    out["nse"].attrs = {"units": "1", "long_name": "Nash-Sutcliffe efficiency of the surrogate, median"}
    for name, text in _NAMES.items():
        out[name].attrs = {"units": "1", "long_name": text}
    out["counts"].attrs = {"long_name": f"effect of at least {effect:g}"}
    out["failed"].attrs = {
        "long_name": f"slope outside {slope[0]:g} to {slope[1]:g}, or correlation below {correlation:g}, "
        f"of an effect of at least {effect:g}"
    }
    out.attrs = {"title": "audit of a surrogate", "failures": "; ".join(said), "least_effect": effect}
    return out


def _computed(ds: xr.Dataset) -> xr.Dataset:
    return xr.Dataset({k: on_host(units.dequantify(v)) for k, v in ds.data_vars.items()}).compute()


def _stacked(model: Model, sets: Sequence[Mapping[str, xr.DataArray]]) -> tuple[xr.Dataset, int]:
    """Parameter sets one after the other along the dim of draws, and how many draws each has."""
    each = max((v.sizes.get(DRAW, 1) for v in sets[0].values()), default=1)
    out = xr.Dataset()
    for p in model.parameters:
        parts = [one[p.name].reset_coords(drop=True) for one in sets]
        parts = [v if DRAW in v.dims else v.expand_dims({DRAW: each}) for v in parts]
        out[p.name] = xr.concat(parts, DRAW).drop_attrs(deep=False).assign_attrs(units=p.units)
    return out.drop_vars(DRAW, errors="ignore"), each


def _moved(array: xr.DataArray, p: Any, step: float) -> tuple[xr.DataArray, xr.DataArray]:
    """A parameter half a step below and above; turned inwards where a bound is near."""
    cube = Cube((p,))
    place = cube.points({p.name: np.asarray(array.values, np.float64)})[..., 0]
    low = np.clip(place - 0.5 * step, 0.0, 1.0 - step)
    ends = (cube.values((low + d)[..., None])[p.name] for d in (0.0, step))
    first, last = (array.copy(data=v) for v in ends)
    return first, last


def _nse(true: xr.DataArray, alike: xr.DataArray) -> float:
    squares = ((alike - true) ** 2).mean("time")
    return float((1.0 - squares / true.var("time").where(lambda v: v > 0)).median())


def _effect(true: xr.DataArray, alike: xr.DataArray, spread: float) -> tuple[float, float, float]:
    """Size of a change, and slope and correlation of the one that should be like it."""
    a, b = (np.asarray(v.values, np.float64).ravel() for v in (true, alike))
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known], b[known]
    size = float(np.sqrt(np.mean(a**2))) / spread if a.size and spread > 0 else np.nan
    if a.size < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        # A surrogate that does not answer at all has no correlation, and a slope of nothing.
        return size, 0.0 if a.size and np.ptp(a) > 0 else np.nan, np.nan
    slope = float(np.sum(a * b) / np.sum(a * a))
    return size, slope, float(np.corrcoef(a, b)[0, 1])


def check_limits(
    problems: Problems,
    *,
    step: Any = 0.2,
    slope: Any = (0.5, 1.5),
    correlation: Any = 0.7,
    effect: Any = 0.02,
) -> None:
    """Note options of `audit` that make no sense."""

    def between(value: Any, low: float, high: float) -> bool:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and low <= value <= high

    if not (between(step, 0.0, 1.0) and step > 0):
        problems.add("step", expected="above 0, at most 1", got=repr(step), fix="step=0.2")
    pair = isinstance(slope, tuple) and len(slope) == 2 and all(between(v, -1e9, 1e9) for v in slope)
    if not (pair and slope[0] < slope[1]):
        problems.add("slope", expected="two numbers, rising", got=repr(slope), fix="slope=(0.5, 1.5)")
    for name, value in (("correlation", correlation), ("effect", effect)):
        if not between(value, 0.0, 1.0):
            problems.add(name, expected="from 0 to 1", got=repr(value), fix=f"leave {name} out")
