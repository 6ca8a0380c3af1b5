"""Observation operators of a request: whether they make sense, and what they need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import xarray as xr

from xdpl.errors import Problems
from xdpl.labelled import schema
from xdpl.labelled.lookup import check_units
from xdpl.observation import Frozen, Operator, SiteAffine, find

if TYPE_CHECKING:
    from xdpl.models import Model

__all__ = ["inspect_operators"]

# Of what departures from a mean lack, or what logarithms need.
_NOT_CENTRED = {"kge": "it compares means, which departures lack", "rmse_log": "departures have no logarithm"}


def inspect_operators(
    ds: xr.Dataset,
    given: Mapping[str, Any],
    losses: Mapping[str, Any],
    validate: slice | xr.DataArray | None,
    site_dims: tuple[str, ...],
    model: Model,
    problems: Problems,
) -> dict[str, Operator]:
    """The operator of each target, checked without computing.

    Parameters
    ----------
    ds : Dataset
    given : mapping of str to str or Operator
    losses : mapping of str to str
    validate : slice or DataArray, optional
    site_dims : tuple of str
    model : Model
    problems : Problems
        Takes a note of unknown ones, and of those that do not go with the data or other arguments.
    """
    found = {name: find(operator, problems) for name, operator in given.items()}
    for name, operator in found.items():
        if operator.centred and str(losses.get(name)) in _NOT_CENTRED:
            problems.add(
                "observation",
                expected=f"another loss of {name} with {operator.kind!r}, one of errors",
                got=f"loss {losses[name]!r}: {_NOT_CENTRED[losses[name]]}",
                fix='loss="nrmse"',
            )
        if operator.per_site and isinstance(validate, xr.DataArray):
            problems.add(
                "observation",
                expected="no scale and offset of each site with validation at other sites, which have none",
                got=f"{operator.kind!r} and a mask of validation sites",
                fix='validate=slice(...), or observation="global_affine"',
            )
        if isinstance(operator, Frozen):
            for part, wanted in (("scale", "1"), ("offset", model.output(name).units)):
                value = getattr(operator, part)
                if _of_sites(ds, part, value, site_dims, problems):
                    check_units(value, wanted, problems, subject=f"observation {part}")
        if isinstance(operator, SiteAffine):
            _of_sites(ds, "trusted", operator.trusted, site_dims, problems)
    return found


def _of_sites(ds: xr.Dataset, name: str, value: Any, site_dims: tuple[str, ...], problems: Problems) -> bool:
    """Whether a value is an array, over the sites; others are noted."""
    if not isinstance(value, xr.DataArray):
        return False
    subject = f"observation {name}"
    if not set(map(str, value.dims)) <= set(site_dims):
        problems.add(
            subject,
            expected=f"dims among {site_dims}, those of the sites",
            got=f"dims {value.dims}",
            fix="reduce or rename its dims",
        )
        return False
    schema.check_labels(subject, value, ds, problems, fix=f"{name}={name}.reindex_like(ds)")
    return True
