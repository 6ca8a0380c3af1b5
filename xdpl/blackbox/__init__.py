"""Runs of external models: in parallel processes, through files or functions, kept in an archive."""

from xdpl.blackbox.archive import Archive

__all__ = ["Archive"]
