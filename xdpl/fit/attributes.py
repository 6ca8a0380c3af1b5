"""Attributes of a dataset as they were in training: their units, and where there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.errors import Problems
from xdpl.labelled import schema
from xdpl.labelled.floats import as_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xdpl.fit.source import ParameterSource

__all__ = ["find_attributes", "without_attributes"]

Array = Any


def find_attributes(source: ParameterSource, ds: xr.Dataset, problems: Problems) -> dict[str, xr.DataArray]:
    """The attributes of a source in the units they had in training, double precision.

    Parameters
    ----------
    source : ParameterSource
    ds : Dataset
    problems : Problems
        Takes a note of those that are missing, have a time dimension or other units.
    """
    site_dims = tuple(str(d) for d in ds.dims if d != "time")
    found = schema.static(ds, list(source.attributes), site_dims, "an attribute", problems)
    return {k: _in_training_units(source.attributes[k], array, problems) for k, array in found.items()}


def without_attributes(xp: Any, missing: Array, names: Sequence[str], call: str) -> Array:
    """Sites (site,) that have no attribute at all, which are left out.

    Parameters
    ----------
    xp : namespace
    missing : array of bool, (site, attribute)
        Where attributes are NaN.
    names : sequence of str
        Of the attributes.
    call : str
        In the message.

    Raises
    ------
    InputErrors
        If some but not all attributes of a site are NaN.
    """
    absent = xp.all(missing, axis=1)
    partly = xp.any(missing, axis=1) & ~absent
    if not bool(xp.any(partly)):
        return absent
    some = [bool(xp.any(missing[:, i] & partly)) for i in range(len(names))]
    gaps = [name for name, is_missing in zip(names, some, strict=True) if is_missing]
    problems = Problems(call)
    problems.add(
        ", ".join(gaps),
        expected="attributes without NaN (all of them NaN marks a site to leave out)",
        got=f"NaN at {int(xp.sum(xp.astype(partly, xp.int64)))} of {partly.shape[0]} sites",
        fix=f'ds = ds.where(ds["{gaps[0]}"].notnull()), or fill them',
    )
    problems.raise_all()


def _in_training_units(trained: str | None, array: xr.DataArray, problems: Problems) -> xr.DataArray:
    name, here = str(array.name), units.read(array)
    plain = as_type(units.magnitude(array), np.dtype(np.float64))
    if trained == here:
        return plain
    if trained is None or here is None:
        problems.add(
            name,
            expected="no units, as in the training" if trained is None else f"units as {trained!r}",
            got=repr(here) if here else "no units attribute",
            fix=f'del ds["{name}"].attrs["units"], once the values are in those of the training'
            if trained is None
            else f'ds["{name}"].attrs["units"] = "<its units>"',
        )
        return plain
    try:
        slope, offset = units.linear(here, trained)
    except units.UnitsError as error:
        problems.add(
            name,
            expected=f"units {trained!r}, those of the training",
            got=f"{here!r} ({error})",
            fix=f'convert ds["{name}"] first',
        )
        return plain
    return plain * slope + offset
