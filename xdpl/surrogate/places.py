"""Which sites a surrogate is trained on, and which it never sees."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl import units

if TYPE_CHECKING:
    from xdpl.surrogate.loop import Loop
    from xdpl.training.request import Inputs, Request

__all__ = ["Places"]


@dataclass(frozen=True)
class Places:
    """Sites by what they serve for, each bool over the site dims.

    Parameters
    ----------
    learned : DataArray
        Where parameters are learned.
    trained : DataArray
        Of which the surrogate is trained on runs.
    audited : DataArray
        Where it is audited: others, or the same, with other parameters, if there is one only.
    scored : DataArray
        Whose observations tell which round was best.
    """

    learned: xr.DataArray
    trained: xr.DataArray
    audited: xr.DataArray
    scored: xr.DataArray

    @classmethod
    def of(cls, inputs: Inputs, request: Request, loop: Loop) -> Places:
        """The sites of a request, some of them drawn at random with its seed."""
        usable = _usable(inputs)
        held = request.validate if isinstance(request.validate, xr.DataArray) else None
        learned = usable if request.sites is None else usable & request.sites
        learned = learned if held is None else learned & ~held
        generator = np.random.default_rng(request.seed)
        order = generator.permutation(np.flatnonzero(learned.values.ravel()))[: loop.sites]
        count = max(1, round(loop.held_out * order.size)) if loop.held_out and order.size > 1 else 0
        away, seen = order[:count], order[count:]
        return cls(
            learned,
            _mask(learned, seen),
            _mask(learned, away if count else seen),
            learned if held is None else usable & held,
        )


def _usable(inputs: Inputs) -> xr.DataArray:
    """Sites with forcings, attributes and an observation."""
    series = [f.data for f in (*inputs.forcings.values(), *inputs.targets.values())]
    known = [units.magnitude(v).notnull().any("time") for v in series]
    known += [units.magnitude(v).notnull() for v in inputs.attributes.values()]
    found = reduce(and_, known).reset_coords(drop=True).drop_attrs()
    return found.compute()


def _mask(like: xr.DataArray, chosen: np.ndarray) -> xr.DataArray:
    values = np.zeros(like.size, bool)
    values[chosen] = True
    return like.copy(data=values.reshape(like.shape))
