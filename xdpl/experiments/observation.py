"""What parameters learned through an observation operator are worth in the model itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from scipy.stats import spearmanr
from tqdm.auto import tqdm

from xdpl import units
from xdpl.errors import Problems
from xdpl.evaluation.transfer import transfer_test
from xdpl.experiments.attrs import described
from xdpl.experiments.case import Case
from xdpl.experiments.kept import Kept
from xdpl.experiments.seeds import check_seeds
from xdpl.experiments.work import learn_whole
from xdpl.observation import Anomaly, GlobalAffine, Identity, Operator, SiteAffine

__all__ = ["OPERATORS", "UNBIASED", "observation"]

#: By name, in the order of tables; strengths of the penalty from free to strong.
OPERATORS: dict[str, Operator] = {
    "identity": Identity(),
    "global": GlobalAffine(),
    "free": SiteAffine(penalty=0.0),
    "penalty 0.01": SiteAffine(penalty=0.01),
    "penalty 0.1": SiteAffine(penalty=0.1),
    "penalty 1": SiteAffine(penalty=1.0),
    "penalty 10": SiteAffine(penalty=10.0),
    "anomaly": Anomaly(),
}
#: What is learned from observations without bias, where there are some.
UNBIASED = "unbiased"


def observation(
    case: Case,
    *,
    operators: Mapping[str, Operator] | None = None,
    truth: str | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    out: str | Path | None = None,
    progress: bool = True,
) -> xr.Dataset:
    """Learn through several observation operators, and test what was learned in the model without them.

    All learn the parameters of the same sites from the same observations, with the options of the case for
    the same sites.

    Parameters
    ----------
    case : Case
        The truth of a parameter is a variable ``true_<parameter>``.
    operators : mapping of str to Operator, optional
        By a name of your own; `OPERATORS` if not given.
    truth : str, optional
        Variable with observations of the target without bias; ``unbiased_<target>``, where there is one,
        if not given. With it, learning from these takes part too, as ``"unbiased"``.
    seeds : sequence of int
    out, progress
        As in `scaling`.

    Returns
    -------
    Dataset
        Of `xdpl.evaluation.transfer_test` in the training period: over (operator, seed, *site dims)
        ``training_rmse``, ``transfer_rmse``, ``uncalibrated_rmse`` and ``operator_rmse``; over
        (operator, seed) ``ratio``, ``affine_share`` and ``status``. Over (operator, seed, parameter),
        with a truth of parameters, ``truth_correlation``, that of ranks over sites.

    Raises
    ------
    InputErrors
        If there is no such truth, or a name is taken.
    """
    chosen = dict(OPERATORS if operators is None else operators)
    truth = _check(case, chosen, truth, seeds)
    kept = Kept(None if out is None else Path(out), case)
    if truth is not None:
        chosen = {UNBIASED: Identity(), **chosen}
    trials = [(name, seed) for seed in seeds for name in chosen]
    found = {}
    for name, seed in tqdm(trials, desc="observation", unit="fit", disable=not progress):
        said = "-".join(f"{k}={v}" for k, v in chosen[name].to_dict().items() if isinstance(v, str | float))
        key = {"observation": name, "operator": said, "truth": truth, "seed": seed}
        found[name, seed] = kept.of(key, partial(_trial, case, name, chosen[name], truth, seed))
    by_name = [xr.concat([found[name, seed] for seed in seeds], "seed") for name in chosen]
    result = xr.concat(by_name, "operator").assign_coords(operator=list(chosen), seed=list(seeds))
    usable = case.usable()
    result = result.assign_coords(usable.coords).transpose("operator", "seed", ...)
    attrs = {variable: dict(array.attrs) for variable, array in result.data_vars.items()}
    result = described(result, case, "observation")
    for variable, said_of in attrs.items():
        result[variable].attrs = said_of
    if truth is not None:
        result.attrs["truth"] = truth
    return result


def _trial(case: Case, name: str, operator: Operator, truth: str | None, seed: int) -> xr.Dataset:
    sites = case.usable()
    ds = case.data
    if name == UNBIASED and truth is not None:
        ds = ds.assign({case.target: ds[truth]})
    options = case.learning(int(sites.sum()), same_sites=True, sites=sites, seed=seed)
    fit = learn_whole(ds, **options | {"observation": operator})
    out = transfer_test(fit, ds, truth=truth, sites=sites)
    theta = fit.parameters(ds)
    rho = {}
    for p in fit.model.parameters:
        if f"true_{p.name}" not in ds:
            continue
        # The mean of members, and of days.
        mean = theta[p.name].mean([d for d in theta[p.name].dims if d not in sites.dims])
        pair = [
            units.magnitude(v).transpose(*sites.dims).values[sites.values]
            for v in (mean, ds[f"true_{p.name}"])
        ]
        varies = all(np.ptp(v) > 0 for v in pair)
        rho[p.name] = float(spearmanr(*pair).statistic) if varies else np.nan
    if rho:
        said = {"units": "1", "long_name": "Spearman correlation over sites with the true parameter"}
        out["truth_correlation"] = ("parameter", list(rho.values()), said)
        out = out.assign_coords(parameter=list(rho))
    dims = sites.dims
    return (
        out.drop_vars([d for d in dims if d in out.coords])
        .reset_coords(drop=True)
        .assign_coords({"parameter": list(rho)} if rho else {})
    )


def _check(case: Case, operators: Mapping[str, Any], truth: str | None, seeds: Sequence[int]) -> str | None:
    """The variable without bias, if there is one."""
    problems = Problems("observation")
    check_seeds(problems, seeds)
    usual = f"unbiased_{case.target}"
    if truth is not None and truth not in case.data:
        fix = "name another, or leave truth out"
        problems.add("truth", expected="a variable of ds", got=repr(truth), fix=fix)
    if not operators or UNBIASED in operators:
        problems.add(
            "operators",
            expected=f"one or more, none called {UNBIASED!r}",
            got=", ".join(operators) or "none",
            fix='operators={"free": xdpl.observation.SiteAffine(penalty=0.0)}',
        )
    for name, operator in operators.items():
        if not isinstance(operator, Operator):
            problems.add(
                f"operators[{name!r}]",
                expected="an operator of xdpl.observation",
                got=repr(operator),
                fix="xdpl.observation.get(name)",
            )
    problems.raise_if_any()
    return usual if truth is None and usual in case.data else truth
