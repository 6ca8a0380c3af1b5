"""Sample data: `open` a real dataset by name, `list` them all, make a synthetic `twin`."""

from xdpl.data.api import list, open
from xdpl.data.twin import twin

__all__ = ["list", "open", "twin"]
