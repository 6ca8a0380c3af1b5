"""Rows of a parameter dataset: its classes, or its cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl.export.static import plain
from xdpl.export.table import CLASS, CLASS_NAME
from xdpl.labelled.grid import Grid

if TYPE_CHECKING:
    from xdpl.errors import Problems

__all__ = ["CELL", "rows_of"]

#: The dim of rows that are cells.
CELL = "cell"


def rows_of(parameters: xr.Dataset, kind: str, problems: Problems) -> xr.Dataset:
    """Classes as they are, or the cells that have parameters, along a dim ``cell`` with all coordinates.

    Parameters
    ----------
    parameters : Dataset
    kind : {".csv", ".nml", ".tbl"}
    problems : Problems
        Takes a note of NaN beside values, and of coordinates that are missing or cannot be written.
    """
    there = plain(parameters)
    if CLASS in there.dims:
        return _classes(there, problems)
    grid = Grid.of(there, [str(k) for k in there.data_vars])
    for dim in grid.dims:
        if dim not in grid.coords:
            problems.add(
                dim,
                expected="a coordinate, so that cells can be told apart",
                got="none",
                fix=f"parameters.assign_coords({dim}=range({there.sizes[dim]}))",
            )
    # A scalar coordinate, such as the member that was chosen, tells no cells apart.
    coords = {str(k): c for k, c in grid.coords.items() if c.dims}
    _check_coords(coords, kind, problems)
    values = {str(k): grid.flatten(v) for k, v in there.data_vars.items()}
    every = np.stack(list(values.values()))
    whole, some = np.isfinite(every).all(axis=0), ~np.isnan(every).all(axis=0)
    if (some & ~whole).any() or not whole.any():
        first = int(np.flatnonzero(some & ~whole if some.any() else ~whole)[0])
        empty = [name for name, v in values.items() if not np.isfinite(v[first])]
        problems.add(
            empty[0],
            expected="values of all parameters, or of none, at each cell",
            got=f"no value at {grid.label(first)}" + ("" if whole.any() else ", and a whole cell nowhere"),
            fix="theta.where(theta.to_array().notnull().all('variable'))",
        )
    out = xr.Dataset({k: (CELL, v[whole], there[k].attrs) for k, v in values.items()})
    for name, coord in coords.items():
        flat = coord.broadcast_like(grid.unflatten(whole)).transpose(*grid.dims).values.reshape(-1)
        out = out.assign_coords({name: (CELL, flat[whole], coord.attrs)})
    return out


def _classes(parameters: xr.Dataset, problems: Problems) -> xr.Dataset:
    labels = parameters.indexes.get(CLASS)
    if labels is None or labels.dtype.kind not in "iu" or labels.has_duplicates:
        problems.add(
            CLASS, expected="a coordinate of distinct whole numbers", got="none or others", fix="by_class"
        )
    if CLASS_NAME in parameters.coords and (
        parameters[CLASS_NAME].dims != (CLASS,) or not _is_text(parameters[CLASS_NAME].values)
    ):
        problems.add(CLASS_NAME, expected="a name of each class", got="others", fix="by_class")
    for name, array in parameters.data_vars.items():
        if array.dims != (CLASS,):
            problems.add(str(name), expected=f"a dim {CLASS!r} only", got=str(array.dims), fix="by_class")
        elif not bool(np.isfinite(array.values).all()):
            wrong = [int(i) for i in np.flatnonzero(~np.isfinite(array.values))]
            problems.add(
                str(name),
                expected="a value of every class",
                got=f"none in rows {wrong}",
                fix=".dropna('class')",
            )
    return parameters


def _check_coords(coords: dict[str, xr.DataArray], kind: str, problems: Problems) -> None:
    texts = []
    for name, coord in coords.items():
        known = coord.dtype.kind in "iuf" or _is_text(coord.values)
        texts += [name] if _is_text(coord.values) else []
        if not known:
            problems.add(
                name, expected="numbers or texts", got=str(coord.dtype), fix=f'parameters.drop_vars("{name}")'
            )
    if kind == ".tbl" and len(texts) > 1:
        problems.add(
            texts[1],
            expected="one coordinate of texts: a row of a .TBL ends with one",
            got=", ".join(texts),
            fix=f'parameters.drop_vars("{texts[1]}")',
        )


def _is_text(values: np.ndarray) -> bool:
    return values.dtype.kind in "UT" or (
        values.dtype.kind == "O" and all(isinstance(v, str) and "\n" not in v for v in values.flat)
    )
