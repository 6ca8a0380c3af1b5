"""A lazy dataset as a list of rectangles of whole blocks."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.errors import Problems

__all__ = ["Region", "block_sizes", "regions"]

Region = dict[str, slice]


def block_sizes(ds: xr.Dataset, problems: Problems) -> dict[str, int]:
    """Length of a block along every dim.

    Parameters
    ----------
    ds : Dataset
    problems : Problems
        Takes a note of blocks of unequal length, which no store of equal chunks can take.
    """
    sizes = {}
    for dim, length in ds.sizes.items():
        chunks = [array.chunksizes[dim] for array in ds.variables.values() if dim in array.chunksizes]
        chunks = list(dict.fromkeys(chunks)) or [(length,)]
        sizes[str(dim)] = max(chunks[0], default=1) or 1
        ragged = any(c != chunks[0][0] for c in chunks[0][:-1]) or chunks[0][-1] > chunks[0][0]
        if len(chunks) > 1 or ragged:
            problems.add(
                str(dim),
                expected="blocks of one length, the last one shorter",
                got=" and ".join(f"{c[:4]}{'...' * (len(c) > 4)}" for c in chunks),
                fix=f"ds.chunk({dim}={sizes[str(dim)]})",
            )
    return sizes


def regions(ds: xr.Dataset, blocks: dict[str, int], at_once: int) -> list[Region]:
    """Rectangles of at most `at_once` blocks that together cover the dataset."""
    counts = {d: -(-ds.sizes[d] // n) for d, n in blocks.items() if ds.sizes[d] > n}
    steps = {}
    for dim, count in sorted(counts.items(), key=lambda item: -item[1]):
        together = min(count, at_once)
        at_once //= together
        steps[dim] = together * blocks[dim]
    parts = [
        [(dim, slice(i, min(i + step, ds.sizes[dim]))) for i in range(0, ds.sizes[dim], step)]
        for dim, step in steps.items()
    ]
    return [dict(region) for region in itertools.product(*parts)]
