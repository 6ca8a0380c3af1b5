"""Evaluation: metrics per site, water balance, groups of sites, splits, diagnostics of parameters."""

from xdpl.evaluation.balance import water_balance
from xdpl.evaluation.baseflow import baseflow_index
from xdpl.evaluation.bisection import contiguous_regions
from xdpl.evaluation.bounds import at_bounds
from xdpl.evaluation.coverage import coverage
from xdpl.evaluation.diagnostics.audit_result import Audit
from xdpl.evaluation.diagnostics.gradient_audit import gradient_audit
from xdpl.evaluation.diagnostics.identifiability import identifiability
from xdpl.evaluation.diagnostics.standard_errors import standard_errors
from xdpl.evaluation.flow import flow_metrics
from xdpl.evaluation.groups import by_group, dryness_terciles, worst_group
from xdpl.evaluation.headroom import headroom
from xdpl.evaluation.metrics import metrics, pooled, site_correlation
from xdpl.evaluation.periods import period_fractions
from xdpl.evaluation.perturbation import perturbation_response
from xdpl.evaluation.protocols import Density, Protocol, Split, Temporal, Ungauged, UngaugedRegions
from xdpl.evaluation.regret import regret
from xdpl.evaluation.spatial.moran import morans_i
from xdpl.evaluation.spatial.variogram import nugget
from xdpl.evaluation.splits import contiguous_bands, random_folds
from xdpl.evaluation.summaries import summary
from xdpl.evaluation.transfer import transfer_test

__all__ = [
    "Audit",
    "Density",
    "Protocol",
    "Split",
    "Temporal",
    "Ungauged",
    "UngaugedRegions",
    "at_bounds",
    "baseflow_index",
    "by_group",
    "contiguous_bands",
    "contiguous_regions",
    "coverage",
    "dryness_terciles",
    "flow_metrics",
    "gradient_audit",
    "headroom",
    "identifiability",
    "metrics",
    "morans_i",
    "nugget",
    "period_fractions",
    "perturbation_response",
    "pooled",
    "random_folds",
    "regret",
    "site_correlation",
    "standard_errors",
    "summary",
    "transfer_test",
    "water_balance",
    "worst_group",
]
