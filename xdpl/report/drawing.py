"""Pictures of matplotlib as SVG inside a page: in the colours of the theme, nothing from outside."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from xdpl.report.elements import escape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["FIRST", "GREY", "INK", "SECOND", "axes", "style", "svg"]

INK = "#010203"
"""Becomes the colour of the text of the page."""
# As far from white as from the dark page.
FIRST, SECOND, THIRD, GREY = "#2f7fc1", "#d0691c", "#2b9a72", "#8a8a8a"

# Sharp on screens with two pixels for one.
_DPI = 144

_STYLE = {
    "axes.edgecolor": INK,
    "axes.facecolor": "none",
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9,
    "figure.facecolor": "none",
    "figure.dpi": _DPI,
    "font.family": "sans-serif",
    "font.size": 8.5,
    "legend.frameon": False,
    "lines.linewidth": 1.1,
    "savefig.dpi": _DPI,
    "savefig.facecolor": "none",
    # Text stays text: small, and it can be searched.
    "svg.fonttype": "none",
    # Names in data may have dollar signs.
    "text.parse_math": False,
    "svg.hashsalt": "xdpl",
    "text.color": INK,
    "xtick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.color": INK,
    "ytick.major.width": 0.6,
}
# The font of the page is taken instead.
_FONT = re.compile(r"(font: [\d.]+px )[^;\"]*")
_NAMESPACES = re.compile(r' xmlns(?::xlink)?="[^"]*"')
_IDS = re.compile(r' id="([^"]+)"')


@contextmanager
def style() -> Iterator[None]:
    """The style of the pages, whatever the user has set for other pictures."""
    import matplotlib as mpl
    from cycler import cycler

    with mpl.rc_context():
        mpl.rcdefaults()
        options: Any = _STYLE | {"axes.prop_cycle": cycler(color=[FIRST, SECOND, THIRD, GREY])}
        mpl.rcParams.update(options)
        yield


def axes(width: float, height: float) -> tuple[Figure, Axes]:
    """One pair of axes in a figure that no screen knows; sizes in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def svg(figure: Figure, name: str, text: str) -> str:
    """A figure as an SVG element.

    Parameters
    ----------
    figure : Figure
        Drawn in `style`.
    name : str
        Before its ids, so that none is twice in a page.
    text : str
        What it shows, for those who do not see it.
    """
    file = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(file, format="svg", metadata=nothing)
    drawn = file.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    drawn = re.sub(r"<metadata>.*?</metadata>\s*", "", drawn, flags=re.DOTALL)
    head, body = drawn.split(">", 1)
    box = re.search(r'viewBox="([^"]*)"', head)
    assert box is not None
    width = float(box[1].split()[2])
    body = _FONT.sub(r"\1sans-serif", _own_ids(body, name)).replace("xlink:href", "href")
    body = _NAMESPACES.sub("", body).replace(INK, "currentColor")
    label = escape(text)
    return (
        f'<svg viewBox="{box[1]}" role="img" aria-label="{label}" style="--width:{width * 4 / 3:.0f}px">'
        f"<title>{label}</title>{body.strip()}"
    )


def _own_ids(body: str, name: str) -> str:
    """Ids that something refers to get a name before them; the others go."""
    used = set(re.findall(r'href="#([^"]+)"', body)) | set(re.findall(r"url\(#([^)]+)\)", body))
    body = _IDS.sub(lambda m: f' id="{name}-{m[1]}"' if m[1] in used else "", body)
    body = re.sub(r'href="#', f'href="#{name}-', body)
    return re.sub(r"url\(#", f"url(#{name}-", body)
