"""Experiments: what parameter learning is said to do, measured on any dataset."""

from __future__ import annotations

from xdpl.experiments.case import Case
from xdpl.experiments.scaling import scaling

__all__ = ["Case", "scaling"]
