"""A call of `regionalise`: its arguments, and whether they make sense."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import xarray as xr

from xdpl import models
from xdpl.errors import short
from xdpl.evaluation.sites import check_integer
from xdpl.labelled import schema
from xdpl.labelled.choices import check_periods
from xdpl.labelled.parameters import resolve
from xdpl.labelled.targets import find_targets
from xdpl.regionalisation.carried import find_position

if TYPE_CHECKING:
    from xdpl.errors import Problems
    from xdpl.models import Model

__all__ = ["METHODS", "Inputs", "Request", "inspect"]

METHODS = ("regression", "similarity", "nearest")
_AVERAGES = ("outputs", "parameters")
_LABELS = "parameters = parameters.reindex_like(ds), which is NaN at sites that were not calibrated"


@dataclass(frozen=True)
class Request:
    """The arguments of `regionalise`, as given."""

    model: str | Model
    parameters: xr.Dataset | Mapping[str, Any]
    target: str | Sequence[str] | Mapping[str, str]
    attributes: Sequence[str] | None
    method: str
    donors: int
    average: str
    sites: xr.DataArray | None
    forcings: Mapping[str, str] | None

    @property
    def names(self) -> list[str]:
        """Of the attributes."""
        given = self.attributes or []
        return [given] if isinstance(given, str) else list(given)


@dataclass(frozen=True)
class Inputs:
    """What a request refers to, found in the dataset.

    Parameters
    ----------
    model : Model
    forcings, targets : dict of str to Found
    attributes : dict of str to DataArray
        As they are in the dataset.
    position : dict of str to DataArray
        Latitude and longitude in degrees, if the method needs them.
    parameters : dict of str to DataArray
        Those that were calibrated, in declared units.
    """

    model: Model
    forcings: dict[str, schema.Found]
    targets: dict[str, schema.Found]
    attributes: dict[str, xr.DataArray]
    position: dict[str, xr.DataArray]
    parameters: dict[str, xr.DataArray]


def inspect(ds: xr.Dataset, request: Request, problems: Problems) -> Inputs:
    """Check a request against a dataset without computing.

    Raises
    ------
    InputErrors
        With every problem found.
    """
    model = models.get(request.model, problems.call)
    found = schema.forcings(ds, model, request.forcings, problems, convert=False)
    dims = [d for f in found.values() for d in f.data.dims] if found else list(ds.dims)
    site_dims = tuple(dict.fromkeys(str(d) for d in dims if d != "time"))
    targets = find_targets(ds, model, request.target, request.forcings, site_dims, problems)
    attributes = schema.static(ds, request.names, site_dims, "an attribute", problems)
    check_periods(ds, None, None, request.sites, site_dims, problems)
    _check_options(request, problems)
    position = find_position(ds, problems) if request.method == "nearest" else {}
    parameters = _parameters(ds, model, request.parameters, site_dims, problems)
    problems.raise_if_any()
    return Inputs(model, found, targets, attributes, position, parameters)


def _check_options(request: Request, problems: Problems) -> None:
    for name, choices in (("method", METHODS), ("average", _AVERAGES)):
        value = getattr(request, name)
        if value not in choices:
            problems.add(
                name, expected=f"one of {', '.join(choices)}", got=repr(value), fix=f"{name}={choices[0]!r}"
            )
    check_integer(problems, "donors", request.donors, 1)
    if not request.names and request.method in ("regression", "similarity"):
        problems.add(
            "attributes",
            expected=f"at least one, for {request.method}",
            got="none",
            fix='attributes=["<static variable>"], or method="nearest"',
        )


def _parameters(
    ds: xr.Dataset, model: Model, given: Any, site_dims: tuple[str, ...], problems: Problems
) -> dict[str, xr.DataArray]:
    """Those that are given, in declared units, with the dims and labels of the sites."""
    if given is None or not isinstance(given, xr.Dataset | Mapping):
        problems.add(
            "parameters",
            expected="a Dataset of calibrated parameters",
            got=short(given),
            fix="theta = ds.dpl.calibrate(...), then regionalise(ds, model, theta, ...)",
        )
        return {}
    theta, defaulted = resolve(model, given, problems)
    own = {name: array for name, array in theta.items() if name not in defaulted}
    if not own:
        problems.add(
            "parameters",
            expected=f"at least one parameter of {model.name!r}",
            got="none",
            fix=f"give some of {', '.join(theta)}" if theta else "take a process model",
        )
    for name, array in own.items():
        schema.static(xr.Dataset({name: array}), [name], site_dims, "a calibrated parameter", problems)
        schema.check_labels(name, array, ds, problems, fix=_LABELS)
    return own
