"""Everything a report says is found here, and computed; parts that cannot be are left out, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import xarray as xr

from xdpl import units
from xdpl.engines.tracing.symbols import UnsupportedOperation
from xdpl.errors import InputError, InputErrors
from xdpl.evaluation import at_bounds, identifiability, transfer_test
from xdpl.evaluation.declared import METRICS, Metric
from xdpl.labelled.attrs import variable_attrs
from xdpl.labelled.host import on_host
from xdpl.models import NetworkOnly
from xdpl.report.facts import Facts, LeftOut, OfTarget
from xdpl.report.periods import scored_period
from xdpl.report.series import series
from xdpl.simulate import simulate

if TYPE_CHECKING:
    from xdpl.fit import Fit
    from xdpl.report.facts import Period
    from xdpl.report.request import Request

__all__ = ["gather", "main_metric"]

T = TypeVar("T")

# The metric of sites nearest to a loss; those of squared errors by the spread of each site are like NSE.
_NEAREST = {"kge": "kge_2009", "rmse": "rmse", "site_rmse": "rmse"}
_OTHERWISE = "nse"
_WITHOUT_DATA = LeftOut(
    "scores, groups of sites, maps, series, identifiability, transfer test",
    "a fit does not keep the dataset it was trained on",
    'fit.report("report.html", ds)',
)


def main_metric(loss: str) -> Metric:
    """The metric of `xdpl.evaluation.metrics` that is nearest to a loss."""
    name = _NEAREST.get(loss, _OTHERWISE)
    return next(metric for metric in METRICS if metric.name == name)


def gather(fit: Fit, ds: xr.Dataset | None, request: Request) -> Facts:
    """All facts; arguments are those of `Fit.report`, checked."""
    losses = fit.settings["loss"]
    targets = tuple(
        OfTarget(output, variable, fit.model.output(output).units, main_metric(losses[output]))
        for output, variable in fit.targets.items()
    )
    title = request.title or f"{fit.model.name}: {', '.join(fit.targets)}"
    facts = Facts(fit, title, targets)
    if ds is None:
        return replace(facts, left_out=(_WITHOUT_DATA,))
    return _with_data(facts, ds, request)


def _with_data(facts: Facts, ds: xr.Dataset, request: Request) -> Facts:
    fit = facts.fit
    left: list[LeftOut] = []
    period = scored_period(fit, ds, request.time)
    with _Progress(request.progress, 4 + 2 * len(facts.targets)) as done:
        scores = done("scores", lambda: _by_target(fit, _plain(fit.evaluate(ds, time=period.slice))))
        default = done("defaults", lambda: _by_target(fit, _uncalibrated(fit, ds, period)))
        theta, averaged, near = done("parameters", lambda: _parameters(fit, ds))
        targets = [
            replace(t, scores=scores[t.output], uncalibrated=default[t.output], groups=groups)
            for t in facts.targets
            for groups in [_groups(scores[t.output], request)]
        ]
        shown = done("series", lambda: [series(fit, ds, t, period, request.sites) for t in targets])
        targets = [replace(t, series=s) for t, s in zip(targets, shown, strict=True)]
        if not fit.model.parameters:
            why = "a network alone has no parameters of a process"
            left.append(LeftOut("maps of parameters, identifiability, transfer test", why, "learn a model"))
        elif not _has(ds, fit.observation.attrs["period"]):
            why = f"the dataset lacks days of the training, {' to '.join(fit.observation.attrs['period'])}"
            left.append(LeftOut("transfer test, identifiability", why, "the dataset of the training"))
        else:
            targets = [_tested(fit, ds, t, theta, request, left, done) for t in targets]
    if targets[0].groups is None:
        why = "no three groups of dryness: too few sites, or a model without their forcings"
        left.append(LeftOut("groups of sites", why, 'fit.report("report.html", ds, groups=...)'))
    return replace(
        facts,
        targets=tuple(targets),
        period=period,
        parameters=theta,
        averaged=averaged,
        at_bounds=near,
        left_out=tuple(left),
    )


def _tested(
    fit: Fit,
    ds: xr.Dataset,
    target: OfTarget,
    theta: xr.Dataset | None,
    request: Request,
    left: list[LeftOut],
    done: _Progress,
) -> OfTarget:
    """A target with its transfer test and what the observations tell; what cannot be made is noted."""
    whose = f" of {target.output}" if len(fit.targets) > 1 else ""
    test = done(
        "transfer test",
        lambda: _tried(lambda: transfer_test(fit, ds, target=target.output), f"transfer test{whose}", left),
    )
    target = replace(target, transfer=None if test is None else _plain(test))
    what = f"identifiability{whose}"
    if not request.identifiability:
        left.append(LeftOut(what, "not wanted", 'fit.report("report.html", ds, identifiability=True)'))
        return target
    if target.transfer is None:
        left.append(LeftOut(what, "it takes the error of the transfer test", "a dataset for that test"))
        return target
    told = done("identifiability", lambda: _tried(lambda: _told(fit, ds, target, theta), what, left))
    return replace(target, told=None if told is None else _plain(told))


def _has(ds: xr.Dataset, period: list[str]) -> bool:
    """Whether a dataset has the first and the last day of a period."""
    return all(ds["time"].sel(time=slice(day, day)).size for day in period)


def _told(fit: Fit, ds: xr.Dataset, target: OfTarget, theta: xr.Dataset | None) -> xr.Dataset:
    """What the observations of the training period tell, their error that of the fit."""
    assert target.transfer is not None
    rmse = target.transfer["training_rmse"]
    slope, _ = units.linear(rmse.attrs["units"], target.units)
    return identifiability(
        ds,
        fit.model,
        theta,
        target={target.output: target.variable},
        noise=float(rmse.median()) * slope,
        forcings=fit.forcings_in(ds),
        time=slice(*fit.observation.attrs["period"]),
        positions=0,
    )


def _tried(function: Callable[[], T], what: str, left: list[LeftOut]) -> T | None:
    """What a function gives, or None and a note of why not."""
    try:
        return function()
    except InputErrors as error:
        problems = [p for p in error.exceptions if isinstance(p, InputError)]
        why = "; ".join(f"{p.subject}: expected {p.expected}, got {p.got}" for p in problems)
        how = "; ".join(dict.fromkeys(p.fix for p in problems))
    except UnsupportedOperation as error:
        why, how = str(error), f"xdpl.evaluation.{what.split()[0]}, with its option engine"
    left.append(LeftOut(what, why, how))
    return None


def _uncalibrated(fit: Fit, ds: xr.Dataset, period: Period) -> xr.Dataset:
    """Scores of the process model with its default parameters."""
    from xdpl.fit.scoring import evaluate

    model = fit.model.like if isinstance(fit.model, NetworkOnly) else fit.model

    def run(ds: xr.Dataset, **options: Any) -> xr.Dataset:
        found: xr.Dataset = simulate(ds, model, **options)
        return found

    return _plain(evaluate(fit, ds, time=period.slice, target=None, forcings=None, simulate=run))


def _parameters(fit: Fit, ds: xr.Dataset) -> tuple[xr.Dataset | None, dict[str, str], xr.Dataset | None]:
    """Parameters without members and time, over what they are means, and their shares at bounds."""
    if not fit.model.parameters:
        return None, {}, None
    whole = _plain(fit.parameters(ds))
    still, averaged = {}, {}
    for p in fit.model.parameters:
        array = whole[p.name]
        dims = [d for d in ("member", "time") if d in array.dims]
        if dims:
            array, averaged[p.name] = array.mean(dims), " and ".join(f"{d}s" for d in dims)
        still[p.name] = array.drop_attrs(deep=False).assign_attrs(variable_attrs(p))
        whole[p.name].attrs = variable_attrs(p)
    return xr.Dataset(still), averaged, at_bounds(whole, fit.model)


def _groups(scores: xr.Dataset, request: Request) -> xr.DataArray | None:
    """Those that are given, else thirds by dryness; None without."""
    if request.groups is not None:
        return on_host(request.groups).compute()
    terciles = scores.get("dryness_tercile")
    return terciles if terciles is not None and bool((terciles >= 0).any()) else None


def _by_target(fit: Fit, scores: xr.Dataset) -> dict[str, xr.Dataset]:
    """Scores of each target by itself, with its units."""
    if "target" not in scores.dims:
        return {fit.target: scores}
    dimensional = [m.name for m in METRICS if m.dimensional]
    found = {}
    for output in fit.targets:
        one = scores.sel(target=output)
        said = str(one["target_units"].values)
        one = one.drop_vars(["target", "target_units"])
        for name in one.data_vars:
            if str(name).split("_", 1)[-1] in dimensional or name in dimensional:
                one[name] = one[name].assign_attrs(units=said)
        found[output] = one
    return found


def _plain(ds: xr.Dataset) -> xr.Dataset:
    """Computed, on the host, units as attributes."""
    arrays = {k: on_host(units.dequantify(v)).compute() for k, v in ds.data_vars.items()}
    return xr.Dataset(
        {k: a.assign_attrs(units.dequantify(ds[k]).attrs) for k, a in arrays.items()}
    ).assign_attrs(ds.attrs)


class _Progress:
    """A bar over the parts of a report."""

    def __init__(self, show: bool, total: int) -> None:
        from tqdm.auto import tqdm

        self._bar = tqdm(total=total, desc="report", unit="part", disable=not show)

    def __call__(self, name: str, part: Callable[[], T]) -> T:
        self._bar.set_postfix_str(name)
        found = part()
        self._bar.update()
        return found

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
