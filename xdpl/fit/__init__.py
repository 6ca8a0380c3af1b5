"""The result of learning: parameters, simulations, scores, pictures, storage."""

from xdpl.fit.ensemble import Ensemble
from xdpl.fit.result import Fit
from xdpl.fit.storage import load

__all__ = ["Ensemble", "Fit", "load"]
