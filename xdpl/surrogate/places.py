"""Which sites a surrogate is trained on, and which it never sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

if TYPE_CHECKING:
    from xdpl.labelled.grid import Grid
    from xdpl.surrogate.loop import Loop
    from xdpl.training.arrays import Arrays

__all__ = ["PAIRS", "Places", "rows"]

#: Sites, or pairs of sites and parameter sets, from which correlations can be told.
PAIRS = 40


@dataclass(frozen=True)
class Places:
    """Sites by what they serve for, each bool over the site dims, which are in the order of their names.

    Parameters
    ----------
    learned : DataArray
        Where parameters are learned.
    trained : DataArray
        Of which the surrogate is trained on runs.
    audited : DataArray
        Where it is audited over the bounds: others, or the same, with other parameters, if there is one
        only.
    estimated : DataArray
        Where it is audited at what was learned: those, and others where they are few, which the surrogate
        has seen with other parameters.
    scored : DataArray
        Whose observations tell which round was best.
    """

    learned: xr.DataArray
    trained: xr.DataArray
    audited: xr.DataArray
    estimated: xr.DataArray
    scored: xr.DataArray

    @classmethod
    def of(cls, grid: Grid, arrays: Arrays, loop: Loop, seed: int) -> Places:
        """Some of the sites of a training, drawn at random with its seed."""
        kept = np.flatnonzero(arrays.kept)
        learned = kept[arrays.training]
        order = np.random.default_rng(seed).permutation(learned)[: loop.sites]
        # One is left to train on.
        count = min(max(1, round(loop.held_out * order.size)), order.size - 1) if loop.held_out else 0
        away, seen = order[:count], order[count:]
        estimated = order[: max(count, PAIRS)]
        chosen = (learned, seen, away if count else seen, estimated, kept[arrays.validating])
        return cls(*(_mask(grid, sites) for sites in chosen))


def rows(sites: xr.DataArray) -> dict[str, np.ndarray]:
    """Positions along each site dim at which there is one of some sites (*site dims)."""
    return {str(d): np.flatnonzero(sites.any([e for e in sites.dims if e != d]).values) for d in sites.dims}


def _mask(grid: Grid, chosen: np.ndarray) -> xr.DataArray:
    values = np.zeros(grid.size, bool)
    values[chosen] = True
    return grid.unflatten(values).reset_coords(drop=True)
