"""Does it help to read what was observed before? A network with a history beside one on attributes alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from xdpl.errors import Problems
from xdpl.experiments.attrs import described
from xdpl.experiments.case import Case
from xdpl.experiments.kept import Kept, digest
from xdpl.experiments.samples import held_out_sites
from xdpl.experiments.scores import scores_of
from xdpl.experiments.seeds import check_seeds
from xdpl.experiments.work import learn_whole

__all__ = ["CONTENDERS", "QUESTIONS", "history"]

CONTENDERS = ("dpl", "history")
#: What is predicted: the test period at sites of the training, at sites that were only measured before it,
#: and at sites that never were.
QUESTIONS = ("trained", "measured", "ungauged")


def history(
    case: Case,
    *,
    held_out: int = 100,
    seeds: Sequence[int] = (0, 1, 2),
    out: str | Path | None = None,
    progress: bool = True,
) -> xr.Dataset:
    """Compare a network on attributes with one that also reads past forcings and observations.

    Both are trained at the same sites and predict the test period. What the second reads ends where the
    test begins.

    Parameters
    ----------
    case : Case
        With settings of the network that has a history, `Case.history`.
    held_out : int
        Number of sites that take no part in training.
    seeds : sequence of int
        Of the training.
    out, progress
        As in `scaling`.

    Returns
    -------
    Dataset
        Metrics of `xdpl.evaluation.metrics` and ``extreme_bias`` (contender, question, seed, *site dims)
        in the test period. Questions are ``"trained"``, the sites of the training, and the held-out sites
        with their past observations (``"measured"``) and without (``"ungauged"``); scores are NaN at the
        other sites.

    Raises
    ------
    InputErrors
        If the case has no settings for such a network, or there are too few sites.
    """
    problems = Problems("history")
    check_seeds(problems, seeds)
    if case.history is None:
        problems.add(
            "case",
            expected="settings of a network with a history",
            got="none",
            fix="Case(..., history={'network': History()})",
        )
    problems.raise_if_any()
    pool, held = held_out_sites(case, held_out, "history")
    kept = Kept(None if out is None else Path(out), case)
    trials = [(name, seed) for seed in seeds for name in CONTENDERS]
    found = {}
    for name, seed in tqdm(trials, desc="history", unit="fit", disable=not progress):
        key = {"history": name, "sites": digest(pool), "seed": seed}
        found[name, seed] = kept.of(key, partial(_trial, case, name, pool, held, seed))
    by_name = [xr.concat([found[name, seed] for seed in seeds], "seed") for name in CONTENDERS]
    result = xr.concat(by_name, "contender").transpose("contender", "question", "seed", ...)
    names = {"contender": list(CONTENDERS), "question": list(QUESTIONS), "seed": list(seeds)}
    return described(result.assign_coords(names).assign_coords(pool.coords), case, "history")


def _trial(case: Case, name: str, pool: xr.DataArray, held: xr.DataArray, seed: int) -> xr.Dataset:
    """Scores (question, *site dims), as plain values."""
    ds, count = case.data, int(pool.sum())
    reads = name == "history"
    options = case.learning_from_history(count) if reads else case.learning(count)
    fit = learn_whole(ds, **options | {"sites": pool, "seed": seed})
    start = {"at": case.test.start} if reads else {}
    blind = ds.assign({case.target: ds[case.target].where(pool)})
    asked = {"trained": (ds, pool), "measured": (ds, held), "ungauged": (blind, held)}
    dims, parts = pool.dims, []
    for question in QUESTIONS:
        seen, sites = asked[question]
        simulated = fit.simulate(seen, outputs=[case.target], **start)[case.target]
        scores = scores_of(simulated, case).where(sites).transpose(*dims)
        parts.append({k: v.values.astype(np.float64) for k, v in scores.data_vars.items()})
    return xr.Dataset({k: (("question", *dims), np.stack([p[k] for p in parts])) for k in parts[0]})
