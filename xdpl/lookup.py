from xdpl.labelled.lookup import find, in_units  # noqa: D100

__all__ = ["find", "in_units"]
