"""Read parameters from the tables of land models."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from xdpl import units as u
from xdpl.errors import Problems
from xdpl.export import comma, namelist, parm
from xdpl.export.onto import cells_onto, classes_onto
from xdpl.export.rows import CELL
from xdpl.export.table import CLASS, Malformed, Table

__all__ = ["read_table"]

_PARSERS = {".csv": comma.parsed, ".nml": namelist.parsed, ".tbl": parm.parsed}


def read_table(
    path: str | os.PathLike[str],
    *,
    onto: xr.DataArray | None = None,
    names: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    drop: Sequence[str] = (),
    name: str | None = None,
) -> xr.Dataset:
    """Read a table of parameters, and put its rows onto cells.

    Parameters
    ----------
    path : path
        A file of `to_table`, or another of its formats: ``.csv``, ``.nml`` or ``.TBL``.
    onto : DataArray, optional
        Of a table of classes, the class of each cell, as `by` of `to_table`. Of a table of cells, any field
        over their dims, with coordinates.
    names : mapping of str to str, optional
        Names of columns, by parameter, as given to `to_table`.
    units : mapping of str to str, optional
        Units of columns, by parameter: needed where the file does not say them.
    drop : sequence of str, optional
        Columns that are left out, such as those of a stock table that are no parameters here.
    name : str, optional
        Group of the namelist or classification of the ``.TBL``, if there are several.

    Returns
    -------
    Dataset
        Parameters in float32, in the units of the file, for `xdpl.simulate`. With `onto` over its dims, NaN
        where it is negative or the table has no such cell. Else over ``class``, with ``class_name``, or
        over ``cell`` with its coordinates.

    Raises
    ------
    InputErrors
        If the file is missing or no such table; if a column has no units, or others than `units` say; if
        `onto` has classes or cells that do not fit.
    """
    problems = Problems("read_table")
    path = Path(path)
    table = _parsed(path, name, problems)
    names, given = dict(names or {}), dict(units or {})
    for column in dict.fromkeys(drop):
        if column not in table.columns:
            problems.add("drop", expected=_listed(table.columns), got=repr(column), fix="leave it out")
    for key, column in names.items():
        if column not in table.columns:
            problems.add(
                f"names[{key!r}]", expected=_listed(table.columns), got=repr(column), fix="leave it out"
            )
    of = {column: key for key, column in names.items()}
    columns = {of.get(k, k): k for k in table.columns if k not in drop}
    for key in (k for k in names if k in table.columns and names[k] != k and k not in (*drop, *of)):
        problems.add(f"names[{key!r}]", expected="one column for it", got="two", fix=f"drop=[{key!r}]")
    for key in given.keys() - columns.keys() - names.keys():
        problems.add(f"units[{key!r}]", expected=_listed(columns), got=repr(key), fix="leave it out")
    found = {
        key: _one(key, table.columns[column], table.units.get(column), given.get(key), problems)
        for key, column in columns.items()
    }
    problems.raise_if_any()
    rows = _rows(table, found)
    if onto is None:
        return rows
    out = classes_onto(rows, onto, problems) if table.of_classes else cells_onto(rows, onto, problems)
    out.attrs["title"] = f"parameters of {path.name}"
    return out


def _parsed(path: Path, name: str | None, problems: Problems) -> Table:
    parser = _PARSERS.get(path.suffix.lower())
    if parser is None:
        problems.add("path", expected=".csv, .nml or .TBL", got=repr(path.name), fix="name it so")
    elif not path.is_file():
        problems.add(str(path), expected="a table", got="nothing there", fix="name another")
    problems.raise_if_any()
    assert parser is not None
    try:
        table = parser(path.read_text("utf8"), name)
    except (Malformed, UnicodeDecodeError) as error:
        wrong = error if isinstance(error, Malformed) else Malformed("text", str(error))
        problems.add(str(path), expected=wrong.expected, got=wrong.got, fix="take a sound copy, or name=")
        problems.raise_all()
    labels = table.labels.get(CLASS)
    if labels is not None and (labels.dtype.kind != "i" or len(set(labels.tolist())) < len(labels)):
        got = ", ".join(map(str, labels))
        problems.add(str(path), expected="distinct whole numbers of classes", got=got, fix="number them")
    return table


def _one(
    key: str, values: np.ndarray, said: str | None, given: str | None, problems: Problems
) -> xr.DataArray:
    units = given if said is None else said
    if units is None:
        fix = f'units={{"{key}": "<its units>"}}, or drop=["{key}"]'
        problems.add(key, expected="units, in the file or in units", got="none", fix=fix)
        return xr.DataArray(values, dims="row")
    try:
        parsed = u.parse(units)
        if given is not None and u.parse(given) != parsed:
            problems.add(
                f"units[{key!r}]", expected=f"{said!r}, as the file says", got=repr(given), fix="leave it out"
            )
    except u.UnitsError as error:
        problems.add(key, expected="units that can be read", got=str(error), fix=f'units={{"{key}": "1"}}')
    if not np.isfinite(values).all():
        problems.add(key, expected="a number in every row", got="NaN or infinite", fix="take a sound copy")
    return xr.DataArray(values, dims="row", attrs={"units": units})


def _rows(table: Table, found: Mapping[str, xr.DataArray]) -> xr.Dataset:
    dim = CLASS if table.of_classes else CELL
    coords = {k: (dim, v) for k, v in table.labels.items()}
    return xr.Dataset({k: (dim, v.values, v.attrs) for k, v in found.items()}, coords)


def _listed(names: Mapping[str, object]) -> str:
    return f"one of {', '.join(map(str, names))}"
