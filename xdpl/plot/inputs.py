"""What pictures share: axes, labels, and the checks of what is to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.errors import short
from xdpl.labelled.host import on_host

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from xdpl.errors import Problems

__all__ = ["axes_or_new", "axis_label", "beyond", "check_site", "check_units", "units_label", "values"]


def axes_or_new(ax: Axes | None) -> Axes:
    """The axes that are given, or those of a new figure."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def values(array: xr.DataArray) -> np.ndarray:
    """Plain values of data that may be quantified, lazy or on a GPU."""
    return np.asarray(on_host(units.magnitude(array)).values)


def units_label(array: xr.DataArray) -> str:
    """Units as an axis shows them; short ones of a quantity."""
    if not units.is_quantified(array):
        return str(array.attrs["units"])
    data: Any = array.variable._data
    return f"{data.units:~D}" or "1"


def axis_label(array: xr.DataArray) -> str:
    """Long name and units, for an axis."""
    name = array.attrs.get("long_name") or array.name or "value"
    return f"{name} ({units_label(array)})"


def check_units(array: xr.DataArray, variable: str, problems: Problems) -> None:
    """Note an array without units, since every picture says them; `variable` as in code."""
    if units.read(array) is None:
        fix = f'{variable}.attrs["units"] = "<its units>"'
        problems.add(str(array.name or variable), expected="a units attribute", got="none", fix=fix)


def beyond(found: np.ndarray, low: float, high: float, what: str = "") -> str:
    """How a legend says which share of values is outside of the axes; empty if none is."""
    parts = [
        f"{_percent(outside.mean())}{' with ' * bool(what)}{what} {word} {edge:g}"
        for outside, word, edge in ((found < low, "below", low), (found > high, "above", high))
        if outside.any()
    ]
    return ", ".join(parts).replace("-", "−")


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.005 else "under 1 %"


def check_site(data: xr.Dataset | xr.DataArray, site: Mapping[str, Any], problems: Problems) -> None:
    """Note what is no position along a dimension besides time."""
    sizes = {str(dim): size for dim, size in data.sizes.items() if dim != "time"}
    for dim, position in site.items():
        if dim not in sizes:
            problems.add(
                f"site[{dim!r}]",
                expected=f"one of the dims {', '.join(sizes) or '(there are none)'}",
                got="no such dim",
                fix="leave it out",
            )
            continue
        size = sizes[dim]
        whole = isinstance(position, int | np.integer) and not isinstance(position, bool)
        if not (whole and -size <= position < size):
            problems.add(
                f"site[{dim!r}]",
                expected=f"a position from 0 to {size - 1}",
                got=short(position),
                fix=f'for a label, position = ds.indexes["{dim}"].get_loc(label)',
            )
