"""The observed target of a fit: found, with its units checked, a volume flow as a depth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from xdpl.labelled.area import per_area
from xdpl.labelled.lookup import check_units, in_units

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.errors import Problems
    from xdpl.fit.result import Fit

__all__ = ["observed_target"]


def observed_target(
    fit: Fit,
    ds: xr.Dataset,
    variable: str,
    forcings: Mapping[str, str] | None,
    problems: Problems,
    *,
    output: str,
    fix: str,
) -> xr.DataArray:
    """The observations that simulated values are held against.

    Parameters
    ----------
    fit : Fit
    ds : Dataset
    variable : str
        With the observations, in any units that convert to those of the output.
    forcings : mapping of str to str, optional
        May name the ``area`` that a flow in m3 s-1 is divided by.
    problems : Problems
    output : str
        Output of the model that they are held against.
    fix : str
        What to do if there is no such variable.

    Returns
    -------
    DataArray
        In its own units, except for a volume flow, which comes in those of the output.

    Raises
    ------
    InputErrors
        If the variable, its units or its area are missing or wrong.
    """
    if variable not in ds:
        problems.add(variable, expected="the observed target in the dataset", got="no such variable", fix=fix)
    problems.raise_if_any()
    units = fit.model.output(output).units
    observed, area = per_area(ds, variable, units, forcings, problems)
    if area:
        observed = in_units(observed, units, problems).assign_attrs(units=units)
    else:
        check_units(observed, units, problems)
    problems.raise_if_any()
    return observed
