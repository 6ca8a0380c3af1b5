"""How well simulated values agree with observed ones, per site or pooled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdpl.errors import Problems
from xdpl.evaluation.checks import check_static
from xdpl.evaluation.declared import METRICS, REFERENCES
from xdpl.evaluation.kernel import formulas
from xdpl.evaluation.per_site import evaluate

if TYPE_CHECKING:
    from collections.abc import Hashable

    import xarray as xr

__all__ = ["metrics", "pooled", "site_correlation"]


def metrics(
    simulated: xr.DataArray, observed: xr.DataArray, *, dim: Hashable = "time", minimum: int = 10
) -> xr.Dataset:
    """Compute the metrics of every site.

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
        The dim to reduce; all others are site dims.
    minimum : int
        Sites with fewer pairs get NaN; at least 2.

    Returns
    -------
    Dataset
        Dims of `simulated` without `dim`. ``rmse``, ``ubrmse``, ``bias`` (simulated minus observed)
        in units of `observed`; ``correlation``, ``nse``, ``kge_2009``, ``kge_2012`` (1);
        ``count``, the number of pairs (1). Undefined values are NaN: correlation and KGE where
        either series is constant, NSE where the observed one is, KGE where the mean observed value
        is zero, ``kge_2012`` also where the mean simulated value is zero.

    Raises
    ------
    InputErrors
        If a dim is missing, labels differ, units do not convert or `minimum` is below 2.

    Notes
    -----
    RMSE, bias, Pearson correlation, NSE and KGE are those of the `scores` library; ``ubrmse`` is its
    RMSE applied to anomalies, each series minus its own mean.

    Source: Entekhabi et al. (2010), ubrmse; Nash and Sutcliffe (1970); Gupta et al. (2009),
    ``kge_2009``; Kling et al. (2012), ``kge_2012``.
    """
    return _metrics(Problems("metrics"), simulated, observed, (dim,), minimum)


def pooled(simulated: xr.DataArray, observed: xr.DataArray, *, minimum: int = 10) -> xr.Dataset:
    """Compute the metrics over all pairs of all dims at once.

    Parameters
    ----------
    simulated, observed : DataArray
        As in `metrics`; any dims.
    minimum : int
        With fewer pairs all metrics are NaN; at least 2.

    Returns
    -------
    Dataset
        The variables of `metrics`, without dims.

    Raises
    ------
    InputErrors
        As `metrics`.

    Notes
    -----
    Variance between sites enters correlation, NSE and KGE, so they are usually higher than those of
    a typical site. Source: as `metrics`.
    """
    return _metrics(Problems("pooled"), simulated, observed, None, minimum)


def site_correlation(simulated: xr.DataArray, observed: xr.DataArray, *, minimum: int = 10) -> xr.DataArray:
    """Pearson correlation over sites of a static quantity, such as the baseflow index.

    Parameters
    ----------
    simulated : DataArray
        Dims of `observed`; others (a member) stay. Converted to the units of `observed`.
    observed : DataArray
        One value per site; sites where either is NaN are left out.
    minimum : int
        NaN with fewer sites; at least 2.

    Returns
    -------
    DataArray
        ``correlation`` (1); NaN where either is constant.

    Raises
    ------
    InputErrors
        As `metrics`, or if `observed` has a time dim.
    """
    problems = Problems("site_correlation")
    check_static(problems, "observed", observed)
    found = _metrics(problems, simulated, observed, observed.dims, minimum)["correlation"]
    found.attrs["long_name"] = "Pearson correlation over sites of simulated and observed"
    return found


def _metrics(
    problems: Problems,
    simulated: xr.DataArray,
    observed: xr.DataArray,
    dims: tuple[Hashable, ...] | None,
    minimum: int,
) -> xr.Dataset:
    return evaluate(
        problems,
        simulated,
        observed,
        dims,
        minimum,
        metrics=METRICS,
        formulas=formulas,
        references=REFERENCES,
    )
