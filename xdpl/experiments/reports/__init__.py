"""Results of experiments as tables and pictures: one module each, with `table` and `draw`."""

from __future__ import annotations

from xdpl.experiments.reports import (
    coherence,
    cost,
    data_efficiency,
    data_fraction,
    global_constraint,
    headroom,
    history,
    observation,
    perturbation,
    regimes,
    scaling,
    surrogate,
    towers,
    transfer,
    uncertainty,
)

__all__ = [
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
