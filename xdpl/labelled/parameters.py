"""Parameters given by a user: checked, converted and completed with defaults."""

from __future__ import annotations

import difflib
import numbers
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import xarray as xr
from array_api_compat import array_namespace

from xdpl.labelled.lookup import in_units

if TYPE_CHECKING:
    from xdpl.errors import Problems
    from xdpl.models import Model, Parameter

__all__ = ["check_bounds", "resolve"]


def resolve(
    model: Model, given: xr.Dataset | Mapping[str, Any] | None, problems: Problems
) -> tuple[dict[str, xr.DataArray], list[str]]:
    """Complete a parameter set.

    Parameters
    ----------
    model : Model
    given : Dataset or mapping of str to DataArray or number, optional
        Numbers are in declared units; arrays carry their units.
    problems : Problems
        Takes a note of unknown names, units and values out of bounds.

    Returns
    -------
    parameters : dict of str to DataArray
        Every declared parameter, in declared units.
    defaulted : list of str
        Names of those that took their default.
    """
    given = {} if given is None else given
    kind: Any = given
    if not isinstance(kind, xr.Dataset | Mapping):
        problems.add(
            "parameters",
            expected="a Dataset or a mapping of names to values",
            got=type(kind).__name__,
            fix='parameters={"<name>": value}',
        )
        given = {}
    declared = {p.name: p for p in model.parameters}
    names = given.data_vars if isinstance(given, xr.Dataset) else given
    for name in names:
        if name not in declared:
            close = difflib.get_close_matches(str(name), declared, n=1)
            problems.add(
                str(name),
                expected=f"a parameter of {model.name!r}: {', '.join(declared)}",
                got="an unknown name",
                fix=f"rename it to {close[0]!r}" if close else "drop it",
            )
    theta = {}
    for name, parameter in declared.items():
        value = given[name] if name in names else parameter.default
        theta[name] = _one(parameter, value, problems)
    return theta, [name for name in declared if name not in names]


def _one(parameter: Parameter, value: Any, problems: Problems) -> xr.DataArray:
    if isinstance(value, xr.DataArray):
        array = in_units(value, parameter.units, problems, subject=parameter.name)
    elif isinstance(value, numbers.Real):
        array = xr.DataArray(float(value))
    else:
        problems.add(
            parameter.name,
            expected="a DataArray with units or a number",
            got=type(value).__name__,
            fix="wrap it in xr.DataArray(values, dims=..., attrs={'units': ...})",
        )
        return xr.DataArray(parameter.default)
    check_bounds(parameter, array, problems)
    return array.reset_coords(drop=True)


def check_bounds(parameter: Parameter, array: xr.DataArray, problems: Problems) -> None:
    """Note values out of bounds, of arrays that are not lazy."""
    # Lazy parameters are not computed for a check.
    if array.chunks:
        return
    values: Any = array.data
    xp = array_namespace(values)
    # float32 values at a bound must not fail for their rounding.
    slack = 1e-6 * max(abs(parameter.lower), abs(parameter.upper))
    outside = (values < parameter.lower - slack) | (values > parameter.upper + slack)
    if bool(xp.any(outside)):
        where = xp.nonzero(xp.reshape(outside, (-1,)))[0]
        problems.add(
            parameter.name,
            expected=f"values in [{parameter.lower:g}, {parameter.upper:g}] {parameter.units}",
            got=f"{where.shape[0]} outside, such as {float(xp.reshape(values, (-1,))[int(where[0])]):g}",
            fix=f'theta["{parameter.name}"].clip({parameter.lower:g}, {parameter.upper:g})',
        )
