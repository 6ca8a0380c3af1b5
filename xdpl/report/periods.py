"""Which days a report scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdpl import units
from xdpl.labelled.host import on_host
from xdpl.report.facts import Period

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.fit import Fit

__all__ = ["scored_period"]

# Steps with an observation somewhere: fewer after the training are no test.
_ENOUGH = 30


def scored_period(fit: Fit, ds: xr.Dataset, wanted: slice | None) -> Period:
    """The period that is wanted, else the first of: after all training, the validation, the whole record."""
    dates = ds["time"].dt.strftime("%Y-%m-%d")
    if wanted is not None:
        inside = dates.sel(time=wanted).values
        return Period(str(inside[0]), str(inside[-1]), "as asked for")
    known = [s for s in (fit.settings["train"], fit.settings["validate"]) if s]
    last = max(stop for _, stop in known)
    after = dates.values[dates.values > last]
    if after.size and _observed_steps(fit, ds, slice(str(after[0]), None)) >= _ENOUGH:
        text = "after the training and the validation" if len(known) > 1 else "after the training"
        return Period(str(after[0]), str(after[-1]), text)
    validate = fit.settings["validate"]
    if validate and ds["time"].sel(time=slice(*validate)).size:
        first, stop = (dates.sel(time=slice(*validate)).values[i] for i in (0, -1))
        return Period(str(first), str(stop), "that of the validation: there is too little after it")
    return Period(str(dates.values[0]), str(dates.values[-1]), "the whole record: none is left beside it")


def _observed_steps(fit: Fit, ds: xr.Dataset, period: slice) -> int:
    """Steps at which any site has an observation of any target."""
    found = 0
    for variable in fit.targets.values():
        observed = on_host(units.magnitude(ds[variable])).sel(time=period).notnull()
        found = max(found, int(observed.any([d for d in observed.dims if d != "time"]).sum()))
    return found
