"""Columns of a table: their names, their units and their values as a land model reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from xdpl import units as u
from xdpl.export.table import CLASS, CLASS_NAME

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.errors import Problems

__all__ = ["check_mappings", "check_names", "converted"]

# What Fortran 2003 takes for the name of a variable.
_NAME = re.compile(r"^[A-Za-z]\w{0,62}$", re.ASCII)


def check_mappings(
    parameters: Sequence[str], names: Mapping[str, str], units: Mapping[str, str], problems: Problems
) -> None:
    """Note names and units of what is no parameter, and units that cannot be read."""
    for argument, mapping in (("names", names), ("units", units)):
        for key in mapping:
            if key not in parameters:
                problems.add(
                    f"{argument}[{key!r}]",
                    expected=f"one of {', '.join(parameters)}",
                    got=repr(key),
                    fix="remove it",
                )
    for key, said in units.items():
        try:
            u.parse(said)
        except u.UnitsError:
            problems.add(f"units[{key!r}]", expected="units that can be read", got=repr(said), fix='"m s-1"')


def check_names(labels: Sequence[str], columns: Sequence[str], problems: Problems) -> None:
    """Note names that Fortran cannot read, or that are there twice: it knows no small and large letters."""
    taken = {CLASS, CLASS_NAME}
    for name in (*(k for k in labels if k not in taken), *columns):
        if not _NAME.match(name):
            problems.add(
                name,
                expected="a name of letters, digits and underscores, of 63 at most, a letter first",
                got=repr(name),
                fix=f'names={{"{name}": "<another>"}}',
            )
        if name.lower() in taken:
            problems.add(
                name,
                expected="a name that no other column has, in small letters or large",
                got="one that is taken",
                fix=f'names={{"{name}": "<another>"}}',
            )
        taken.add(name.lower())


def converted(array: xr.DataArray, wanted: str | None, problems: Problems) -> tuple[np.ndarray, str]:
    """Values in float32, in units of the column or else their own; what float32 cannot hold is noted."""
    said = u.read(array) or ""
    values: Any = np.asarray(array.values, np.float64)
    if wanted is not None and wanted != said:
        try:
            slope, offset = u.linear(said, wanted)
        except u.UnitsError as error:
            problems.add(
                str(array.name),
                expected=f"units convertible to {wanted!r}",
                got=f"{said!r} ({error})",
                fix=f"leave {array.name!r} out of units, or name units of its kind",
            )
            return values, wanted
        values = values * slope + offset
    with np.errstate(over="ignore", under="ignore"):
        short = values.astype(np.float32)
    lost = ~np.isfinite(short) | ((short == 0) & (values != 0))
    if lost.any():
        problems.add(
            str(array.name),
            expected="numbers that float32 holds",
            got=f"{values[lost][0]:g} at {lost.sum()} rows",
            fix=f'units={{"{array.name}": "<units in which it is neither huge nor tiny>"}}',
        )
    return short, said if wanted is None else wanted
