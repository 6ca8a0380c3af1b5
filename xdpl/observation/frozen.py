"""A scale and an offset that are known, and not trained."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.labelled.grid import Grid
from xdpl.observation.base import Operator, plain_array

__all__ = ["Frozen", "frozen_values"]


@dataclass(frozen=True, eq=False)
class Frozen(Operator):
    """Compare scale × simulated + offset, both given.

    Parameters
    ----------
    scale : float or DataArray
        Without units. Finite and not zero; over some or all of the site dims, if an array.
    offset : float or DataArray
        A number is in the units of the model output; an array says its units, of which only
        the size counts: 1 degC is 1 K. Finite.

    Raises
    ------
    ValueError
        If a number is not finite, or the scale is zero.
    """

    scale: float | xr.DataArray = 1.0
    offset: float | xr.DataArray = 0.0

    kind: ClassVar[str] = "frozen"

    def __post_init__(self) -> None:
        for name in ("scale", "offset"):
            value: Any = getattr(self, name)
            if isinstance(value, xr.DataArray):
                continue
            number = isinstance(value, Real) and not isinstance(value, bool)
            if not number or not math.isfinite(value) or (name == "scale" and value == 0):
                wanted = "a finite number other than 0" if name == "scale" else "a finite number"
                msg = f"{name} must be {wanted} or a DataArray, got {value!r}"
                raise ValueError(msg)
            object.__setattr__(self, name, float(value))

    def to_dict(self) -> dict[str, Any]:
        """Plain values; arrays as `DataArray.to_dict` has them, with the coordinates of their dims."""
        return {"kind": self.kind, "scale": plain_array(self.scale), "offset": plain_array(self.offset)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Frozen:
        """Inverse of `to_dict`."""
        scale, offset = (
            xr.DataArray.from_dict(v) if isinstance(v, Mapping) else v
            for v in (values["scale"], values["offset"])
        )
        return cls(scale, offset)

    def describe(self) -> str:
        """One line for people."""
        said = {
            name: f"over {', '.join(map(str, v.dims))}" if isinstance(v, xr.DataArray) else f"{v:g}"
            for name, v in (("scale", self.scale), ("offset", self.offset))
        }
        return f"frozen, scale {said['scale']}, offset {said['offset']}"


def frozen_values(operator: Frozen, target_units: str, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Scale and offset (site,) of all sites of a grid, without units and in those of the target."""
    found = []
    for value, wanted in ((operator.scale, "1"), (operator.offset, target_units)):
        if not isinstance(value, xr.DataArray):
            found.append(np.full(grid.size, value))
            continue
        # A difference of temperatures has a size, and no zero.
        slope, _ = units.linear(str(units.read(value)), wanted)
        found.append(grid.flatten(units.magnitude(value)) * slope)
    return found[0], found[1]
