"""The share of streamflow that is baseflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xdpl import units as u
from xdpl.errors import Problems
from xdpl.evaluation.checks import check_pair, names
from xdpl.evaluation.per_site import reduce_dims
from xdpl.labelled.lookup import in_units

if TYPE_CHECKING:
    from collections.abc import Hashable

    import xarray as xr

__all__ = ["baseflow_index"]

_Array = np.ndarray[Any, np.dtype[Any]]

# Nathan and McMahon (1990), section 2.3; Ladson et al. (2013), section 5.
_ALPHA = 0.925
_PASSES = 3
_REFLECTED = 30


def baseflow_index(
    streamflow: xr.DataArray, baseflow: xr.DataArray | None = None, *, dim: Hashable = "time"
) -> xr.DataArray:
    """Baseflow over streamflow, of sums over time.

    Parameters
    ----------
    streamflow : DataArray
        Dims `dim` and any others, daily, in any units; NaN where it is not known. Lazy data stay lazy.
    baseflow : DataArray, optional
        Such as that of a model: same labels, and units that convert to those of `streamflow`, if both
        say them. If not given, it is separated from `streamflow` by a digital filter.
    dim : hashable
        The dim to reduce; all others are site dims.

    Returns
    -------
    DataArray
        ``baseflow_index`` (1) over the dims of `streamflow` without `dim`; quantified if that is.
        NaN where there is no streamflow.

    Raises
    ------
    InputErrors
        If a dim is missing, labels differ or units do not convert.

    Notes
    -----
    With `baseflow`: sums over the days on which both are known.

    Without: the filter of Lyne and Hollick (1979), which for the baseflow b of a flow q reads
    b[t] = min(q[t], c[t]), c[t] = α c[t-1] + (1 - α) (q[t] + q[t-1]) / 2, with α = 0.925, run forward,
    backward and forward again, each pass over the baseflow of the last (Nathan and McMahon 1990,
    doi:10.1029/WR026i007p01465). A pass begins with c = q. Both ends are lengthened by a reflection of
    30 days (Ladson et al. 2013, doi:10.7158/13241583.2013.11465417). Each stretch between gaps is
    filtered by itself; stretches of less than 31 days are left out, of both sums.
    """
    problems = Problems("baseflow_index")
    arrays = [streamflow]
    if baseflow is not None:
        check_pair(problems, streamflow, baseflow, dim, minimum=2, subjects=("streamflow", "baseflow"))
        arrays.append(_in_units_of(streamflow, baseflow, problems))
    elif dim not in streamflow.dims:
        problems.add(
            "streamflow",
            expected=f"a dim {dim!r}",
            got=names(streamflow.dims),
            fix="name it in dim= or rename the dim",
        )
    problems.raise_if_any()
    (index,) = reduce_dims(_filtered if baseflow is None else _ratio, arrays, [dim], [np.float64])
    ds = index.drop_encoding().to_dataset(name="baseflow_index")
    ds["baseflow_index"].attrs = {"units": "1", "long_name": "baseflow index"}
    return u.quantify_like(ds, streamflow)["baseflow_index"]


def _in_units_of(streamflow: xr.DataArray, baseflow: xr.DataArray, problems: Problems) -> xr.DataArray:
    units, theirs = u.read(streamflow), u.read(baseflow)
    if units is None or theirs is None or units == theirs:
        return baseflow
    return in_units(baseflow, units, problems, subject="baseflow")


def _ratio(streamflow: _Array, baseflow: _Array) -> _Array:
    total, base = np.broadcast_arrays(streamflow.astype(np.float64), baseflow.astype(np.float64))
    known = ~(np.isnan(total) | np.isnan(base))
    return _divide(*(np.where(known, array, 0.0).sum(axis=-1) for array in (base, total)))


def _filtered(streamflow: _Array) -> _Array:
    flow = streamflow.reshape(-1, streamflow.shape[-1]).astype(np.float64)
    base, total = np.zeros(len(flow)), np.zeros(len(flow))
    for (start, stop), sites in _stretches(~np.isnan(flow)).items():
        part = flow[sites, start:stop]
        base[sites] += separate(part).sum(axis=1)
        total[sites] += part.sum(axis=1)
    return _divide(base, total).reshape(streamflow.shape[:-1])


def _stretches(known: _Array) -> dict[tuple[int, int], list[int]]:
    """Sites by the stretches without a gap that they have in common, long enough for the filter."""
    found: dict[tuple[int, int], list[int]] = {}
    for site, row in enumerate(known):
        edges = np.flatnonzero(np.diff(row.astype(np.int8), prepend=0, append=0))
        for start, stop in edges.reshape(-1, 2):
            if stop - start > _REFLECTED:
                found.setdefault((int(start), int(stop)), []).append(site)
    return found


def separate(flow: _Array) -> _Array:
    """Baseflow of a flow (site, day) without gaps, in the same units."""
    from scipy.signal import lfilter

    base = np.pad(flow, ((0, 0), (_REFLECTED, _REFLECTED)), mode="reflect")
    weight = (1.0 - _ALPHA) / 2.0
    for _ in range(_PASSES):
        # The state that makes the first value its own baseflow.
        start = (1.0 - weight) * base[:, :1]
        slow, _ = lfilter([weight, weight], [1.0, -_ALPHA], base, axis=1, zi=start)
        # Every second pass runs backward.
        base = np.minimum(base, slow)[:, ::-1]
    return base[:, ::-1][:, _REFLECTED:-_REFLECTED]


def _divide(base: _Array, total: _Array) -> _Array:
    positive = total > 0.0
    return np.where(positive, base, np.nan) / np.where(positive, total, 1.0)
