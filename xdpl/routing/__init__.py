"""Routing: how water reaches the outlet after it has left the stores of a model."""

from __future__ import annotations

from xdpl.models.routes import GammaHydrograph
from xdpl.routing.convolution import convolve

__all__ = ["GammaHydrograph", "convolve"]
