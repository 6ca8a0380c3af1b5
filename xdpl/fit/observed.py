"""The observed targets: found, with their units checked, a volume flow as a depth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from xdpl.labelled.area import per_area
from xdpl.labelled.lookup import check_units, in_units

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.errors import Problems
    from xdpl.fit.source import ParameterSource

__all__ = ["observed_targets"]


def observed_targets(
    source: ParameterSource,
    ds: xr.Dataset,
    variables: Mapping[str, str],
    forcings: Mapping[str, str] | None,
    problems: Problems,
    *,
    fix: Callable[[str, str], str],
) -> dict[str, xr.DataArray]:
    """The observations that simulated values are held against.

    Parameters
    ----------
    source : ParameterSource
    ds : Dataset
    variables : mapping of str to str
        For outputs of the model the variable with the observations, in any units that
        convert to those of the output.
    forcings : mapping of str to str, optional
        May name the ``area`` that a flow in m3 s-1 is divided by.
    problems : Problems
    fix : callable
        Output and variable to what to do if there is no such variable.

    Returns
    -------
    dict of str to DataArray
        In their own units, except for a volume flow, which comes in those of the output.

    Raises
    ------
    InputErrors
        If variables, their units or their area are missing or wrong, and with the
        problems noted before.
    """
    found = {}
    for output, variable in variables.items():
        if variable in ds:
            found[output] = _one(source, ds, variable, forcings, problems, output)
            continue
        problems.add(
            variable,
            expected="the observed target in the dataset",
            got="no such variable",
            fix=fix(output, variable),
        )
    problems.raise_if_any()
    return found


def _one(
    source: ParameterSource,
    ds: xr.Dataset,
    variable: str,
    forcings: Mapping[str, str] | None,
    problems: Problems,
    output: str,
) -> xr.DataArray:
    units = source.model.output(output).units
    observed, area = per_area(ds, variable, units, forcings, problems)
    if area:
        return in_units(observed, units, problems).assign_attrs(units=units)
    check_units(observed, units, problems)
    return observed
