"""Experiments: what parameter learning is said to do, measured on any dataset."""

from __future__ import annotations

from xdpl.experiments.case import Case
from xdpl.experiments.coherence import coherence
from xdpl.experiments.cost import cost
from xdpl.experiments.data_efficiency import data_efficiency
from xdpl.experiments.data_fraction import data_fraction
from xdpl.experiments.global_constraint import global_constraint
from xdpl.experiments.headroom import headroom
from xdpl.experiments.history import history
from xdpl.experiments.observation import observation
from xdpl.experiments.perturbation import perturbation
from xdpl.experiments.regimes import regimes
from xdpl.experiments.scaling import scaling
from xdpl.experiments.surrogate import surrogate
from xdpl.experiments.towers import towers
from xdpl.experiments.transfer import transfer
from xdpl.experiments.uncertainty import uncertainty

__all__ = [
    "Case",
    "coherence",
    "cost",
    "data_efficiency",
    "data_fraction",
    "global_constraint",
    "headroom",
    "history",
    "observation",
    "perturbation",
    "regimes",
    "scaling",
    "surrogate",
    "towers",
    "transfer",
    "uncertainty",
]
