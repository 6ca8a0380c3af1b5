"""How a model reads in a terminal and in a notebook, from its declarations."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Any

from xdpl import tables
from xdpl.errors import short

if TYPE_CHECKING:
    from xdpl.models.base import Declaration, Model, Parameter

__all__ = ["html", "text", "title"]

_RIGHT = (3,)


def title(model: Model) -> str:
    """Class and options, such as ``HBV(variant='plain', snow_range=0.0, dt=1.0)``."""
    fields: Iterable[Any] = dataclasses.fields(model) if dataclasses.is_dataclass(model) else ()
    options = (f"{f.name}={short(getattr(model, f.name, None))}" for f in fields if f.repr)
    return f"{type(model).__name__}({', '.join(options)})"


def text(model: Model) -> str:
    """Title, table of parameters, lists of what goes in and comes out."""
    head, rows = _parameters(model)
    table = ["", *tables.text([head, *rows], right=_RIGHT)] if rows else []
    return "\n".join([title(model), *table, "", *tables.text(_lists(model))])


def html(model: Model) -> str:
    """The same as HTML."""
    head, rows = _parameters(model)
    table = tables.html(rows, head=head, right=_RIGHT) if rows else ""
    return f"<b>{escape(title(model))}</b>{table}{tables.html(_lists(model))}"


def _parameters(model: Model) -> tuple[list[str], list[list[str]]]:
    declared: tuple[Parameter, ...] = getattr(model, "parameters", ())
    ends = [(_number(p.lower), _number(p.upper)) for p in declared]
    # Both sides of the dash are aligned.
    before, after = (max((len(pair[i]) for pair in ends), default=0) for i in (0, 1))
    columns = {
        "parameter": [p.name for p in declared],
        "range": [f"{lower.rjust(before)} – {upper.ljust(after)}" for lower, upper in ends],
        "units": [p.units for p in declared],
        "default": [_number(p.default) for p in declared],
        "scale": ["log" if p.scale == "log" else "" for p in declared],
        "meaning": [p.long_name for p in declared],
    }
    if not any(columns["scale"]):
        del columns["scale"]
    return list(columns), [list(row) for row in zip(*columns.values(), strict=True)]


def _number(value: float) -> str:
    return f"{value:.10g}"


def _lists(model: Model) -> list[list[str]]:
    # A model under development may lack any of these; its repr is then needed most.
    forcings, states, fluxes = (getattr(model, kind, ()) for kind in ("forcings", "states", "fluxes"))
    main: tuple[str, ...] = getattr(model, "outputs", ())
    known = {declared.name: declared for declared in (*fluxes, *states)}
    routes = getattr(model, "routes", ())
    lists = {
        "forcings": _with_units(forcings),
        "states": _with_units(states),
        "outputs": _with_units(known[name] for name in main if name in known),
        "more fluxes": _with_units(flux for flux in fluxes if flux.name not in main),
        "routes": tables.listed(f"{r.flux} ({type(r).__name__}, {r.length} steps)" for r in routes),
    }
    optional = ("more fluxes", "routes")
    return [[kind, items or "none"] for kind, items in lists.items() if items or kind not in optional]


def _with_units(declared: Iterable[Declaration]) -> str:
    return tables.listed(f"{d.name} ({d.units})" for d in declared)
