"""Calibrated parameters carried to other sites: by regression, or from donors."""

from xdpl.regionalisation.result import Regionalisation

__all__ = ["Regionalisation"]
