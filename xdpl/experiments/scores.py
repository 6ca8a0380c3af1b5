"""How well a simulated target agrees with the observed one, in the words of an experiment."""

from __future__ import annotations

import xarray as xr

from xdpl.evaluation import metrics
from xdpl.experiments.case import Case

__all__ = ["extreme_bias", "scores_of"]

# Days above the training range that a site needs.
_FEWEST = 3


def scores_of(
    simulated: xr.DataArray,
    case: Case,
    period: slice | None = None,
    *,
    observed: xr.DataArray | None = None,
) -> xr.Dataset:
    """Metrics of every site in a period, that of the test if not given; with ``extreme_bias``."""
    period = case.test if period is None else period
    observed = case.data[case.target] if observed is None else observed
    found = metrics(simulated.sel(time=period), observed.sel(time=period)).drop_vars("count")
    return found.assign(extreme_bias=extreme_bias(simulated, observed, case.train, period))


def extreme_bias(simulated: xr.DataArray, observed: xr.DataArray, train: slice, test: slice) -> xr.DataArray:
    """Mean of simulated less observed over mean observed, on days above all of the training period.

    Parameters
    ----------
    simulated, observed : DataArray, (time, ...)
    train, test : slice
        A day of the second period counts where more is observed than ever in the first one.

    Returns
    -------
    DataArray, (...)
        Without units; NaN at sites with fewer than three such days.
    """
    highest = observed.sel(time=train).max("time")
    o, s = observed.sel(time=test), simulated.sel(time=test)
    beyond = (o > highest) & s.notnull()
    o, s = o.where(beyond), s.where(beyond)
    found = (s.sum("time") - o.sum("time")) / o.sum("time")
    said = {"units": "1", "long_name": "relative bias on days above the training range"}
    return found.where(beyond.sum("time") >= _FEWEST).drop_attrs().assign_attrs(said)
