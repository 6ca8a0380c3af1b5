"""Optimisers by name."""

from __future__ import annotations

from collections.abc import Callable

from xdpl.calibration.optimisers.base import Optimiser
from xdpl.calibration.optimisers.cma_es import CMAES
from xdpl.calibration.optimisers.differential_evolution import DifferentialEvolution
from xdpl.calibration.optimisers.sceua import SCEUA

__all__ = ["METHODS"]

#: Constructors, which take ``(keys, parameters, *, seed, evaluations, start=None)`` and options.
METHODS: dict[str, Callable[..., Optimiser]] = {
    "cma-es": CMAES,
    "differential-evolution": DifferentialEvolution,
    "sce-ua": SCEUA,
}
