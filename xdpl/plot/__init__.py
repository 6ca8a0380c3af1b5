"""Pictures: every function takes axes and returns matplotlib objects."""

from __future__ import annotations

from xdpl.plot.balance import budyko
from xdpl.plot.distribution import cdf
from xdpl.plot.flow import flow_duration, hydrograph
from xdpl.plot.of_fit import FitPlot
from xdpl.plot.spatial import maps
from xdpl.plot.temporal import series

__all__ = ["FitPlot", "budyko", "cdf", "flow_duration", "hydrograph", "maps", "series"]
