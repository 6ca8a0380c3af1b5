"""Values over time at one site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl.errors import Problems, short
from xdpl.plot.inputs import axes_or_new, axis_label, check_site, check_units, values

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["check_single", "draw", "place", "series", "times"]


def series(array: xr.DataArray, site: Mapping[str, int] | None = None, *, ax: Axes | None = None) -> Axes:
    """Values at one site over time, labelled with long name and units.

    Parameters
    ----------
    array : DataArray
        With a `time` dimension and units in the attributes or pint-quantified, such
        as an output of `simulate`. Only the site that is shown is computed.
    site : mapping of dimension to integer position, optional
        Such as ``{"lat": 3, "lon": 7}``. Dimensions of size one may be left out.
    ax : Axes, optional
        Where to draw; a new figure if not given. Several series may share axes: the
        lines carry the name of their variable for a legend.

    Returns
    -------
    Axes

    Raises
    ------
    InputErrors
        If there is no time or there are no units, or if `site` does not leave one
        series.

    Examples
    --------
    >>> import xdpl
    >>> sim = xdpl.data.twin(shape=(2, 2), years=1).dpl.simulate("vic")
    >>> ax = xdpl.plot.series(sim["soil_moisture"], {"lat": 0, "lon": 1})
    """
    problems = Problems("plot")
    _check_array(array, problems)
    site = site or {}
    check_site(array, site, problems)
    problems.raise_if_any()
    one = array.isel(site)
    check_single(one, problems)
    check_units(one, "array", problems)
    problems.raise_if_any()
    ax = axes_or_new(ax)
    draw(one, ax, linewidth=1, label=str(array.name or "value"))
    ax.set_ylabel(axis_label(one))
    if site:
        ax.set_title(place(site))
    return ax


def _check_array(array: Any, problems: Problems) -> None:
    if not isinstance(array, xr.DataArray):
        fix = 'take one variable, such as sim["soil_moisture"]'
        problems.add("array", expected="a DataArray", got=short(array), fix=fix)
        problems.raise_all()


def check_single(array: xr.DataArray, problems: Problems) -> None:
    """Note an array that is not one series over time."""
    name = str(array.name or "array")
    if "time" not in array.dims:
        dims = ", ".join(map(str, array.dims)) or "none"
        problems.add(name, expected="a dim 'time'", got=f"dims {dims}", fix="take an output of simulate")
    more = {str(dim): size for dim, size in array.sizes.items() if dim != "time" and size != 1}
    if more:
        problems.add(
            name,
            expected="one series over time",
            got=f"further dims {', '.join(f'{dim} of size {size}' for dim, size in more.items())}",
            fix=f"name positions in site, such as {dict.fromkeys(more, 0)}",
        )


def draw(array: xr.DataArray, ax: Axes, *style: str, **options: Any) -> None:
    """A line of one series; style and options as in `Axes.plot`."""
    ax.plot(times(array, ax), values(array).reshape(-1), *style, **options)


def times(array: xr.DataArray, ax: Axes) -> np.ndarray:
    """Times as matplotlib draws them; their axis is made fit for them."""
    time = array["time"]
    if time.dtype.kind == "O":
        # matplotlib knows no dates of other calendars.
        time = time.dt.decimal_year
        ax.set_xlabel("year")
    elif time.dtype.kind == "M":
        _short_dates(ax)
    return np.asarray(time.values)


def _short_dates(ax: Axes) -> None:
    # The default writes the year and month at every tick: they overlap on small axes.
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator()
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def place(site: Mapping[str, Any]) -> str:
    """How a title names a site."""
    return ", ".join(f"{dim} {position}" for dim, position in site.items())
