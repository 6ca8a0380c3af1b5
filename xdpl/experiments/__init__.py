"""Experiments: what parameter learning is said to do, measured on any dataset."""

from __future__ import annotations

from xdpl.experiments.case import Case
from xdpl.experiments.coherence import coherence
from xdpl.experiments.scaling import scaling
from xdpl.experiments.towers import towers
from xdpl.experiments.transfer import transfer

__all__ = ["Case", "coherence", "scaling", "towers", "transfer"]
