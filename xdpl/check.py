"""What a model needs, what a dataset has: a readable table that raises nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from html import escape
from typing import TYPE_CHECKING

from xdpl import models, tables, units
from xdpl.errors import InputError, Problems
from xdpl.labelled import schema
from xdpl.labelled.tree import refuse_tree

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.models import Model

__all__ = ["Check", "check"]

_HEAD = ("forcing", "needed", "found", "units found", "verdict")


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
        lines = [f"{self.model}: {self._verdict}", *tables.text([_HEAD, *map(astuple, self.rows)])]
        for problem in self.problems:
            lines += tables.wrapped(f"{_said(problem)};", "- ")
            # On one line, however long: it may be code to copy.
            lines.append(f"  fix: {problem.fix}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        table = tables.html([astuple(row) for row in self.rows], head=_HEAD)
        issues = (f"<li>{escape(_said(p))};<br>fix: {escape(p.fix)}</li>" for p in self.problems)
        listed = f"<ul>{''.join(issues)}</ul>" if self.problems else ""
        return f"<b>{escape(self.model)}</b>: {self._verdict}{table}{listed}"

    @property
    def _verdict(self) -> str:
        count = len(self.problems)
        return f"cannot run yet, {count} problem{'s' * (count > 1)}" if count else "ready to run"


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
        Only if the model is unknown, or `ds` is a tree.
    """
    refuse_tree("check", ds)
    problems = Problems("check")
    model = models.get(model, problems.call)
    found = schema.forcings(ds, model, forcings, problems, convert=False)
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
    factor = f" × {slope:g}" if slope != 1.0 else ""
    shift = f" {'+' if offset > 0 else '-'} {abs(offset):g}" if offset else ""
    return f"{text}, ".lstrip(", ") + f"converted:{factor}{shift}"


def _said(problem: InputError) -> str:
    return f"{problem.subject}: expected {problem.expected}, got {problem.got}"
