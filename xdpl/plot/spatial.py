"""Maps of static variables: parameters, scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl.errors import Problems, short
from xdpl.plot.colours import colours
from xdpl.plot.inputs import check_units, units_label, values

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["maps"]

_LABELS = {"x": "longitude (degrees east)", "y": "latitude (degrees north)"}


def maps(
    theta: xr.Dataset, *, columns: int = 4, ax: Axes | Sequence[Axes] | np.ndarray | None = None
) -> Figure:
    """One map per variable: a mesh on a latitude-longitude grid, else points.

    Parameters
    ----------
    theta : Dataset
        Static variables with units, on ``(lat, lon)`` or on sites with latitude
        and longitude coordinates. Metrics, known by their names, have a colour scale of
        their own: efficiencies and correlations from -0.2 to 1, errors with the largest
        10 % beyond its ends, signed errors with white at zero.
    columns : int
        Maps per row of a new figure.
    ax : Axes or sequence of Axes, optional
        Where to draw, one for each variable in order; a new figure if not given.

    Returns
    -------
    Figure
        That of the axes.

    Raises
    ------
    InputErrors
        If there are no latitude and longitude coordinates, a variable has other
        dimensions or no units, or the number of axes is not that of the variables.
    """
    problems = Problems("plot")
    lat, lon = (_coordinate(theta, kind, problems) for kind in ("latitude", "longitude"))
    if not theta.data_vars:
        problems.add("theta", expected="at least one variable", got="none", fix="name some of a dataset")
    for name, array in theta.data_vars.items():
        check_units(array, f'theta["{name}"]', problems)
        if lat is not None and lon is not None:
            _check_dims(array, {*lat.dims, *lon.dims}, problems)
    given = None if ax is None else _given(ax, list(theta.data_vars), problems)
    problems.raise_if_any()
    # The figure of a figure is itself, that of a subfigure the whole.
    figure, axes = _grid(len(theta.data_vars), columns) if given is None else (given[0].figure.figure, given)
    for each, (name, array) in zip(axes, theta.data_vars.items(), strict=True):
        scale, extend = colours(name, values(array))
        drawn = _draw(each, array, lat, lon, scale)
        bar = each.figure.colorbar(drawn, ax=each, shrink=0.85, extend=extend)
        bar.ax.tick_params(labelsize=7)
        each.set_title(f"{name} ({units_label(array)})", fontsize=9)
        each.tick_params(labelsize=7)
        if given is not None:
            each.set_xlabel(_LABELS["x"], fontsize=9)
            each.set_ylabel(_LABELS["y"], fontsize=9)
    return figure


def _draw(ax: Axes, array: xr.DataArray, lat: Any, lon: Any, scale: dict[str, Any]) -> Any:
    if lat.dims != lon.dims and array.ndim == 2:
        mesh = values(array.transpose(*lat.dims, *lon.dims))
        return ax.pcolormesh(values(lon), values(lat), mesh, shading="nearest", **scale)
    # Each of the three may have its own order of dims.
    x, y, colour = (values(a).ravel() for a in xr.broadcast(lon, lat, array))
    return ax.scatter(x, y, c=colour, s=12, marker="s", edgecolors="0.6", linewidths=0.3, **scale)


def _grid(count: int, columns: int) -> tuple[Figure, list[Axes]]:
    import matplotlib.pyplot as plt

    columns = min(columns, count)
    rows = -(-count // columns)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(3.2 * columns, 2.4 * rows),
        squeeze=False,
        layout="constrained",
        sharex=True,
        sharey=True,
    )
    for ax in axes.flat[count:]:
        ax.set_visible(False)
    for ax in axes.flat[max(count - columns, 0) : count]:
        # Shared axes have labels in the last row only, which may be hidden.
        ax.tick_params(labelbottom=True)
    figure.supxlabel(_LABELS["x"], fontsize=9)
    figure.supylabel(_LABELS["y"], fontsize=9)
    return figure, list(axes.flat[:count])


def _given(ax: Any, names: list[Any], problems: Problems) -> list[Axes]:
    from matplotlib.axes import Axes

    axes = list(np.ravel(np.asarray(ax, dtype=object)))
    wrong = [each for each in axes if not isinstance(each, Axes)]
    expected = f"{len(names)} axes, for {', '.join(map(str, names))}"
    fix = f"ax=plt.subplots(1, {len(names)})[1]"
    if wrong:
        problems.add("ax", expected=expected, got=short(wrong[0]), fix=fix)
    elif len(axes) != len(names):
        problems.add("ax", expected=expected, got=str(len(axes)), fix=fix)
    return axes


def _coordinate(ds: xr.Dataset, kind: str, problems: Problems) -> xr.DataArray | None:
    for name, coordinate in ds.coords.items():
        if coordinate.attrs.get("standard_name") == kind or name in (kind, kind[:3]):
            return coordinate
    problems.add(
        kind,
        expected=f"a coordinate named {kind[:3]!r} or with standard_name {kind!r}",
        got=f"coordinates {', '.join(map(str, ds.coords)) or 'none'}",
        fix=f"ds = ds.assign_coords({kind[:3]}=...)",
    )
    return None


def _check_dims(array: xr.DataArray, dims: set[Any], problems: Problems) -> None:
    more = [str(dim) for dim in array.dims if dim not in dims]
    if more:
        problems.add(
            str(array.name),
            expected="no dims but those of latitude and longitude",
            got=f"further dims {', '.join(more)}",
            fix=f"theta.isel({', '.join(f'{dim}=0' for dim in more)})",
        )
