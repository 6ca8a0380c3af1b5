"""Does learning gain from more sites? Skill at sites never seen against the number of training sites."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from xdpl.errors import Problems
from xdpl.experiments.attrs import described
from xdpl.experiments.case import Case
from xdpl.experiments.contenders import CONTENDERS, Trial
from xdpl.experiments.kept import Kept, digest
from xdpl.experiments.periods import days_of, shortened
from xdpl.experiments.samples import halved, held_out_sites, nested, note_sizes, rising
from xdpl.experiments.scores import scores_of
from xdpl.experiments.seeds import check_seeds

__all__ = ["scaling"]


def scaling(
    case: Case,
    *,
    sizes: Sequence[int] | None = None,
    days: Sequence[int] | None = None,
    held_out: int = 100,
    contenders: Sequence[str] | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    out: str | Path | None = None,
    progress: bool = True,
) -> xr.Dataset:
    """Score contenders at the same held-out sites, trained on more and more sites.

    Samples are nested: the sites of a smaller one are among those of a larger one of the same
    seed, which also seeds the training. Held-out sites are the same for all.

    Parameters
    ----------
    case : Case
    sizes : sequence of int, optional
        Numbers of training sites; all that are not held out, half of them, and so on down to ten,
        if not given.
    days : sequence of int, optional
        Lengths of the training period, counted back from its end; the whole period if not given.
    held_out : int
        Number of sites to predict.
    contenders : sequence of str, optional
        Of ``"dpl"``, ``"donors"``, ``"regression"``, ``"lstm"``, ``"affine"``, ``"uncalibrated"``;
        all that the case has settings for, if not given.
    seeds : sequence of int
    out : path, optional
        Folder that keeps every trial. The same call goes on with what is missing.
    progress : bool
        Show a bar over trials.

    Returns
    -------
    Dataset
        Metrics of `xdpl.evaluation.metrics` and ``extreme_bias`` (contender, [days,] size, seed,
        *site dims) in the test period, NaN at sites that are not held out. The attribute
        ``score`` says which is reported.

    Raises
    ------
    InputErrors
        If there are too few sites, or a contender is not known.
    """
    pool, held = held_out_sites(case, held_out, "scaling")
    sizes = halved(int(pool.sum())) if sizes is None else list(sizes)
    names = _check(case, sizes, days, contenders, seeds, int(pool.sum()))
    kept = Kept(None if out is None else Path(out), case)
    lengths = [None] if days is None else list(days)
    cells = list(itertools.product(names, lengths, sizes, seeds))
    # Seed by seed, so that a run that is stopped leaves whole comparisons.
    order = sorted(cells, key=lambda cell: seeds.index(cell[3]))
    found = {}
    for name, length, size, seed in tqdm(order, desc="scaling", unit="trial", disable=not progress):
        # The whole period is kept under one name, whether it was asked for or not.
        part = None if length == days_of(case) else length
        trial = Trial(shortened(case, part), nested(pool, size, seed), seed, kept, part)
        key = {"contender": name, "days": part, "sites": digest(trial.sites), "seed": seed}
        scores = kept.of(key, partial(_scores, name, trial))
        found[name, length, size, seed] = scores.where(held)
    coords = {"contender": names, "days": lengths, "size": list(sizes), "seed": list(seeds)}
    shape = (*(len(v) for v in coords.values()), *held.shape)
    result = xr.Dataset(
        {
            name: (
                (*coords, *held.dims),
                np.stack([found[cell][name].values for cell in cells]).reshape(shape),
            )
            for name in found[cells[0]].data_vars
        }
    )
    if days is None:
        result = result.isel(days=0)
        del coords["days"]
    return described(result.assign_coords(coords).assign_coords(held.coords), case, "scaling")


def _scores(name: str, trial: Trial) -> xr.Dataset:
    """The scores of every site, as plain values."""
    dims = trial.sites.dims
    found = scores_of(CONTENDERS[name](trial), trial.case)
    return xr.Dataset({k: (dims, v.transpose(*dims).values.astype(np.float64)) for k, v in found.items()})


def _check(
    case: Case,
    sizes: Sequence[int],
    days: Sequence[int] | None,
    contenders: Sequence[str] | None,
    seeds: Sequence[int],
    pool: int,
) -> list[str]:
    problems = Problems("scaling")
    usual = [name for name in CONTENDERS if name != "lstm" or case.alone is not None]
    names = usual if contenders is None else list(contenders)
    for name in names:
        if name not in CONTENDERS:
            known = ", ".join(CONTENDERS)
            problems.add("contenders", expected=f"some of {known}", got=repr(name), fix="leave it out")
    note_sizes(sizes, pool, problems)
    check_seeds(problems, seeds)
    longest = days_of(case)
    if days is not None and (not rising(days) or min(days) < 2 or max(days) > longest):
        problems.add(
            "days",
            expected=f"rising numbers from 2 to the {longest} days of the training period",
            got=repr(tuple(days)),
            fix="leave days out",
        )
    problems.raise_if_any()
    return names
