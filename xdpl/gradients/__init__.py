"""Gradients of models that have none, by more runs at moved parameters."""

from xdpl.gradients.finite_differences import FiniteDifferences
from xdpl.gradients.spsa import SPSA

__all__ = ["SPSA", "FiniteDifferences"]
