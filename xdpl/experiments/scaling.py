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
from xdpl.experiments.kept import Kept
from xdpl.experiments.periods import shortened, years_of
from xdpl.experiments.samples import held_out_sites, nested

__all__ = ["scaling"]


def scaling(
    case: Case,
    *,
    sizes: Sequence[int] = (10, 20, 39, 78, 156, 312),
    years: Sequence[int] | None = None,
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
    sizes : sequence of int
        Numbers of training sites.
    years : sequence of int, optional
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
        ``score`` (contender, [years,] size, seed, *site dims) in the test period, NaN at sites
        that are not held out.

    Raises
    ------
    InputErrors
        If there are too few sites, or a contender is not known.
    """
    pool, held = held_out_sites(case, held_out, "scaling")
    names = _check(case, sizes, years, contenders, int(pool.sum()))
    kept = Kept(None if out is None else Path(out), case)
    lengths = [None] if years is None else list(years)
    cells = list(itertools.product(names, lengths, sizes, seeds))
    # Seed by seed, so that a run that is stopped leaves whole comparisons.
    order = sorted(cells, key=lambda cell: seeds.index(cell[3]))
    found = {}
    for name, length, size, seed in tqdm(order, desc="scaling", unit="trial", disable=not progress):
        trial = Trial(shortened(case, length), nested(pool, size, seed), seed, kept, length)
        key = {"contender": name, "years": length, "size": size, "seed": seed}
        scores = kept.of(key, partial(_scores, name, trial))
        found[name, length, size, seed] = scores[case.score].where(held).values
    coords = {"contender": names, "years": lengths, "size": list(sizes), "seed": list(seeds)}
    shape = (*(len(v) for v in coords.values()), *held.shape)
    values = np.stack([found[cell] for cell in cells]).reshape(shape)
    result = xr.Dataset({"score": ((*coords, *held.dims), values)})
    if years is None:
        result = result.isel(years=0)
        del coords["years"]
    return described(result.assign_coords(coords).assign_coords(held.coords), case, "scaling")


def _scores(name: str, trial: Trial) -> xr.Dataset:
    """The score of every site, as plain values."""
    score, dims = trial.case.score, trial.sites.dims
    found = CONTENDERS[name](trial)[score].transpose(*dims)
    return xr.Dataset({score: (dims, found.values.astype(np.float64))})


def _check(
    case: Case,
    sizes: Sequence[int],
    years: Sequence[int] | None,
    contenders: Sequence[str] | None,
    pool: int,
) -> list[str]:
    problems = Problems("scaling")
    usual = [name for name in CONTENDERS if name != "lstm" or case.alone is not None]
    names = usual if contenders is None else list(contenders)
    for name in names:
        if name not in CONTENDERS:
            known = ", ".join(CONTENDERS)
            problems.add("contenders", expected=f"some of {known}", got=repr(name), fix="leave it out")
    if not sizes or min(sizes) < 2 or max(sizes) > pool:
        problems.add(
            "sizes",
            expected=f"numbers of sites from 2 to the {pool} that are not held out",
            got=repr(tuple(sizes)),
            fix="other sizes, or fewer held_out",
        )
    longest = years_of(case)
    if years is not None and (not years or min(years) < 1 or max(years) > longest):
        problems.add(
            "years",
            expected=f"whole years from 1 to the {longest} of the training period",
            got=repr(tuple(years)),
            fix="leave years out",
        )
    problems.raise_if_any()
    return names
