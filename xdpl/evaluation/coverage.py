"""How often intervals hold what they are intervals of."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import xarray as xr

from xdpl import units as u
from xdpl.errors import Problems
from xdpl.evaluation.checks import check_labels, names
from xdpl.labelled.host import on_host
from xdpl.labelled.lookup import in_units

__all__ = ["coverage"]


def coverage(
    intervals: xr.Dataset, truth: xr.Dataset, *, dim: Hashable | Sequence[Hashable] | None = None
) -> xr.Dataset:
    """Fraction of true or observed values between the lowest and the highest quantile.

    Parameters
    ----------
    intervals : Dataset
        Variables with a dim ``quantile`` and its coordinate, in units; such as
        `xdpl.uncertainty.Posterior` gives.
    truth : Dataset
        Variables of the same names, in units that convert; others are left out. NaN does not count.
    dim : hashable or sequence of hashable, optional
        Dims over which the fraction is taken; all if not given.

    Returns
    -------
    Dataset
        For each common variable the fraction (1), NaN where nothing counts. The attribute ``nominal`` is the
        fraction that is meant to be there, the highest less the lowest quantile. Lazy where an input is.

    Raises
    ------
    InputErrors
        If there are no two quantiles, no common variable, or units, labels or dims do not fit.
    """
    problems = Problems("coverage")
    levels = _levels(intervals, problems)
    common = [k for k in intervals.data_vars if k in truth.data_vars]
    if not common:
        problems.add(
            "truth",
            expected=f"some of {names(intervals.data_vars)}",
            got=names(truth.data_vars),
            fix='truth.rename(true_porosity="porosity")',
        )
    check_labels(problems, "truth", intervals, truth)
    pairs = {k: _pair(intervals[k], truth[k], problems) for k in common}
    dims = (
        None if dim is None else [dim] if isinstance(dim, str) or not isinstance(dim, Sequence) else list(dim)
    )
    for name, (a, b) in pairs.items():
        missing = [d for d in dims or [] if d not in {*a.dims, *b.dims}]
        if missing:
            there = names(d for d in a.dims if d != "quantile")
            problems.add("dim", expected=f"dims of {name}: {there}", got=names(missing), fix="leave dim out")
    problems.raise_if_any()
    out = xr.Dataset(attrs={"title": "coverage of intervals", "nominal": levels[1] - levels[0]})
    for name, (a, b) in pairs.items():
        out[name] = _fraction(a, b, dims)
        out[name].attrs = {"units": "1", "long_name": f"fraction of {name} inside its interval"}
    return u.quantify_like(out.drop_encoding(), *(intervals[k] for k in common))


def _fraction(array: xr.DataArray, true: xr.DataArray, dims: list[Hashable] | None) -> xr.DataArray:
    low, high = array.isel(quantile=0, drop=True), array.isel(quantile=-1, drop=True)
    known = true.notnull() & low.notnull() & high.notnull()
    inside = ((true >= low) & (true <= high)).where(known)
    found: xr.DataArray = inside.astype(np.float64).mean(dims)
    return found.drop_attrs()


def _pair(array: xr.DataArray, true: xr.DataArray, problems: Problems) -> tuple[xr.DataArray, xr.DataArray]:
    there = u.read(array)
    if there is None:
        problems.add(str(array.name), expected="units", got="none", fix="ds[name].attrs['units'] = '...'")
        return array, true
    return on_host(u.magnitude(array)), on_host(in_units(true, there, problems))


def _levels(intervals: xr.Dataset, problems: Problems) -> tuple[float, float]:
    if "quantile" not in intervals.coords or intervals.sizes.get("quantile", 0) < 2:
        problems.add(
            "intervals",
            expected="a dim 'quantile' with a coordinate, of two quantiles or more",
            got=names(intervals.dims),
            fix="quantiles=(0.05, 0.95)",
        )
        return 0.0, 1.0
    values = intervals["quantile"].values
    if not (np.diff(values) > 0).all():
        problems.add("quantile", expected="rising", got=str(values), fix='intervals.sortby("quantile")')
    return float(values[0]), float(values[-1])
