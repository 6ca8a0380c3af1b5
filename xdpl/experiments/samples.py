"""Which sites train and which are predicted."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import xarray as xr

from xdpl.errors import Problems
from xdpl.experiments.case import Case

__all__ = ["halved", "held_out_sites", "nested", "note_sizes", "rising"]


def held_out_sites(case: Case, count: int, call: str) -> tuple[xr.DataArray, xr.DataArray]:
    """Sites to train on and sites to predict, drawn once and for all.

    Parameters
    ----------
    case : Case
    count : int
        Sites to predict.
    call : str
        For the error.

    Returns
    -------
    pool, held_out : DataArray of bool, over the site dims

    Raises
    ------
    InputErrors
        If fewer than two sites would be left to train on.
    """
    usable = case.usable()
    total = int(usable.sum())
    if not 1 <= count <= total - 2:
        problems = Problems(call)
        problems.add(
            "held_out",
            expected=f"1 to {total - 2} of the {total} sites that can take part",
            got=repr(count),
            fix=f"held_out={max(1, total // 4)}",
        )
        problems.raise_all()
    # The same for all seeds: they differ in what is trained on, not in what is asked.
    held = _choose(usable, np.random.default_rng(0).permutation(total)[:count])
    return usable & ~held, held


def halved(pool: int, fewest: int = 10) -> tuple[int, ...]:
    """Numbers of sites, each half of the next, from all of a pool down to a few."""
    sizes = [pool]
    while round(sizes[-1] / 2) >= min(fewest, pool):
        sizes.append(round(sizes[-1] / 2))
    return tuple(reversed(sizes))


def rising(numbers: Sequence[int]) -> bool:
    """Whether there are numbers, each larger than the one before."""
    return len(numbers) > 0 and all(a < b for a, b in itertools.pairwise(numbers))


def note_sizes(sizes: Sequence[int], most: int, problems: Problems) -> None:
    """Note numbers of sites below 2, above what there are, or not in order."""
    if not rising(sizes) or min(sizes) < 2 or max(sizes) > most:
        problems.add(
            "sizes",
            expected=f"rising numbers of sites from 2 to the {most} that can be trained on",
            got=repr(tuple(sizes)),
            fix=f"sizes=({max(2, most // 2)}, {most})",
        )


def nested(pool: xr.DataArray, size: int, seed: int) -> xr.DataArray:
    """The first sites of a random order of a pool: a smaller sample lies within a larger one."""
    order = np.random.default_rng([seed, 1]).permutation(int(pool.sum()))
    return _choose(pool, order[:size])


def _choose(mask: xr.DataArray, places: np.ndarray) -> xr.DataArray:
    """Some of the sites of a mask, by their places among its sites in the order of sorted dims."""
    ordered = mask.transpose(*sorted(mask.dims, key=str))
    sites = np.flatnonzero(ordered.values.ravel())[places]
    chosen = np.zeros(ordered.size, bool)
    chosen[sites] = True
    return ordered.copy(data=chosen.reshape(ordered.shape)).transpose(*mask.dims)
