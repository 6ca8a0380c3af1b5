"""How a regionalisation reads in a terminal and in a notebook."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from xdpl import tables
from xdpl.regionalisation.regression import Regression

if TYPE_CHECKING:
    from xdpl.regionalisation.result import Regionalisation

__all__ = ["html", "text"]

_MEANS = {
    "outputs": "simulations with the parameters of each are averaged",
    "parameters": "their parameters are averaged",
}


def rows(regional: Regionalisation) -> list[tuple[str, str]]:
    """Facts of a regionalisation, in reading order."""
    settings, method = regional.settings, regional.method
    own = [p.name for p in method.parameters]
    others = len(regional.model.parameters) - len(own)
    lines = [
        ("model", f"{regional.model.name} ({len(regional.model.parameters)} parameters)"),
        ("target", ", ".join(f"{k} (variable {v!r})" for k, v in regional.targets.items())),
        ("carried", tables.listed(own) + (f"; {others} others at their defaults" if others else "")),
        ("method", _method(regional)),
    ]
    if regional.attributes:
        lines.append(("attributes", tables.listed(regional.attributes)))
    lines.append(("calibrated", f"{settings['training_sites']} sites"))
    if isinstance(method, Regression):
        shares = dict(zip(own, method.relation.explained, strict=True))
        said = (f"{k} constant" if math.isnan(v) else f"{k} {v:.2f}" for k, v in shares.items())
        lines.append(("explained", f"{tables.listed(said)}, leaving one out"))
    return lines


def text(regional: Regionalisation) -> str:
    """Plain table."""
    return "\n".join(["<xdpl.Regionalisation>", *tables.text(rows(regional), indent="  ")])


def html(regional: Regionalisation) -> str:
    """HTML table."""
    return f"<b>xdpl.Regionalisation</b>{tables.html(rows(regional))}"


def _method(regional: Regionalisation) -> str:
    settings = regional.settings
    if isinstance(regional.method, Regression):
        return "regression on attributes, one for each parameter"
    near = "on the globe" if settings["method"] == "nearest" else "in attributes"
    if settings["donors"] == 1:
        return f"{settings['method']}: the donor nearest {near}"
    return (
        f"{settings['method']}: the {settings['donors']} donors nearest {near}; {_MEANS[settings['average']]}"
    )
