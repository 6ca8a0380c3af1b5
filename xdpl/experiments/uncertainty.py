"""Do intervals hold what they should? Coverage in a synthetic world, whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from xdpl.errors import Problems
from xdpl.evaluation import coverage
from xdpl.experiments.attrs import described
from xdpl.experiments.case import Case
from xdpl.experiments.kept import Kept, digest
from xdpl.experiments.samples import held_out_sites
from xdpl.experiments.seeds import check_seeds
from xdpl.experiments.work import learn_whole
from xdpl.fit import Ensemble
from xdpl.networks import MLP
from xdpl.uncertainty import Posterior, deep_ensemble, laplace

__all__ = ["CONTENDERS", "QUANTITIES", "uncertainty"]

#: Networks of a random ensemble have a prior each; a mixed one takes the seeds of the first ensemble, each
#: with its Laplace approximation.
CONTENDERS = (
    "ensemble",
    "ensemble-tuned",
    "random-ensemble",
    "random-ensemble-tuned",
    "laplace",
    "laplace-tuned",
    "mixed",
    "mixed-tuned",
)
#: Observations; the truth of the target, and of the other outputs; parameters that differ between sites.
QUANTITIES = ("observed", "target", "others", "parameters")

_LEVEL = (0.05, 0.95)
# A random function that is added has to be unlearned first. Chosen in the world `twin-all`.
_LONGER = 2.5
_PRIOR = 0.3


def uncertainty(
    case: Case,
    *,
    held_out: int = 160,
    fits: int = 5,
    seeds: Sequence[int] = (0, 1, 2),
    out: str | Path | None = None,
    progress: bool = True,
) -> xr.Dataset:
    """Coverage of intervals of 90 % from deep ensembles, a Laplace approximation, and both.

    Of the sites that are held out, three eighths tune scale and observation error, from their
    observations before the test period; the others and the trained ones are tested.

    Parameters
    ----------
    case : Case
        With the truth: ``true_<parameter>`` and ``true_<output>``, the target's among them; learned
        by an `MLP`.
    held_out : int
        Sites that take no part in training.
    fits : int
        Fits of an ensemble; the first of those without a random prior is that of the Laplace approximation.
    seeds : sequence of int
        Of ensembles, none of whose fits have a seed in common.
    out, progress
        As in `scaling`.

    Returns
    -------
    Dataset
        ``coverage`` (contender, seed, group, quantity), a fraction (1); groups are ``"trained"`` and
        ``"held-out"`` sites. The coverage of ``others`` and of ``parameters`` is the mean over these;
        ``parameter_coverage`` (contender, seed, group, parameter) has each. ``scale`` (contender, seed).

    Raises
    ------
    InputErrors
        If the case has no truth, or numbers of sites or fits are too small.
    """
    problems = Problems("uncertainty")
    check_seeds(problems, seeds)
    if not isinstance(fits, int) or fits < 2:
        problems.add("fits", expected="2 or more", got=repr(fits), fix="fits=5")
    if not case.truth.data_vars or f"true_{case.target}" not in case.data:
        got = "a dataset without a truth"
        fix = "xdpl.experiments.cases.twin()"
        problems.add("case", expected=f"true_{case.target} and true_<parameter>", got=got, fix=fix)
    problems.raise_if_any()
    pool, held = held_out_sites(case, held_out, "uncertainty")
    kept = Kept(None if out is None else Path(out), case)
    parts = []
    for seed in tqdm(seeds, desc="uncertainty", unit="ensemble", disable=not progress):
        key = {"uncertainty": seed, "fits": fits, "sites": digest(pool)}
        parts.append(kept.of(key, partial(_trial, case, pool, held, fits, seed)))
    result = xr.concat(parts, "seed").transpose("contender", "seed", ...).assign_coords(seed=list(seeds))
    said = {
        "coverage": "coverage of intervals of 90 %",
        "parameter_coverage": "coverage of intervals of 90 % of parameters",
        "scale": "scale of the distribution",
    }
    for name, long_name in said.items():
        result[name].attrs = {"units": "1", "long_name": long_name}
    return described(result, case, "uncertainty")


def _trial(case: Case, pool: xr.DataArray, held: xr.DataArray, count: int, seed: int) -> xr.Dataset:
    ds = case.data
    among = np.random.default_rng(1).permutation(np.flatnonzero(held.values.ravel()))
    chosen = among[: max(1, 3 * len(among) // 8)]
    tuning = held.copy(data=np.isin(np.arange(held.size), chosen).reshape(held.shape))
    options = case.learning(int(pool.sum()), sites=pool)
    fits = tuple(learn_whole(ds, **options, seed=1000 * seed + i) for i in range(count))
    apart = options | {"network": _with_prior(options), "epochs": round(_LONGER * options.get("epochs", 200))}
    others = tuple(learn_whole(ds, **apart, seed=1000 * seed + i) for i in range(count))
    made = {
        "ensemble": deep_ensemble(Ensemble(fits), ds, sites=pool),
        "random-ensemble": deep_ensemble(Ensemble(others), ds, sites=pool),
        "laplace": laplace(fits[0], ds, sites=pool, seed=seed),
        "mixed": laplace(Ensemble(fits), ds, sites=pool, seed=seed),
    }
    before = ds["time"].sel(time=slice(None, case.test.start))[:-1].dt.strftime("%Y-%m-%d").values
    past = slice(str(before[0]), str(before[-1]))
    groups = {"trained": pool, "held-out": held & ~tuning}
    found = []
    for name in CONTENDERS:
        posterior = made[name.removesuffix("-tuned")]
        if name.endswith("-tuned"):
            posterior = posterior.tuned(ds, sites=tuning, time=past, seed=seed)
        scored = _scored(case, posterior, groups, seed)
        found.append(scored.assign(scale=posterior.scale))
    return xr.concat(found, "contender").assign_coords(contender=list(CONTENDERS))


def _with_prior(options: dict[str, Any]) -> MLP:
    """The network of a case, which has to be an `MLP`, with a random function of the attributes."""
    given = options.get("network", "mlp")
    return replace(given if isinstance(given, MLP) else MLP(), prior=_PRIOR)


def _scored(case: Case, posterior: Posterior, groups: dict[str, xr.DataArray], seed: int) -> xr.Dataset:
    """Coverage (group, quantity) and (group, parameter)."""
    ds, target = case.data, case.target
    others = [k for k in case.process.all_outputs() if f"true_{k}" in ds and k != target]
    truth = {k: ds[f"true_{k}"].sel(time=case.test) for k in (target, *others)}
    options: dict[str, Any] = {"quantiles": _LEVEL, "time": case.test, "samples": 60, "seed": seed}
    free = posterior.prediction_intervals(ds, observed=False, outputs=[target, *others], **options)
    noisy = posterior.prediction_intervals(ds, observed=True, outputs=[target], **options)
    theta, true = posterior.parameter_intervals(ds, quantiles=_LEVEL), case.truth
    parts = []
    for sites in groups.values():
        own = coverage(theta, true.where(sites))
        simulated = coverage(free, xr.Dataset({k: v.where(sites) for k, v in truth.items()}))
        observed = coverage(noisy, ds[[target]].sel(time=case.test).where(sites))
        means = [
            float(observed[target]),
            float(simulated[target]),
            float(np.mean([simulated[k] for k in others])) if others else np.nan,
            float(np.mean([own[k] for k in own.data_vars])),
        ]
        each = own.to_array("parameter").drop_attrs()
        parts.append(xr.Dataset({"coverage": ("quantity", means), "parameter_coverage": each}))
    named = {"group": list(groups), "quantity": list(QUANTITIES)}
    return xr.concat(parts, "group").assign_coords(named).drop_attrs()
