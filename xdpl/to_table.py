"""Write parameters as a table that a land model reads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr

from xdpl.errors import Problems
from xdpl.export import comma, namelist, parm
from xdpl.export.by_class import by_class
from xdpl.export.columns import check_mappings, check_names, converted
from xdpl.export.rows import rows_of
from xdpl.export.static import check_static_parameters
from xdpl.export.table import CLASS, CLASS_NAME, Table

__all__ = ["FORMATS", "to_table"]

#: Ends of file names, in small letters.
FORMATS = (".csv", ".nml", ".tbl")
_WORD = {".nml": "parameters", ".tbl": "XDPL"}


def to_table(
    ds: xr.Dataset,
    path: str | os.PathLike[str],
    *,
    by: xr.DataArray | None = None,
    statistic: str = "median",
    weights: xr.DataArray | None = None,
    names: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    title: str = "Parameters",
    name: str | None = None,
) -> xr.Dataset:
    """Write parameters as a table: a row for each class of cells, or for each cell.

    Parameters
    ----------
    ds : Dataset
        Parameters over site dims, with units, such as of `Fit.parameters`; or over a dim ``class`` with whole
        numbers and, if there are some, names ``class_name``, such as one statistic of `by_class`.
    path : path
        ``.csv``: a head line with names and units. ``.nml``: a Fortran namelist with an array for each
        parameter. ``.TBL``: the manner of SOILPARM.TBL of Noah, in which a column is found by its place, so
        that the variables have to be in the order that the land model reads.
    by : DataArray of int, optional
        Class of each cell, as for `by_class`. Without it there is a row for each cell, with its coordinates;
        cells where every parameter is NaN are no sites, and have none.
    statistic : {"median", "mean"}
        Of the cells of a class.
    weights : DataArray, optional
        Of cells in a class, as for `by_class`.
    names : mapping of str to str, optional
        Names of columns, by parameter; its own name if not given.
    units : mapping of str to str, optional
        Units of columns, by parameter; its own units if not given.
    title : str
        First line of a ``.TBL``, followed by what the rows are and the units; comment above a namelist.
    name : str, optional
        One word: the group of a namelist, ``parameters`` if not given; the classification in a ``.TBL``,
        such as ``STAS``, ``XDPL`` if not given.

    Returns
    -------
    Dataset
        With `by`, what `by_class` returns: how many cells each class has, and what is lost in it. Else the
        rows. In the names and units of `ds`.

    Raises
    ------
    InputErrors
        As `by_class`; if something exists at `path`; if a cell has some parameters and others NaN; if a
        name is none for Fortran; if the classes of a ``.TBL`` are not numbered 1, 2, 3 and so on, since
        Noah goes by the row; if float32 does not hold a value.

    Notes
    -----
    Values are rounded to float32, the ``real`` of a land model, and written in the fewest digits that give
    it back.
    """
    problems = Problems("to_table")
    path = Path(path)
    kind = path.suffix.lower()
    _check_call(path, kind, by, statistic, weights, title, name, problems)
    check_static_parameters(ds, problems)
    variables = [str(k) for k in ds.data_vars]
    names, units = dict(names or {}), dict(units or {})
    check_mappings(variables, names, units, problems)
    problems.raise_if_any()
    if by is None:
        found = rows = rows_of(ds, kind, problems)
    else:
        found = by_class(ds, by, weights=weights)
        rows = found.sel(statistic=statistic, drop=True)
    problems.raise_if_any()
    table = _table(rows, names, units, problems)
    check_names(list(table.labels), list(table.columns), problems)
    if kind == ".tbl" and table.of_classes:
        _check_numbers(table.labels[CLASS], problems)
    problems.raise_if_any()
    word = name or _WORD.get(kind, "")
    content = {
        ".csv": lambda: comma.text(table),
        ".nml": lambda: namelist.text(table, title, word),
        ".tbl": lambda: parm.text(table, title, word),
    }[kind]()
    path.write_text(content, "utf8", newline="\n")
    return found


def _table(rows: xr.Dataset, names: Mapping[str, str], units: Mapping[str, str], problems: Problems) -> Table:
    classes = CLASS in rows.dims
    kept = (CLASS, CLASS_NAME) if classes else rows.coords
    labels = {str(k): rows[k].values for k in kept if k in rows.coords}
    values, said = {}, {}
    for key, array in rows.data_vars.items():
        column = names.get(str(key), str(key))
        if column in values:
            problems.add(
                column,
                expected="a column for each parameter",
                got="two",
                fix=f'names={{"{key}": "<another>"}}',
            )
        values[column], said[column] = converted(array, units.get(str(key)), problems)
    return Table(labels, values, said)


def _check_numbers(labels: np.ndarray, problems: Problems) -> None:
    expected = np.arange(1, len(labels) + 1)
    if not np.array_equal(labels, expected):
        problems.add(
            "by",
            expected="classes 1, 2, 3 and so on without gaps: Noah goes by the row of a .TBL",
            got=", ".join(map(str, labels)),
            fix="number them so, or take rows of other classes from another table",
        )


def _check_call(
    path: Path,
    kind: str,
    by: xr.DataArray | None,
    statistic: str,
    weights: xr.DataArray | None,
    title: str,
    name: str | None,
    problems: Problems,
) -> None:
    if kind not in FORMATS:
        problems.add("path", expected=".csv, .nml or .TBL", got=repr(path.name), fix='path="SOILPARM.TBL"')
    elif path.exists():
        problems.add(
            str(path), expected="a path where nothing is", got="a file", fix="choose another, or remove it"
        )
    elif not path.parent.is_dir():
        problems.add(str(path), expected="a folder that is there", got="none", fix="path.parent.mkdir()")
    if statistic not in ("median", "mean"):
        problems.add("statistic", expected="median or mean", got=repr(statistic), fix='statistic="median"')
    if by is None and (weights is not None or statistic != "median"):
        problems.add(
            "by", expected="classes, for a statistic or weights", got="none", fix='by=ds["soil_class"]'
        )
    if "\n" in title or not title.strip():
        problems.add("title", expected="one line", got=repr(title), fix='title="Soil Parameters"')
    if name is not None and (kind == ".csv" or not name.replace("-", "_").isidentifier()):
        expected = "none: a .csv has no place for it" if kind == ".csv" else "one word of letters and digits"
        problems.add("name", expected=expected, got=repr(name), fix="leave name out")
