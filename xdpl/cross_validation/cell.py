"""One fit of a protocol: trained on a fold with a seed, and scored where the fold tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.errors import Problems
from xdpl.evaluation.declared import COUNT
from xdpl.fit.observed import observed_targets
from xdpl.fit.scoring import start
from xdpl.labelled.host import on_host
from xdpl.labelled.lookup import in_units
from xdpl.learn import learn

if TYPE_CHECKING:
    from pathlib import Path

    from xdpl.cross_validation.inputs import Ready
    from xdpl.cross_validation.plan import Key, Plan
    from xdpl.evaluation.protocols import Split
    from xdpl.fit import Fit

__all__ = ["STOPPED", "run_one"]

# Position is the flag in the result; the first is that of a fit that is missing.
STOPPED = ("missing", "finished", "early", "diverged")


def run_one(
    ds: xr.Dataset, plan: Plan, ready: Ready, key: Key, checkpoint: Path | None
) -> tuple[Fit, xr.Dataset]:
    """Train and score one fit.

    Returns
    -------
    fit : Fit
    scores : Dataset
        Over the site dims, without coordinates; with ``seconds``, ``epochs`` and ``stopped`` of the
        training.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C while training too, which `learn` itself takes for an end.
    """
    label, fold, seed = key
    split = ready.splits[fold]
    try:
        fit = learn(
            ds,
            **plan.arguments(label, sites=split.train, seed=seed),
            progress=False,
            checkpoint=checkpoint,
        )
        if fit.settings["stopped"] == "interrupted":
            raise KeyboardInterrupt
        scores = _scores(_without_history(ds, plan, ready, fit, split), plan, ready, fit)
    except Exception as error:
        error.add_note(f"in model {label!r}, fold {split.name!r}, seed {seed}")
        raise
    out = xr.Dataset({k: _where_tested(k, v, split.test) for k, v in scores.items()})
    out["seconds"] = fit.history["seconds"].sum().variable
    out["epochs"] = xr.Variable((), fit.history.sizes["epoch"])
    out["stopped"] = xr.Variable((), STOPPED.index(fit.settings["stopped"]))
    return fit, out


def _without_history(ds: xr.Dataset, plan: Plan, ready: Ready, fit: Fit, split: Split) -> xr.Dataset:
    """The dataset as one with ungauged sites would have it: nothing observed there before the test."""
    if plan.protocol.gauged or not fit.network_spec.steps:
        return ds
    observed = ds[ready.variable]
    known = (ds["time"] >= start(fit, ds, plan.test)) | ~(split.test & ~split.train)
    return ds.assign(
        {ready.variable: observed.where(known).transpose(*observed.dims).assign_attrs(observed.attrs)}
    )


def _scores(ds: xr.Dataset, plan: Plan, ready: Ready, fit: Fit) -> dict[str, xr.DataArray]:
    """Scores of every site."""
    found = fit.evaluate(ds, time=plan.test)
    # Pooled scores and those of groups mix sites that were trained on with those that are tested.
    scores = {str(k): v for k, v in found.data_vars.items() if _is_score(v, ready.site_dims)}
    if plan.scores is not None:
        scores |= {str(k): v for k, v in plan.scores(*_pair(ds, plan, fit)).data_vars.items()}
    return {k: on_host(units.dequantify(v)).compute() for k, v in scores.items()}


def _is_score(array: xr.DataArray, site_dims: tuple[str, ...]) -> bool:
    return set(array.dims) == set(site_dims) and "flag_values" not in array.attrs


def _pair(ds: xr.Dataset, plan: Plan, fit: Fit) -> tuple[xr.DataArray, xr.DataArray]:
    """Simulated and observed in the test period, in units of the observed."""
    problems = Problems("cross_validate")
    output, variable = fit.target, fit.target_variable
    mapping = fit.forcings_in(ds)
    pairs = {output: variable}
    found = observed_targets(fit, ds, pairs, mapping, problems, fix=lambda name, variable: f"add {variable}")
    observed = units.dequantify(found[output])
    said = {"units": str(units.read(observed))}
    at = start(fit, ds, plan.test)
    simulated = fit.simulate(ds, at=at, outputs=[output])[output]
    simulated = in_units(simulated, said["units"], problems, subject=output)
    problems.raise_if_any()
    period = slice(None) if plan.test is None else plan.test
    both = (on_host(a.sel(time=period)) for a in (simulated, observed))
    first, second = (a.drop_attrs(deep=False).assign_attrs(said) for a in both)
    return first, second


def _where_tested(name: str, scores: xr.DataArray, tested: xr.DataArray) -> xr.Variable:
    values = scores.transpose(*tested.dims).values
    known = values if name == COUNT else values.astype(np.float64)
    masked = np.where(tested.values, known, 0 if name == COUNT else np.nan)
    # Those that a file keeps as they are.
    attrs = {k: v for k, v in scores.attrs.items() if isinstance(v, str | int | float)}
    return xr.Variable(tested.dims, masked, attrs)
