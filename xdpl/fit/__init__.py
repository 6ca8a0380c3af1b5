"""The result of learning: parameters, simulations, scores, pictures, storage."""

from xdpl.fit.result import Fit
from xdpl.fit.storage import load

__all__ = ["Fit", "load"]
