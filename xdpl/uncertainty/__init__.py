"""Uncertainty of learned parameters and of what is simulated with them."""

from xdpl.uncertainty.deep_ensemble import deep_ensemble
from xdpl.uncertainty.laplace import laplace
from xdpl.uncertainty.posterior import Posterior

__all__ = ["Posterior", "deep_ensemble", "laplace"]
