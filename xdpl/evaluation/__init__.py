"""Evaluation: metrics per site, groups of sites, and splits of sites and time."""

from xdpl.evaluation.groups import by_group, dryness_terciles, worst_group
from xdpl.evaluation.identifiability import standard_errors
from xdpl.evaluation.metrics import metrics, pooled
from xdpl.evaluation.periods import period_fractions
from xdpl.evaluation.splits import contiguous_bands, random_folds

__all__ = [
    "by_group",
    "contiguous_bands",
    "dryness_terciles",
    "metrics",
    "period_fractions",
    "pooled",
    "random_folds",
    "standard_errors",
    "worst_group",
]
