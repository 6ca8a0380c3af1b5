"""Protocols: which sites are trained on and which are tested, as small values that can be stored."""

from xdpl.evaluation.protocols.base import Protocol, Split
from xdpl.evaluation.protocols.density import Density
from xdpl.evaluation.protocols.regions import UngaugedRegions
from xdpl.evaluation.protocols.temporal import Temporal
from xdpl.evaluation.protocols.ungauged import Ungauged

__all__ = ["Density", "Protocol", "Split", "Temporal", "Ungauged", "UngaugedRegions"]
