"""Pictures of a fit; every function takes axes and returns matplotlib objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl.errors import Problems
from xdpl.labelled.attrs import axis_label
from xdpl.labelled.lookup import in_units

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from xdpl.fit import Fit

__all__ = ["FitPlot", "maps"]


class FitPlot:
    """Pictures of one fit, reached as ``fit.plot``."""

    __slots__ = ("_fit",)

    def __init__(self, fit: Fit) -> None:
        self._fit = fit

    def history(self, *, ax: Axes | None = None) -> Axes:
        """Learning curve: loss and validation loss over epochs, best epoch marked."""
        ax = _axes(ax)
        history = self._fit.history
        for name, label in (("loss", "training"), ("validation_loss", "validation")):
            if bool(history[name].notnull().any()):
                ax.plot(history["epoch"], history[name], label=label)
        if self._fit.settings["validate"]:
            best = self._fit.settings["best_epoch"]
            ax.axvline(best, color="0.6", linewidth=1, zorder=0, label=f"best epoch, {best}")
        ax.set_xlabel("epoch")
        ax.set_ylabel(f"loss ({self._fit.settings['loss']})")
        if ax.lines:
            ax.legend(frameon=False)
        return ax

    def parameters(self, ds: xr.Dataset, names: Sequence[str] | None = None) -> Figure:
        """Maps of learned parameters, each with its own colour scale.

        Parameters
        ----------
        ds : Dataset
            With the attributes of the fit and latitude and longitude.
        names : sequence of str, optional
            Parameters to show; all if not given.
        """
        theta = self._fit.parameters(ds)
        return maps(theta[list(names)] if names else theta)

    def series(self, ds: xr.Dataset, site: Mapping[str, Any], *, ax: Axes | None = None) -> Axes:
        """Observed and simulated target at one site, over time.

        Parameters
        ----------
        ds : Dataset
            As for `Fit.simulate`.
        site : mapping of dimension to integer position
            Such as ``{"lat": 3, "lon": 7}``.
        ax : Axes, optional
        """
        ax = _axes(ax)
        simulated, observed = self._pair(ds.isel({k: [v] for k, v in site.items()}))
        simulated, observed = simulated.squeeze(list(site)), observed.squeeze(list(site))
        ax.plot(simulated["time"], simulated, color="C0", linewidth=1, label="simulated")
        ax.plot(observed["time"], observed, ".", color="0.3", markersize=3, label="observed")
        ax.set_ylabel(axis_label(simulated))
        ax.set_title(", ".join(f"{k} {v}" for k, v in site.items()))
        ax.legend(frameon=False)
        return ax

    def scatter(self, ds: xr.Dataset, *, time: slice | None = None, ax: Axes | None = None) -> Axes:
        """Observed against simulated target, all sites, as a density of points."""
        ax = _axes(ax)
        simulated, observed = self._pair(ds)
        if time is not None:
            simulated, observed = simulated.sel(time=time), observed.sel(time=time)
        simulated, observed = xr.broadcast(simulated, observed)
        both = np.isfinite(simulated.values) & np.isfinite(observed.values)
        if not both.any():
            problems = Problems("plot")
            variable = self._fit.settings["target_variable"]
            problems.add(
                variable, expected="observations to show", got="none", fix="another period or other sites"
            )
            problems.raise_all()
        x, y = observed.values[both], simulated.values[both]
        ax.hexbin(x, y, gridsize=60, mincnt=1, bins="log", cmap="viridis")
        low, high = min(x.min(), y.min()), max(x.max(), y.max())
        ax.plot([low, high], [low, high], color="0.3", linewidth=1)
        ax.set_xlabel(f"observed {axis_label(simulated)}")
        ax.set_ylabel(f"simulated {axis_label(simulated)}")
        ax.set_aspect("equal")
        return ax

    def _pair(self, ds: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
        output, variable = self._fit.settings["target"], self._fit.settings["target_variable"]
        problems = Problems("plot")
        if variable not in ds:
            problems.add(
                variable,
                expected="the observed target in the dataset",
                got="no such variable",
                fix=f'ds = ds.rename({{"<variable>": "{variable}"}})',
            )
            problems.raise_all()
        simulated = self._fit.simulate(ds, outputs=[output])[output]
        observed = in_units(ds[variable], simulated.attrs["units"], problems)
        problems.raise_if_any()
        return simulated, observed


def maps(theta: xr.Dataset, *, columns: int = 4) -> Figure:
    """One map per variable: a mesh on a latitude-longitude grid, else points.

    Parameters
    ----------
    theta : Dataset
        Static variables with units, on ``(lat, lon)`` or on sites with latitude
        and longitude coordinates.
    columns : int
        Maps per row.

    Raises
    ------
    InputErrors
        If there are no latitude and longitude coordinates.
    """
    import matplotlib.pyplot as plt

    lat, lon = (_coordinate(theta, kind) for kind in ("latitude", "longitude"))
    names = list(theta.data_vars)
    columns = min(columns, len(names))
    rows = -(-len(names) // columns)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(3.2 * columns, 2.4 * rows),
        squeeze=False,
        layout="constrained",
        sharex=True,
        sharey=True,
    )
    for ax, name in zip(axes.flat, names, strict=False):
        array = theta[name]
        if lat.dims != lon.dims and array.ndim == 2:
            drawn = ax.pcolormesh(lon, lat, array.transpose(*lat.dims, *lon.dims), shading="nearest")
        else:
            # Each of the three may have its own order of dims.
            x, y, values = (a.values.ravel() for a in xr.broadcast(lon, lat, array))
            drawn = ax.scatter(x, y, c=values, s=12, marker="s")
        figure.colorbar(drawn, ax=ax, shrink=0.85)
        ax.set_title(f"{name} ({array.attrs['units']})", fontsize=9)
        ax.tick_params(labelsize=7)
    for ax in axes.flat[len(names) :]:
        ax.set_visible(False)
    figure.supxlabel("longitude (degrees east)", fontsize=9)
    figure.supylabel("latitude (degrees north)", fontsize=9)
    return figure


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def _coordinate(ds: xr.Dataset, kind: str) -> xr.DataArray:
    for name, coordinate in ds.coords.items():
        if coordinate.attrs.get("standard_name") == kind or name in (kind, kind[:3]):
            return coordinate
    problems = Problems("plot")
    problems.add(
        kind,
        expected=f"a coordinate named {kind[:3]!r} or with standard_name {kind!r}",
        got=f"coordinates {', '.join(map(str, ds.coords)) or 'none'}",
        fix=f"ds = ds.assign_coords({kind[:3]}=...)",
    )
    problems.raise_all()
