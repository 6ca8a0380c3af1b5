"""Parameters of classes, in the terms of land models; `xdpl.to_table` and `xdpl.read_table` do the files."""

from xdpl.export import noah
from xdpl.export.by_class import by_class

__all__ = ["by_class", "noah"]
