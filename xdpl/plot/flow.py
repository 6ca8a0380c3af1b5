"""Streamflow, simulated and observed: over time, and by how long it is exceeded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.errors import Problems, short
from xdpl.evaluation.checks import check_labels
from xdpl.labelled.lookup import in_units
from xdpl.plot.inputs import axes_or_new, check_site, check_units, units_label, values
from xdpl.plot.temporal import check_single, draw, place, times

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["flow_duration", "hydrograph"]

_OBSERVED = {"color": "0.25", "linewidth": 1.2}
# More points than a line can show.
_POINTS = 1000


def hydrograph(
    simulated: xr.DataArray | Mapping[str, xr.DataArray],
    observed: xr.DataArray | None = None,
    site: Mapping[str, int] | None = None,
    *,
    precipitation: xr.DataArray | None = None,
    time: slice | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Streamflow at one site over time, with precipitation from above.

    Parameters
    ----------
    simulated : DataArray or mapping of name to DataArray
        With a `time` dimension and units; several by the names of the legend.
    observed : DataArray, optional
        Same labels along shared dims, units that convert.
    site : mapping of dimension to integer position, optional
        Such as ``{"basin": 3}``. Dimensions of size one may be left out.
    precipitation : DataArray, optional
        Same labels along shared dims; in its own units, on an axis of its own.
    time : slice, optional
        Period that is shown, by dates; all if not given.
    ax : Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes
        Those of the streamflow, in units of `observed`, else of the first simulated.

    Raises
    ------
    InputErrors
        If time or units are missing, units do not convert, labels differ, or `site` does not leave
        one series of each.

    Examples
    --------
    >>> import xdpl
    >>> ds = xdpl.data.twin(shape=(2, 2), years=1)
    >>> site = {"lat": 0, "lon": 1}
    >>> runoff = ds.dpl.simulate("vic")["runoff"]
    >>> ax = xdpl.plot.hydrograph(runoff, site=site, precipitation=ds["precipitation"])
    """
    problems = Problems("plot")
    given = _given(simulated, observed, precipitation, problems)
    given = _selected(given, site or {}, time, problems)
    for array in given.values():
        check_single(array, problems)
    problems.raise_if_any()
    rain = given.pop("precipitation") if precipitation is not None else None
    lines = _in_one_unit(given, problems)
    ax = axes_or_new(ax)
    for (name, array), style in zip(lines.items(), _styles(lines, observed), strict=True):
        draw(array, ax, label=name, **style)
    top = max((float(np.nanmax(values(a), initial=0.0)) for a in lines.values()), default=0.0) or 1.0
    ax.set_ylim(0.0, top * (1.05 if rain is None else 1.5))
    ax.set_ylabel(f"streamflow ({_units(lines)})")
    if site:
        ax.set_title(place(site), loc="left")
    if rain is not None:
        _from_above(rain, ax)
    # Beside the title: inside it would hide peaks, or precipitation.
    ax.legend(
        frameon=False,
        fontsize="small",
        ncols=len(lines),
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        borderaxespad=0.2,
    )
    return ax


def flow_duration(
    simulated: xr.DataArray | Mapping[str, xr.DataArray],
    observed: xr.DataArray | None = None,
    site: Mapping[str, int] | None = None,
    *,
    time: slice | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Flow duration curves: how much of the time a flow is exceeded.

    Parameters
    ----------
    simulated, observed
        As in `hydrograph`.
    site : mapping of dimension to integer position, optional
        Dimensions that it leaves out are pooled: all of them if it is not given.
    time : slice, optional
        Period that counts, by dates; all if not given.
    ax : Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes
        Logarithmic in the flow: a curve ends where there is none.

    Raises
    ------
    InputErrors
        If time or units are missing, units do not convert, labels differ, or there is no day on which
        all are known.

    Notes
    -----
    All curves are of the days on which all are known. The probability that the m-th largest of n
    flows is exceeded is m / (n + 1).

    Examples
    --------
    >>> import xdpl
    >>> runoff = xdpl.data.twin(shape=(2, 2), years=1).dpl.simulate("vic")["runoff"]
    >>> ax = xdpl.plot.flow_duration(runoff)
    """
    problems = Problems("plot")
    given = _selected(_given(simulated, observed, None, problems), site or {}, time, problems)
    lines = _in_one_unit(given, problems)
    curves = _known(lines, problems)
    ax = axes_or_new(ax)
    for (name, curve), style in zip(curves.items(), _styles(lines, observed), strict=True):
        ax.plot(*_exceeded(curve), label=name, **style)
    ax.set_yscale("log")
    first = next(iter(curves.values()))
    if (first > 0.0).any():
        # Simulated flows fall without end where none is left: they would flatten what is of interest.
        lowest = float(first[first > 0.0].min())
        ax.set_ylim(bottom=max(lowest / 3.0, float(first.max()) * 1e-6))
    ax.set_xlim(0.0, 100.0)
    ax.set_xlabel("time that the flow is exceeded (%)")
    ax.set_ylabel(f"streamflow ({_units(lines)})")
    if site:
        ax.set_title(place(site))
    ax.legend(frameon=False)
    return ax


def _given(simulated: Any, observed: Any, precipitation: Any, problems: Problems) -> dict[str, xr.DataArray]:
    """What is to be shown by its label, the observed first."""
    several = simulated if isinstance(simulated, Mapping) else {"simulated": simulated}
    if isinstance(simulated, xr.Dataset) or not several:
        several = {"simulated": simulated}
    given = {} if observed is None else {"observed": observed}
    given |= {str(name): array for name, array in several.items()}
    if precipitation is not None:
        given["precipitation"] = precipitation
    for name, array in given.items():
        if not isinstance(array, xr.DataArray):
            fix = 'take one variable, such as sim["streamflow"]'
            problems.add(name, expected="a DataArray", got=short(array), fix=fix)
    if len(given) != len(several) + (observed is not None) + (precipitation is not None):
        fix = "other names"
        problems.add("simulated", expected="names that are free", got=", ".join(map(str, several)), fix=fix)
    problems.raise_if_any()
    return given


def _selected(
    given: dict[str, xr.DataArray], site: Mapping[str, int], time: slice | None, problems: Problems
) -> dict[str, xr.DataArray]:
    arrays = list(given.items())
    for name, array in arrays:
        check_units(array, name, problems)
        if "time" not in array.dims:
            check_single(array, problems)
        check_labels(problems, name, arrays[0][1], array)
    # A dim of one of them will do: a simulation has members.
    sizes = {dim: (dim, size) for _, array in arrays for dim, size in array.sizes.items()}
    everything = xr.DataArray(np.broadcast_to(0.0, [n for _, n in sizes.values()]), dims=list(sizes))
    check_site(everything, site, problems)
    problems.raise_if_any()
    chosen = {n: a.isel({k: v for k, v in site.items() if k in a.dims}) for n, a in arrays}
    return chosen if time is None else {name: array.sel(time=time) for name, array in chosen.items()}


def _in_one_unit(given: dict[str, xr.DataArray], problems: Problems) -> dict[str, xr.DataArray]:
    first = next(iter(given.values()))
    target = units.read(first)
    assert target is not None
    lines = {name: in_units(array, target, problems, subject=name) for name, array in given.items()}
    problems.raise_if_any()
    # As an axis shows them.
    return {name: array.assign_attrs(units=units_label(first)) for name, array in lines.items()}


def _units(lines: Mapping[str, xr.DataArray]) -> str:
    return units_label(next(iter(lines.values())))


def _styles(lines: Mapping[str, xr.DataArray], observed: xr.DataArray | None) -> list[dict[str, Any]]:
    first = [] if observed is None else [_OBSERVED]
    return first + [{"color": f"C{i}", "linewidth": 1.0} for i in range(len(lines) - len(first))]


def _from_above(rain: xr.DataArray, ax: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    above = ax.twinx()
    amount = values(rain).reshape(-1)
    most = float(np.nanmax(amount, initial=0.0)) or 1.0
    above.fill_between(times(rain, ax), 0.0, amount, step="mid", color="lightsteelblue", linewidth=0)
    above.set_ylim(3.0 * most, 0.0)
    above.set_yticks([tick for tick in MaxNLocator(3).tick_values(0.0, most) if tick <= most])
    above.set_ylabel(f"precipitation ({units_label(rain)})", loc="top")
    # Lines of the flow before the area of the rain.
    ax.set_zorder(above.get_zorder() + 1)
    ax.patch.set_visible(False)


def _known(lines: Mapping[str, xr.DataArray], problems: Problems) -> dict[str, np.ndarray]:
    """Values of the days on which all are known, the largest first."""
    wide = [values(array) for array in xr.broadcast(*lines.values())]
    known = ~np.isnan(wide).any(axis=0)
    if not known.any():
        problems.add(
            ", ".join(lines),
            expected="days on which all are known",
            got="none",
            fix="another period or other sites",
        )
        problems.raise_all()
    return {name: np.sort(array[known])[::-1] for name, array in zip(lines, wide, strict=True)}


def _exceeded(curve: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Percent of the time, and the flow: every one at both ends, some in between."""
    n = curve.size
    ends = np.arange(min(_POINTS, n))
    shown = np.unique(np.concatenate([ends, n - 1 - ends, np.linspace(0, n - 1, _POINTS).astype(int)]))
    return 100.0 * (shown + 1) / (n + 1), np.where(curve[shown] > 0.0, curve[shown], np.nan)
