"""Pictures of a fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl.errors import Problems
from xdpl.evaluation import flow_metrics, metrics
from xdpl.evaluation.declared import FLOW_METRICS, METRICS
from xdpl.labelled import schema
from xdpl.labelled.host import on_host
from xdpl.models.weather import PRECIPITATION
from xdpl.plot.distribution import cdf
from xdpl.plot.flow import flow_duration, hydrograph
from xdpl.plot.inputs import axes_or_new, axis_label
from xdpl.plot.pairs import at_site, pair
from xdpl.plot.spatial import maps
from xdpl.plot.temporal import check_single, draw, place

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from xdpl.fit import Fit
    from xdpl.models.base import Declaration

__all__ = ["FitPlot"]


class FitPlot:
    """Pictures of one fit, reached as ``fit.plot``."""

    __slots__ = ("_fit",)

    def __init__(self, fit: Fit) -> None:
        self._fit = fit

    def history(self, *, ax: Axes | None = None) -> Axes:
        """Learning curve: loss and validation loss over epochs, best epoch marked."""
        ax = axes_or_new(ax)
        history = self._fit.history
        for name, label in (("loss", "training"), ("validation_loss", "validation")):
            if bool(history[name].notnull().any()):
                ax.plot(history["epoch"], history[name], label=label)
        if self._fit.settings["validate"]:
            best = self._fit.settings["best_epoch"]
            ax.axvline(best, color="0.6", linewidth=1, zorder=0, label=f"best epoch, {best}")
        ax.set_xlabel("epoch")
        loss = ", ".join(dict.fromkeys(self._fit.settings["loss"].values()))
        # The other losses are ratios; of several targets units may differ.
        single = len(self._fit.targets) == 1 and loss in ("rmse", "site_rmse")
        units_too = f", {self._target.units}" if single else ""
        ax.set_ylabel(f"loss ({loss}{units_too})")
        if ax.lines:
            ax.legend(frameon=False)
        return ax

    def parameters(
        self,
        ds: xr.Dataset,
        names: str | Sequence[str] | None = None,
        *,
        ax: Axes | Sequence[Axes] | np.ndarray | None = None,
    ) -> Figure:
        """Maps of learned parameters, each with its own colour scale; of members and in time, the mean.

        Parameters
        ----------
        ds : Dataset
            With the attributes of the fit and latitude and longitude.
        names : str or sequence of str, optional
            Parameters to show; all if not given.
        ax : Axes or sequence of Axes, optional
            Where to draw, one for each parameter; a new figure if not given.
        """
        names = [names] if isinstance(names, str) else names
        known = [parameter.name for parameter in self._fit.model.parameters]
        problems = Problems("plot")
        for name in names or ():
            if name not in known:
                problems.add("names", expected=f"among {', '.join(known)}", got=repr(name), fix="remove it")
        problems.raise_if_any()
        theta = self._fit.parameters(ds)[list(names or known)]
        return maps(xr.Dataset(dict(map(_still, theta.data_vars.values()))), ax=ax)

    def series(
        self, ds: xr.Dataset, site: Mapping[str, Any], *, target: str | None = None, ax: Axes | None = None
    ) -> Axes:
        """Observed and simulated target at one site, over time.

        Parameters
        ----------
        ds : Dataset
            As for `Fit.simulate`.
        site : mapping of dimension to integer position
            Such as ``{"lat": 3, "lon": 7}``.
        target : str, optional
            Of several targets the one that is shown; the first if not given.
        ax : Axes, optional
        """
        problems = Problems("plot")
        simulated, observed = pair(self._fit, at_site(ds, site, problems), target)
        for array in (simulated, observed):
            check_single(array, problems)
        problems.raise_if_any()
        ax = axes_or_new(ax)
        draw(simulated, ax, color="C0", linewidth=1, label="simulated")
        draw(observed, ax, ".", color="0.3", markersize=3, label="observed")
        ax.set_ylabel(axis_label(simulated))
        ax.set_title(place(site))
        ax.legend(frameon=False)
        return ax

    def hydrograph(
        self,
        ds: xr.Dataset,
        site: Mapping[str, Any],
        *,
        time: slice | None = None,
        target: str | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Observed and simulated streamflow at one site as lines, with precipitation from above.

        Parameters
        ----------
        ds : Dataset
            As for `Fit.simulate`. Precipitation is shown where the model has it.
        site : mapping of dimension to integer position
            Such as ``{"basin": 3}``.
        time : slice, optional
            Period that is shown, by dates; what comes before warms the states up.
        target : str, optional
            Of several targets the one that is shown; the first if not given.
        ax : Axes, optional
        """
        one = at_site(ds, site, Problems("plot"))
        simulated, observed = pair(self._fit, one, target, time)
        rain = self._precipitation(one)
        ax = hydrograph(simulated, observed, precipitation=rain, time=time, ax=ax)
        ax.set_ylabel(axis_label(simulated))
        ax.set_title(place(site), loc="left")
        return ax

    def flow_duration(
        self,
        ds: xr.Dataset,
        site: Mapping[str, Any] | None = None,
        *,
        time: slice | None = None,
        target: str | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Flow duration curves, observed and simulated; arguments as `xdpl.plot.flow_duration`."""
        simulated, observed = pair(self._fit, at_site(ds, site or {}, Problems("plot")), target, time)
        ax = flow_duration(simulated, observed, time=time, ax=ax)
        ax.set_ylabel(axis_label(simulated))
        ax.set_title(place(site or {}))
        return ax

    def cdf(
        self,
        ds: xr.Dataset,
        name: str = "nse",
        *,
        time: slice | None = None,
        target: str | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Cumulative distribution of a metric over sites.

        Parameters
        ----------
        ds : Dataset
            As for `Fit.evaluate`.
        name : str
            Of a metric of `xdpl.evaluation.metrics` or `xdpl.evaluation.flow_metrics`.
        time : slice, optional
            Period that is scored, by dates.
        target : str, optional
            Of several targets the one that is shown; the first if not given.
        ax : Axes, optional
        """
        known = [m.name for m in (*METRICS, *FLOW_METRICS)]
        if name not in known:
            problems = Problems("plot")
            problems.add("name", expected=f"one of {', '.join(known)}", got=repr(name), fix='name="nse"')
            problems.raise_all()
        both = pair(self._fit, ds, target, time)
        if time is not None:
            both = both[0].sel(time=time), both[1].sel(time=time)
        score = metrics if name in [m.name for m in METRICS] else flow_metrics
        return cdf({self._fit.model.name: score(*both)}, name, ax=ax)

    def scatter(
        self,
        ds: xr.Dataset,
        *,
        time: slice | None = None,
        target: str | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Observed against simulated target, all sites, as a density of points."""
        simulated, observed = pair(self._fit, ds, target, time)
        if time is not None:
            simulated, observed = simulated.sel(time=time), observed.sel(time=time)
        simulated, observed = xr.broadcast(simulated, observed)
        both = np.isfinite(simulated.values) & np.isfinite(observed.values)
        if not both.any():
            problems = Problems("plot")
            variable = self._fit.targets[target or self._fit.target]
            problems.add(
                variable, expected="observations to show", got="none", fix="another period or other sites"
            )
            problems.raise_all()
        x, y = observed.values[both], simulated.values[both]
        ax = axes_or_new(ax)
        ax.hexbin(x, y, gridsize=60, mincnt=1, bins="log", cmap="viridis")
        low, high = min(x.min(), y.min()), max(x.max(), y.max())
        ax.plot([low, high], [low, high], color="0.3", linewidth=1)
        ax.set_xlabel(f"observed {axis_label(simulated)}")
        ax.set_ylabel(f"simulated {axis_label(simulated)}")
        ax.set_aspect("equal")
        return ax

    def _precipitation(self, ds: xr.Dataset) -> xr.DataArray | None:
        if PRECIPITATION.name not in [forcing.name for forcing in self._fit.model.forcings]:
            return None
        problems = Problems("plot")
        found = schema.forcings(ds, self._fit.model, self._fit.forcings_in(ds), problems)
        problems.raise_if_any()
        return on_host(found[PRECIPITATION.name].data).assign_attrs(units=PRECIPITATION.units)

    @property
    def _target(self) -> Declaration:
        return self._fit.model.output(self._fit.target)


def _still(array: xr.DataArray) -> tuple[str, xr.DataArray]:
    """A parameter without members and time, and a title that says whether it is the mean of them."""
    dims = [dim for dim in ("time", "member") if dim in array.dims]
    if not dims:
        return str(array.name), array
    return f"mean {array.name}", array.mean(dims, keep_attrs=False).assign_attrs(array.attrs)
