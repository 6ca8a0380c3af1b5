"""What a model needs, what a dataset has: a readable table that raises nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdpl import models, units
from xdpl.errors import InputError, Problems
from xdpl.labelled import schema

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.models import Model

__all__ = ["Check", "check"]


@dataclass(frozen=True)
class Row:
    """One line of a check: a forcing, and what stands for it."""

    name: str
    needed: str
    found: str
    has: str
    action: str


@dataclass(frozen=True)
class Check:
    """Result of `check`: print it, or ask `ok`.

    Parameters
    ----------
    model : str
        Name of the model.
    rows : tuple of Row
        One per forcing.
    problems : tuple of InputError
        What keeps the model from running.
    """

    model: str
    rows: tuple[Row, ...]
    problems: tuple[InputError, ...]

    @property
    def ok(self) -> bool:
        """Whether the model can run on the dataset."""
        return not self.problems

    def __repr__(self) -> str:
        head = ("forcing", "needed", "found", "units found", "")
        table = [head, *((r.name, r.needed, r.found, r.has, r.action) for r in self.rows)]
        widths = [max(len(row[i]) for row in table) for i in range(len(head))]
        lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in table]
        verdict = "ready to run" if self.ok else f"{len(self.problems)} problem(s):"
        lines = [f"{self.model}: {verdict}", *lines, *(f"- {p}" for p in self.problems)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from html import escape

        cells = ("name", "needed", "found", "has", "action")
        head = "".join(f"<th>{h}</th>" for h in ("forcing", "needed", "found", "units found", ""))
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(getattr(r, c))}</td>" for c in cells) + "</tr>" for r in self.rows
        )
        issues = "".join(f"<li>{escape(str(p))}</li>" for p in self.problems)
        verdict = "ready to run" if self.ok else "cannot run yet"
        return f"<b>{escape(self.model)}</b>: {verdict}<table><tr>{head}</tr>{body}</table><ul>{issues}</ul>"


def check(ds: xr.Dataset, model: str | Model, *, forcings: Mapping[str, str] | None = None) -> Check:
    """Say what a model needs and what a dataset has, without computing.

    Parameters
    ----------
    ds : Dataset
    model : str or Model
    forcings : mapping of str to str, optional
        Which variable is which forcing, as in `simulate`.

    Returns
    -------
    Check
        Prints as a table: needed, found, units found, converted or missing.

    Raises
    ------
    InputErrors
        Only if the model is unknown.
    """
    problems = Problems("check")
    model = models.get(model, problems.call)
    found = schema.forcings(ds, model, forcings, problems)
    rows = []
    for declared in model.forcings:
        hit = found.get(declared.name)
        if hit is None:
            rows.append(Row(declared.name, declared.units, "-", "-", "missing"))
            continue
        rows.append(
            Row(declared.name, declared.units, hit.variable, hit.units or "-", _action(hit, declared.units))
        )
    return Check(model.name, tuple(rows), tuple(problems.found))


def _action(hit: schema.Found, needed: str) -> str:
    if hit.units is None:
        return "units missing"
    text = "mean of both" if "," in hit.variable else f"÷ {hit.area}" if hit.area else ""
    try:
        slope, offset = units.linear(f"({hit.units}) m-2" if hit.area else hit.units, needed)
    except units.UnitsError:
        return text or "units do not convert"
    if (slope, offset) == (1.0, 0.0):
        return text or "as it is"
    return f"{text}, ".lstrip(", ") + f"converted: × {slope:g}" + (f" {offset:+g}" if offset else "")
