"""Does one objective serve all regimes? Groups of sites under objectives that weigh them differently."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from xdpl.errors import Problems
from xdpl.evaluation import dryness_terciles
from xdpl.experiments.attrs import described
from xdpl.experiments.case import Case
from xdpl.experiments.kept import Kept, digest
from xdpl.experiments.maps import calibrated, simulated
from xdpl.experiments.scores import scores_of
from xdpl.experiments.seeds import check_seeds
from xdpl.experiments.work import learn_whole
from xdpl.objectives import GroupDRO

__all__ = ["CONTENDERS", "dryness_groups", "regimes"]

#: The oracle is last: parameters of every site by itself.
CONTENDERS = ("pooled", "stratified", "group-dro", "calibrated")


def regimes(
    case: Case,
    *,
    groups: xr.DataArray | None = None,
    dro: GroupDRO | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    out: str | Path | None = None,
    progress: bool = True,
) -> xr.Dataset:
    """Score groups of sites, learned with each objective of `xdpl.learn`, in the test period.

    Learned at all sites that can take part, and scored there, beside parameters calibrated at every site
    by itself: what a group loses against these is the price of one network for all.

    Parameters
    ----------
    case : Case
    groups : DataArray of int, (*site dims), optional
        Label of each site, as in `xdpl.learn`; terciles of dryness if not given.
    dro : GroupDRO, optional
        Options of the objective that follows the worst group.
    seeds : sequence of int
    out, progress
        As in `scaling`.

    Returns
    -------
    Dataset
        Metrics of `xdpl.evaluation.metrics` and ``extreme_bias`` (contender, seed, *site dims);
        ``groups``, the labels; and of what was learned ``cosine`` (contender, seed, group, other), between
        the gradients of groups, mean over the first half of training, and ``weight`` (contender, seed,
        group), what each group counted at the end.

    Raises
    ------
    InputErrors
        If the case has no dryness and no groups are given, or labels are missing at a site.

    Notes
    -----
    Only the first half of training tells whether groups agree: where the sum of their gradients is zero,
    cosines are negative on average whatever the model.
    """
    problems = Problems("regimes")
    check_seeds(problems, seeds)
    problems.raise_if_any()
    usable = case.usable()
    groups = dryness_groups(case) if groups is None else groups
    kept = Kept(None if out is None else Path(out), case)
    rule = GroupDRO() if dro is None else dro
    labels = digest(xr.concat([groups == k for k in np.unique(groups)], "label"))
    cells = [(name, seed) for seed in seeds for name in CONTENDERS]
    found = {}
    for name, seed in tqdm(cells, desc="regimes", unit="fit", disable=not progress):
        if name == "calibrated":
            run = simulated(case, calibrated(case, seed, kept), [case.target])[case.target]
            found[name, seed] = scores_of(run, case).where(usable).drop_attrs()
            continue
        key = {"objective": name, "groups": labels, "seed": seed}
        if name == "group-dro":
            key |= {"step": rule.step, "floor": rule.floor}
        found[name, seed] = kept.of(key, partial(_learned, case, name, groups, rule, seed))
    by_name = [xr.concat([found[name, seed] for seed in seeds], "seed") for name in CONTENDERS]
    result = xr.concat(by_name, "contender", join="outer", coords="minimal", compat="override")
    result = result.assign_coords(contender=list(CONTENDERS), seed=list(seeds)).assign_coords(usable.coords)
    result["groups"] = groups.where(usable, -1).astype(np.int64).assign_attrs(groups.attrs)
    result["cosine"].attrs = {"units": "1", "long_name": "cosine between the gradients of two groups"}
    result["weight"].attrs = {"units": "1", "long_name": "weight of a group at the end of training"}
    return described(result.transpose("contender", "seed", ..., "group", "other"), case, "regimes")


def dryness_groups(case: Case) -> xr.DataArray:
    """Terciles of potential evapotranspiration over precipitation in the training period.

    Raises
    ------
    InputErrors
        If the model of the case has not both as forcings.
    """
    names = ("potential_evapotranspiration", "precipitation")
    have = [d.name for d in case.process.forcings]
    if not set(names) <= set(have):
        problems = Problems("regimes")
        problems.add(
            "groups",
            expected=f"labels of groups, as the model has not {' and '.join(names)}",
            got="none",
            fix='groups=ds["<integer labels of sites>"]',
        )
        problems.raise_all()
    demand, supply = (case.data[k].sel(time=case.train).mean("time") for k in names)
    dryness = (demand / supply).where(case.usable()).drop_attrs(deep=False)
    return dryness_terciles(dryness)


def _learned(case: Case, name: str, groups: xr.DataArray, rule: GroupDRO, seed: int) -> xr.Dataset:
    """Scores of every site, and what was seen of the groups, as plain values."""
    sites = case.usable()
    options = case.learning(int(sites.sum()), same_sites=True, sites=sites, seed=seed)
    objective = rule if name == "group-dro" else name
    fit = learn_whole(case.data, **options | {"objective": objective, "groups": groups})
    run = fit.simulate(case.data, outputs=[case.target])[case.target]
    scores = scores_of(run, case).where(sites).transpose(*sites.dims)
    history = fit.history
    early = history["group_cosine"].isel(epoch=slice(0, max(1, history.sizes["epoch"] // 2)))
    seen = {"cosine": early.mean("epoch"), "weight": history["group_weight"].isel(epoch=-1, drop=True)}
    plain = {k: (sites.dims, v.values.astype(np.float64)) for k, v in scores.data_vars.items()}
    return xr.Dataset(plain).assign({k: v.drop_attrs() for k, v in seen.items()})
