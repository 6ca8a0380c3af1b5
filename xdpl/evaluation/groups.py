"""Groups of sites, and the median site of each group."""

from __future__ import annotations

import numpy as np
import xarray as xr

from xdpl.errors import Problems
from xdpl.evaluation.checks import check_static, names
from xdpl.evaluation.declared import FLOW_METRICS, METRICS
from xdpl.evaluation.medians import flags, medians_of

__all__ = ["by_group", "dryness_terciles", "worst_group"]


def dryness_terciles(dryness: xr.DataArray) -> xr.DataArray:
    """Label each site humid, medium or dry, a third of the sites each.

    Parameters
    ----------
    dryness : DataArray
        Static, over site dims; larger is drier, such as potential evapotranspiration over
        precipitation (1). NaN where there is no site.

    Returns
    -------
    DataArray
        ``dryness_tercile`` over the same dims: 0 humid, 1 medium, 2 dry, -1 where `dryness` is NaN,
        with CF ``flag_values`` and ``flag_meanings``. Sites of equal dryness share a label.

    Raises
    ------
    InputErrors
        If `dryness` has a time dim, or too few distinct values for three groups.
    """
    problems = Problems("dryness_terciles")
    check_static(problems, "dryness", dryness)
    problems.raise_if_any()
    values = np.asarray(dryness.values, dtype=np.float64)
    valid = ~np.isnan(values)
    labels = np.full(values.shape, -1, dtype=np.int64)
    if valid.any():
        low, high = np.quantile(values[valid], [1 / 3, 2 / 3])
        labels[valid] = (values[valid] > low).astype(np.int64) + (values[valid] > high)
    if set(np.unique(labels[valid])) != {0, 1, 2}:
        problems.add(
            "dryness",
            expected="values that split into three groups",
            got=f"{np.unique(values[valid]).size} distinct values at {valid.sum()} sites",
            fix="give more sites, or make integer group labels yourself",
        )
        problems.raise_all()
    attrs = {
        "long_name": "tercile of dryness",
        "flag_values": [-1, 0, 1, 2],
        "flag_meanings": "no_site humid medium dry",
    }
    coords = dryness.coords
    return xr.DataArray(labels, coords, dryness.dims, "dryness_tercile", attrs).drop_encoding()


def by_group(scores: xr.Dataset, groups: xr.DataArray) -> xr.Dataset:
    """Median over the sites of each group.

    Parameters
    ----------
    scores : Dataset
        Such as `metrics` returns: variables over the dims of `groups`, in any units; other dims
        (a member) stay. NaN is left out; lazy scores are computed.
    groups : DataArray of int
        Label of each site; negative where there is no group. Labels in its ``flag_values`` come out
        even where no site has them, as NaN.

    Returns
    -------
    Dataset
        Every variable of `scores`, its units kept, with a dim ``group`` labelled as in `groups`
        instead of the site dims; coordinate ``sites``: number of sites in the group (1).

    Raises
    ------
    InputErrors
        If labels are not integers, or dims or labels of the two differ.
    """
    return medians_of("by_group", scores, groups)


def worst_group(scores: xr.Dataset, groups: xr.DataArray) -> xr.Dataset:
    """Median of the worst group, metric by metric, and which group that is.

    Parameters
    ----------
    scores : Dataset
        As for `by_group`; only the metrics of `metrics` and `flow_metrics` are used, ``count`` is
        not one.
    groups : DataArray of int
        As for `by_group`.

    Returns
    -------
    Dataset
        For each metric its median in the worst group, in the units of `scores`: the largest of RMSEs
        and of the lag of peaks, of biases the one farthest from zero (with its sign), the smallest
        of the others; and ``<metric>_group``, the label of that group (1), -1 where no group has a value.

    Raises
    ------
    InputErrors
        As `by_group`, or if `scores` has none of the metrics.
    """
    known = [metric for metric in (*METRICS, *FLOW_METRICS) if metric.name in scores]
    if not known:
        problems = Problems("worst_group")
        wanted = ", ".join(metric.name for metric in METRICS)
        problems.add(
            "scores", expected=f"some of {wanted}", got=names(scores.data_vars), fix="xdpl.evaluation.metrics"
        )
        problems.raise_all()
    medians = medians_of("worst_group", scores[[metric.name for metric in known]], groups)
    worst = xr.Dataset()
    for metric in known:
        median = medians[metric.name]
        loss = {"low": median, "zero": abs(median), "high": -median}[metric.best].fillna(-np.inf)
        chosen = median.isel(group=loss.argmax("group"))
        # DataArray.where would turn the labels into floats.
        label = xr.where(chosen.isnull(), -1, chosen["group"], keep_attrs=False).drop_vars(["group", "sites"])
        label.attrs = {"long_name": f"group with the worst median {metric.name}", **flags(groups)}
        worst[metric.name] = chosen.drop_vars(["group", "sites"])
        worst[f"{metric.name}_group"] = label
    # Indexing by a computed array loses the attributes of its coordinates.
    return worst.assign_coords({name: medians.coords[name] for name in worst.coords})
