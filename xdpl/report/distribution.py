"""How a metric is distributed over sites, as a picture that several sections have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from xdpl.report.drawing import GREY, axes, style, svg
from xdpl.report.elements import figure

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["distribution"]


def distribution(runs: Mapping[str, xr.Dataset], metric: str, name: str, caption: str) -> str:
    """A figure with a line for each run.

    Parameters
    ----------
    runs : mapping of str to Dataset
        As for `xdpl.plot.cdf`; each with a value.
    metric, name, caption : str
        What is shown, the name of the picture, and what it says.
    """
    from xdpl.plot import cdf

    with style():
        drawing, ax = axes(6.4, 2.6)
        cdf(runs, metric, ax=ax)
        # The line of the median, light on white, would be the brightest on a dark page.
        ax.lines[0].set_color(GREY)
        ax.lines[0].set_linewidth(0.5)
        return figure(svg(drawing, name, caption), caption, wide=True)
