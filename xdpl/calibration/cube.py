"""The unit cube that optimisers search, and the parameters its points stand for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_torch_array

from xdpl.models import Parameter
from xdpl.models.ordering import Ordering

__all__ = ["Cube"]

Array = Any


@dataclass(frozen=True)
class Cube:
    """Parameters between their bounds, on their linear or logarithmic scale.

    Parameters
    ----------
    free : tuple of Parameter
        Those that are calibrated, one axis of the cube each.
    ordering : Ordering
        What keeps an order.
    """

    free: tuple[Parameter, ...]
    ordering: Ordering = field(default_factory=Ordering)

    def values(self, points: Array) -> dict[str, Array]:
        """Parameters of points.

        Parameters
        ----------
        points : array, (..., parameter)
            From 0, the lower bound, to 1, the upper one.

        Returns
        -------
        dict of str to array, (...)
            In declared units.
        """
        xp = array_namespace(points)
        found = {}
        for i, p in enumerate(self.free):
            share = points[..., i]
            if p.scale == "log":
                value = xp.exp(math.log(p.lower) + share * math.log(p.upper / p.lower))
            else:
                value = p.lower + share * (p.upper - p.lower)
            # In single precision exp(log(5000)) is above 5000.
            found[p.name] = xp.clip(value, p.lower, p.upper)
        return self.ordering.apply(found) if self.ordering else found

    def points(self, values: Mapping[str, Array]) -> Array:
        """Points (..., parameter) of parameters in declared units, as `values` reads them.

        Of tensors they have gradients; everything else becomes an array of numpy.
        """
        plain = {k: v if is_torch_array(v) else np.asarray(v) for k, v in values.items()}
        plain = self.ordering.invert(plain)
        xp = array_namespace(*(plain[p.name] for p in self.free))
        columns = [
            xp.log(plain[p.name] / p.lower) / math.log(p.upper / p.lower)
            if p.scale == "log"
            else (plain[p.name] - p.lower) / (p.upper - p.lower)
            for p in self.free
        ]
        return xp.clip(xp.stack(columns, axis=-1), 0.0, 1.0)

    @property
    def default(self) -> np.ndarray:
        """The point (parameter,) of the defaults."""
        found: np.ndarray = self.points({p.name: np.asarray(p.default) for p in self.free})
        return found
