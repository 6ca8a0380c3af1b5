"""Pictures: every function takes axes and returns matplotlib objects."""

from __future__ import annotations

from xdpl.plot.of_fit import FitPlot
from xdpl.plot.spatial import maps
from xdpl.plot.temporal import series

__all__ = ["FitPlot", "maps", "series"]
