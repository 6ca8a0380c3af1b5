"""How a metric is distributed over sites."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.errors import Problems, short
from xdpl.labelled.lookup import in_units
from xdpl.plot.colours import colours, metric
from xdpl.plot.inputs import axes_or_new, axis_label, beyond, check_units, units_label, values

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["cdf"]


def cdf(
    scores: xr.Dataset | Mapping[str, xr.Dataset],
    name: Hashable = "nse",
    *,
    by: Hashable | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Cumulative distribution of a metric over sites, one line for each run.

    Parameters
    ----------
    scores : Dataset, or mapping of name to Dataset
        Such as `xdpl.evaluation.metrics` or `Fit.evaluate` returns, for several runs by the names of
        the legend. Sites with NaN are left out.
    name : hashable
        The variable that is shown.
    by : hashable, optional
        Dim of `scores` with the runs, labelled by its coordinate; all other dims are sites.
    ax : Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes
        The legend has the median of each run, and the share of sites outside of the axes: these end
        at -0.2 and 1 for efficiencies and correlations, and leave out the largest 10 % of errors.

    Raises
    ------
    InputErrors
        If there is no such variable or dim, units are missing or do not convert, or all is NaN.

    Examples
    --------
    >>> import xdpl
    >>> ds = xdpl.data.twin(shape=(4, 4), years=1)
    >>> sim = ds.dpl.simulate("vic")
    >>> scores = xdpl.evaluation.metrics(sim["soil_moisture"], ds["soil_moisture"])
    >>> ax = xdpl.plot.cdf({"defaults": scores})
    """
    problems = Problems("plot")
    runs = _runs(scores, name, by, problems)
    found = {label: values(array).ravel() for label, array in runs.items()}
    found = {label: array[~np.isnan(array)] for label, array in found.items()}
    for label, array in found.items():
        if not array.size:
            problems.add(label or str(name), expected="a site with a value", got="none", fix="leave it out")
    problems.raise_if_any()
    low, high = _limits(name, np.concatenate(list(found.values())))
    ax = axes_or_new(ax)
    ax.axhline(0.5, color="0.8", linewidth=0.8, zorder=0)
    for label, array in found.items():
        median = f"median {np.median(array):.3g}".replace("-", "−")
        said = [f"{label}: {median}" if label else median, beyond(array, low, high)]
        ax.ecdf(array, label="\n".join(part for part in said if part))
    ax.set_xlim(low, high)
    ax.set_ylim(0.0, 1.0)
    ax.set_xlabel(axis_label(next(iter(runs.values()))))
    ax.set_ylabel("share of sites")
    ax.legend(frameon=False, fontsize="small")
    return ax


def _runs(scores: Any, name: Hashable, by: Hashable | None, problems: Problems) -> dict[str, xr.DataArray]:
    several = {"": scores} if isinstance(scores, xr.Dataset) or not isinstance(scores, Mapping) else scores
    if not several:
        problems.add("scores", expected="at least one run", got="none", fix='{"name": scores}')
    for label, each in several.items():
        subject = f"scores[{label!r}]" if label else "scores"
        if not isinstance(each, xr.Dataset):
            problems.add(subject, expected="a Dataset", got=short(each), fix="xdpl.evaluation.metrics")
        elif name not in each:
            known = ", ".join(map(str, each.data_vars))
            problems.add(subject, expected=f"a variable {name!r}", got=known, fix="name one of these")
        elif by is not None and by not in each[name].dims:
            dims = ", ".join(map(str, each[name].dims)) or "none"
            problems.add(
                "by", expected=f"a dim of {subject}", got=f"{by!r} of dims {dims}", fix="leave it out"
            )
        else:
            check_units(each[name], f'{subject}["{name}"]', problems)
    problems.raise_if_any()
    runs: dict[str, xr.DataArray] = {}
    for label, each in several.items():
        runs |= {_joined(label, part): array for part, array in _parts(each[name], by).items()}
    first = next(iter(runs.values()))
    target = units.read(first)
    assert target is not None
    # As an axis shows them.
    attrs = {"long_name": first.attrs.get("long_name", name), "units": units_label(first)}
    runs = {k: in_units(a, target, problems, subject=k).assign_attrs(attrs) for k, a in runs.items()}
    problems.raise_if_any()
    return runs


def _parts(array: xr.DataArray, by: Hashable | None) -> dict[str, xr.DataArray]:
    if by is None:
        return {"": array}
    return {str(label): array.isel({by: i}) for i, label in enumerate(array[by].values.tolist())}


def _joined(label: Any, part: str) -> str:
    return ", ".join(text for text in (str(label), part) if text)


def _limits(name: Hashable, found: np.ndarray) -> tuple[float, float]:
    if metric(name) is not None:
        scale, _ = colours(name, found)
        if scale:
            return scale["vmin"], scale["vmax"]
    finite = found[np.isfinite(found)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    margin = 0.02 * (high - low) or 0.5
    return low - margin, high + margin
