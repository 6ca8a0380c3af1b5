"""Simulated values are compared as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdpl.observation.base import Operator

__all__ = ["Identity"]


@dataclass(frozen=True)
class Identity(Operator):
    """Compare simulated with observed values as they are, in the units of the model."""

    kind: ClassVar[str] = "identity"

    def describe(self) -> str:
        """One line for people."""
        return "none: compared as they are"
