"""Evaluation: metrics per site, groups of sites, splits of sites and time, and protocols of splits."""

from xdpl.evaluation.bisection import contiguous_regions
from xdpl.evaluation.groups import by_group, dryness_terciles, worst_group
from xdpl.evaluation.identifiability import standard_errors
from xdpl.evaluation.metrics import metrics, pooled
from xdpl.evaluation.periods import period_fractions
from xdpl.evaluation.protocols import Density, Protocol, Split, Temporal, Ungauged, UngaugedRegions
from xdpl.evaluation.splits import contiguous_bands, random_folds
from xdpl.evaluation.summaries import summary

__all__ = [
    "Density",
    "Protocol",
    "Split",
    "Temporal",
    "Ungauged",
    "UngaugedRegions",
    "by_group",
    "contiguous_bands",
    "contiguous_regions",
    "dryness_terciles",
    "metrics",
    "period_fractions",
    "pooled",
    "random_folds",
    "standard_errors",
    "summary",
    "worst_group",
]
