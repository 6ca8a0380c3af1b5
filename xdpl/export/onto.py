"""Rows of a table put onto cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from xdpl.export.classes import check_classes, class_names
from xdpl.export.rows import CELL
from xdpl.export.table import CLASS, CLASS_NAME
from xdpl.labelled.grid import Grid
from xdpl.labelled.host import on_host

if TYPE_CHECKING:
    from xdpl.errors import Problems

__all__ = ["cells_onto", "classes_onto"]


def classes_onto(rows: xr.Dataset, onto: xr.DataArray, problems: Problems) -> xr.Dataset:
    """Each cell with the row of its class; NaN where it has none.

    Raises
    ------
    InputErrors
        If there are classes without a row, or of another name.
    """
    check_classes(onto, problems, "onto")
    problems.raise_if_any()
    onto = on_host(onto).compute()
    names = class_names(onto, problems, "onto")
    labels = onto.values
    there = rows[CLASS].values.tolist()
    missing = [v for v in np.unique(labels[labels >= 0]).tolist() if v not in there]
    if missing:
        problems.add(
            "onto",
            expected=f"classes of the table: {', '.join(map(str, there))}",
            got=", ".join(f"{names.get(v, v)} ({v})" for v in missing),
            fix="label these cells -1, or add rows",
        )
    if CLASS_NAME in rows.coords and "flag_meanings" in onto.attrs:
        said = dict(zip(there, rows[CLASS_NAME].values.tolist(), strict=True))
        for v in sorted(set(there) & names.keys()):
            if said[v] != names[v]:
                problems.add(
                    "onto",
                    expected=f"the name {said[v]!r} of class {v}, as in the table",
                    got=repr(names[v]),
                    fix="number classes alike",
                )
    problems.raise_if_any()
    place = pd.Index(rows[CLASS].values).get_indexer(labels.reshape(-1))
    return _placed(rows, np.where(labels.reshape(-1) >= 0, place, -1), onto)


def cells_onto(rows: xr.Dataset, onto: xr.DataArray, problems: Problems) -> xr.Dataset:
    """Each row at the cell of its coordinates; NaN at other cells.

    Raises
    ------
    InputErrors
        If a coordinate is missing, or a row has no cell or one that another row has.
    """
    for dim in onto.dims:
        if dim not in onto.coords or dim not in rows.coords:
            problems.add(
                "onto",
                expected=f"dims with coordinates that the table has: {', '.join(map(str, rows.coords))}",
                got=f"{dim!r}",
                fix="a field over the dims of the cells",
            )
    problems.raise_if_any()
    grid = Grid.of(onto.to_dataset(name="onto"), ["onto"])
    place = np.zeros(rows.sizes[CELL], np.int64)
    for dim in grid.dims:
        index = onto.indexes[dim]
        # As written: a float32 coordinate reads as a float64 beside it.
        labels = rows[dim].values.astype(str if index.dtype.kind in "OUT" else index.dtype)
        found = index.get_indexer(pd.Index(labels))
        wrong = np.flatnonzero(found < 0)
        if wrong.size:
            problems.add(
                "onto",
                expected=f"{dim} of all rows",
                got=f"no {rows[dim].values[wrong[0]]}, nor {wrong.size - 1} others",
                fix="a field over all cells of the table",
            )
        place = place * len(index) + found
    problems.raise_if_any()
    if len(set(place.tolist())) < place.size:
        problems.add("onto", expected="one row for each cell", got="several", fix="a field over all dims")
        problems.raise_all()
    row = np.full(grid.size, -1)
    row[place] = np.arange(place.size)
    return _placed(rows, row, onto)


def _placed(rows: xr.Dataset, row: np.ndarray, onto: xr.DataArray) -> xr.Dataset:
    """Values of a row for each cell, of none where that is negative."""
    coords = {k: c for k, c in onto.coords.items() if c.dims}
    out = xr.Dataset(coords=coords)
    for name, array in rows.data_vars.items():
        values = np.where(row >= 0, array.values[row], np.float32(np.nan)).reshape(onto.shape)
        out[name] = (onto.dims, values, array.attrs)
    return out.drop_encoding()
