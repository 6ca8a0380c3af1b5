"""How well streamflow is simulated: segments of the flow duration curve, and peaks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from xdpl.errors import Problems
from xdpl.evaluation.declared import FLOW_METRICS, FLOW_REFERENCES
from xdpl.evaluation.flow_kernel import flow_formulas
from xdpl.evaluation.per_site import evaluate
from xdpl.labelled.schema import step_in_days

if TYPE_CHECKING:
    from collections.abc import Hashable

    import xarray as xr

__all__ = ["flow_metrics"]


def flow_metrics(
    simulated: xr.DataArray, observed: xr.DataArray, *, dim: Hashable = "time", minimum: int = 100
) -> xr.Dataset:
    """Compute metrics of daily streamflow at every site.

    Pairs in which either value is NaN are left out. Arithmetic is in float64. dask-backed input
    stays lazy, one task per block of sites; `dim` is rechunked to one chunk if it has several.

    Parameters
    ----------
    simulated : DataArray
        Dims `dim` and any others, in any order; may have dims that `observed` lacks (a member).
        Values are converted to the units of `observed` where both say their units.
    observed : DataArray
        Same labels as `simulated`. Where it is quantified, so is the result.
    dim : hashable
        The dim to reduce; all others are site dims. Its dates, where it has them, are days, of
        which some may be missing; without dates each step is a day.
    minimum : int
        Sites with fewer pairs get NaN; at least 2. With fewer than 75 the highest 2 % are one day.

    Returns
    -------
    Dataset
        Dims of `simulated` without `dim`.

        - ``percent_bias`` (percent): of the total flow.
        - ``fhv`` (percent): bias of the sum of the highest 2 % of flows, each series sorted by itself.
        - ``fms`` (percent): bias of the slope of the duration curve in logarithms, between the flows
          exceeded 20 % and 70 % of the time.
        - ``flv`` (percent): bias of the lowest 30 % of flows in logarithms above the lowest one, each
          series sorted by itself; positive where the simulated curve is the flatter one. It says
          nothing of the amount.
        - ``rmse_low``, ``rmse_high`` (units of `observed`): over the days on which the observed flow
          is among the lowest 30 %, the highest 2 %; all days of equal flow are in.
        - ``peak_timing`` (d): mean absolute lag between observed peaks and the highest simulated
          flow within three days of each, the first one of equal ones.
        - ``count``: the number of pairs (1).

        Undefined values are NaN: a percent bias where what it is a share of is zero (no flow, or a
        constant segment of the observed curve), ``peak_timing`` where there is no observed peak.

    Raises
    ------
    InputErrors
        If a dim is missing, labels differ, units do not convert, dates are not those of days or
        `minimum` is below 2.

    Notes
    -----
    A share of the flows is rounded to whole days, at least one. Flows below a millionth of the mean
    observed flow, zeros above all, are set to it for ``fms`` and ``flv``, whose values depend on this
    floor where the river falls dry.

    Observed peaks are at least 100 pairs apart and stand out by at least the standard deviation of
    the observations (`scipy.signal.find_peaks`); those with a gap within three days are left out.

    Source: Yilmaz et al. (2008), doi:10.1029/2007WR006716, ``fhv``, ``fms``, ``flv``; Kratzert et al.
    (2021), doi:10.5194/hess-25-2685-2021, ``peak_timing``.
    """
    problems = Problems("flow_metrics")
    formulas = partial(flow_formulas, days=_days(problems, observed, dim))
    return evaluate(
        problems,
        simulated,
        observed,
        (dim,),
        minimum,
        metrics=FLOW_METRICS,
        formulas=formulas,
        references=FLOW_REFERENCES,
    )


def _days(problems: Problems, array: xr.DataArray, dim: Hashable) -> np.ndarray[Any, np.dtype[Any]]:
    """Number of the day of each step."""
    index = array.indexes.get(dim)
    if index is None or not hasattr(index, "month"):
        return np.arange(array.sizes.get(dim, 0))
    steps = step_in_days(array, dim)
    whole = np.rint(steps)
    odd = np.flatnonzero((whole < 1) | (np.abs(steps - whole) > 1e-6))
    if odd.size:
        problems.add(
            str(dim),
            expected="increasing dates, whole days apart",
            got=f"{steps[odd[0]]:g} days after {index[odd[0]]}",
            fix=f'daily values, such as of da.resample({dim}="1D").mean()',
        )
    return np.concatenate([[0], np.cumsum(whole)]).astype(np.int64)
