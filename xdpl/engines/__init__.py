"""Engines: how the step of a model becomes a run over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xdpl.errors import Problems

__all__ = ["ENGINES", "check"]

ENGINES = ("array",)


def check(engine: str | None, problems: Problems) -> None:
    """Note an engine that does not exist; None lets xdpl choose."""
    if engine is not None and engine not in ENGINES:
        names = ", ".join(map(repr, ENGINES))
        problems.add("engine", expected=f"{names} or None", got=repr(engine), fix="leave engine out")
