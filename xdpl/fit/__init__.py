"""The result of learning: parameters, simulations, scores, pictures, storage."""

from xdpl.fit.ensemble import Ensemble
from xdpl.fit.result import Fit

__all__ = ["Ensemble", "Fit"]
