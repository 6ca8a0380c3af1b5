"""How far a result depends on which held-out sites and which seeds there were."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from xdpl.errors import Problems

__all__ = ["at_scored_sites", "drawn"]

_RESAMPLES = 1000


def at_scored_sites(score: xr.DataArray, dims: tuple[str, ...], call: str) -> np.ndarray:
    """A score as values (*dims, site), of the sites where every trial has one.

    Parameters
    ----------
    score : DataArray
        Over some dims and those of sites.
    dims : tuple of str
        All but those of sites, in the order of the result.
    call : str
        For the error.

    Raises
    ------
    InputErrors
        If there is no such site.
    """
    sites = [d for d in score.dims if d not in dims]
    found: np.ndarray = score.stack(held=sites).transpose(*dims, "held").dropna("held", how="any").values
    if not found.shape[-1]:
        problems = Problems(call)
        problems.add(
            str(score.name),
            expected="held-out sites where every trial has a score",
            got="none",
            fix="held_out=... for more of them, or a longer case.test",
        )
        problems.raise_all()
    return found


def drawn(values: np.ndarray) -> Iterator[np.ndarray]:
    """Values (..., seed, site) with seeds and sites drawn with replacement, a thousand times."""
    generator = np.random.default_rng(0)
    seeds, held = values.shape[-2:]
    for _ in range(_RESAMPLES):
        some = generator.integers(seeds, size=(seeds, 1))
        yield values[..., some, generator.integers(held, size=held)]
