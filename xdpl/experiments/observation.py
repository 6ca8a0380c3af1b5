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
from xdpl.experiments.remedies import UNBIASED, Remedy, expected, remedies
from xdpl.experiments.seeds import check_seeds
from xdpl.experiments.work import learn_whole
from xdpl.observation import Anomaly, GlobalAffine, Identity, Operator, SiteAffine
from xdpl.priors import Prior

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

_TRUSTED = (10, 20, 40)


def observation(
    case: Case,
    *,
    operators: Mapping[str, Operator] | None = None,
    truth: str | None = None,
    trusted: Sequence[int] | None = None,
    priors: Mapping[str, Prior] | None = None,
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
    trusted : sequence of int, optional
        With such observations: numbers of sites, drawn at random, that have them while all others are
        biased. A free scale and offset of each of the others is learned, they alone are scored, and both
        kinds of sites count half of the loss; learning from the trusted sites alone takes part too. 10, 20
        and 40, those of them that are less than half of the sites, if not given.
    priors : mapping of str to Prior, optional
        What is known of parameters from elsewhere; if not given, the variables
        ``expected_<parameter>`` and ``expected_<parameter>_sd`` of the case. With some, the free form and the
        anomaly take part with them too.
    seeds : sequence of int
    out, progress
        As in `scaling`.

    Returns
    -------
    Dataset
        Of `xdpl.evaluation.transfer_test` in the training period: over (operator, seed, *site dims)
        ``training_rmse``, ``transfer_rmse``, ``uncalibrated_rmse`` and ``operator_rmse``; over
        (operator, seed) ``ratio``, ``affine_share`` and ``failed``. Over (operator, seed, parameter),
        with a truth of parameters, ``truth_correlation``, that of ranks over sites.

    Raises
    ------
    InputErrors
        If there is no such truth, or a name is taken.
    """
    chosen = dict(OPERATORS if operators is None else operators)
    most = int(case.usable().sum())
    trusted = [n for n in _TRUSTED if 2 * n < most] if trusted is None else list(trusted)
    truth = _check(case, chosen, truth, trusted, seeds)
    kept = Kept(None if out is None else Path(out), case)
    ways = remedies(chosen, truth, trusted, expected(case) if priors is None else priors)
    trials = [(name, seed) for seed in seeds for name in ways]
    found = {}
    for name, seed in tqdm(trials, desc="observation", unit="fit", disable=not progress):
        key = {"observation": name, **ways[name].key(), "truth": truth, "seed": seed}
        found[name, seed] = kept.of(key, partial(_trial, case, ways[name], truth, seed))
    by_name = [xr.concat([found[name, seed] for seed in seeds], "seed") for name in ways]
    result = xr.concat(by_name, "operator").assign_coords(operator=list(ways), seed=list(seeds))
    usable = case.usable()
    result = result.assign_coords(usable.coords).transpose("operator", "seed", ...)
    attrs = {variable: dict(array.attrs) for variable, array in result.data_vars.items()}
    result = described(result, case, "observation")
    for variable, said_of in attrs.items():
        result[variable].attrs = said_of
    if truth is not None:
        result.attrs["truth"] = truth
    return result


def _trial(case: Case, remedy: Remedy, truth: str | None, seed: int) -> xr.Dataset:
    given = remedy.apply(case, truth, seed)
    sites, trained = case.usable(), given.trained
    options = case.learning(int(trained.sum()), same_sites=True, sites=trained, seed=seed)
    fit = learn_whole(given.ds, **options | given.options)
    out = transfer_test(fit, given.ds, truth=truth, sites=given.scored)
    if remedy.alone:
        # It was not trained where it is scored, nor on what is observed there.
        for name in ("training_rmse", "operator_rmse", "ratio", "affine_share"):
            out[name] = out[name].where(False).assign_attrs(out[name].attrs)
    rho = _correlations(fit.parameters(given.ds), case.truth, sites)
    if rho:
        said = {"units": "1", "long_name": "Spearman correlation over sites with the true parameter"}
        out["truth_correlation"] = ("parameter", list(rho.values()), said)
        out = out.assign_coords(parameter=list(rho))
    return (
        out.drop_vars([d for d in sites.dims if d in out.coords])
        .reset_coords(drop=True)
        .assign_coords({"parameter": list(rho)} if rho else {})
    )


def _correlations(theta: xr.Dataset, true: xr.Dataset, sites: xr.DataArray) -> dict[str, float]:
    """Of ranks over sites; NaN where a parameter does not vary."""
    rho = {}
    for name, known in true.data_vars.items():
        # The mean of members, and of days.
        mean = theta[name].mean([d for d in theta[name].dims if d not in sites.dims])
        pair = [units.magnitude(v).transpose(*sites.dims).values[sites.values] for v in (mean, known)]
        varies = all(np.ptp(v) > 0 for v in pair)
        rho[str(name)] = float(spearmanr(*pair).statistic) if varies else np.nan
    return rho


def _check(
    case: Case,
    operators: Mapping[str, Any],
    truth: str | None,
    trusted: Sequence[int],
    seeds: Sequence[int],
) -> str | None:
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
    most = int(case.usable().sum())
    if not all(isinstance(n, int) and 0 < n < most for n in trusted):
        expected_counts = f"numbers of sites, 1 to {most - 1}"
        problems.add("trusted", expected=expected_counts, got=repr(trusted), fix="trusted=(10,)")
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
