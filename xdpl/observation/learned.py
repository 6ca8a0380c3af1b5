"""What observation operators learned, with the labels of the sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl.labelled.attrs import provenance
from xdpl.labelled.grid import Grid
from xdpl.observation.base import Operator
from xdpl.observation.frozen import Frozen, frozen_values

if TYPE_CHECKING:
    from xdpl.models import Model

__all__ = ["learned"]


def learned(
    model: Model,
    operators: Mapping[str, Operator],
    values: Mapping[str, Mapping[str, np.ndarray]],
    sites: np.ndarray,
    grid: Grid,
    period: Sequence[str],
) -> xr.Dataset:
    """Scale and offset of every target that has some, as `Fit.observation` has them.

    Parameters
    ----------
    model : Model
    operators : mapping of str to Operator
    values : mapping of str to mapping of str to ndarray, (site,) or (1,)
        Scale and offset that were trained, of the sites that were kept.
    sites : ndarray of int
        Where the kept sites are in the grid.
    grid : Grid
    period : sequence of str
        First and last date with a loss.
    """
    out = xr.Dataset()
    for name, operator in operators.items():
        units = model.output(name).units
        said = {"scale": ("1", "scale"), "offset": (units, "offset")}
        for part, (unit, what) in said.items():
            array = _labelled(operator, part, units, values.get(name, {}), sites, grid)
            if array is not None:
                attrs = {"units": unit, "long_name": f"{what} from simulated to observed {name}"}
                out[f"{name}_{part}"] = array.drop_attrs(deep=False).assign_attrs(attrs)
    out.attrs = provenance(f"observation operators of {model.name}", model)
    out.attrs |= {f"operator_{k}": operator.describe() for k, operator in operators.items()}
    out.attrs["period"] = list(period)
    return out


def _labelled(
    operator: Operator,
    part: str,
    units: str,
    trained: Mapping[str, np.ndarray],
    sites: np.ndarray,
    grid: Grid,
) -> xr.DataArray | None:
    if isinstance(operator, Frozen):
        given = getattr(operator, part)
        values = frozen_values(operator, units, grid)[part == "offset"]
        return grid.unflatten(values) if isinstance(given, xr.DataArray) else xr.DataArray(float(given))
    if part not in trained:
        return None
    if not operator.per_site:
        return xr.DataArray(float(trained[part][0]))
    whole = np.full(grid.size, np.nan)
    whole[sites] = trained[part]
    return grid.unflatten(whole)
