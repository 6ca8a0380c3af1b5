"""The demonstrations of the command `xdpl demo`."""

from xdpl.demo.basins import mopex
from xdpl.demo.satellite import smap
from xdpl.demo.synthetic import twin

__all__ = ["mopex", "smap", "twin"]
