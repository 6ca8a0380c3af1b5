"""What to bear in mind when a fit is scored by something other than it was trained on."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["notes"]

_SQUARED = "squared errors"
_KINDS = {
    "kge": "KGE",
    "nrmse": _SQUARED,
    "nse": _SQUARED,
    "rmse": _SQUARED,
    "rmse_log": "squared errors and those of logarithms",
    "site_rmse": _SQUARED,
}
_MEANING = {
    _SQUARED: "trained on squared errors, which damp variance to the correlation's share of it:"
    " KGE scores are lower than a training on them would give",
    "KGE": "trained on KGE, which keeps the variance whatever the correlation:"
    " RMSE and NSE are worse than a training on them would give",
    "squared errors and those of logarithms": "trained on a mix of squared errors and those of"
    " logarithms: no single score is what was minimised",
}


def notes(losses: Iterable[str]) -> list[str]:
    """One line for each kind of loss, on the scores of another kind (Gupta et al. 2009)."""
    return [_MEANING[kind] for kind in dict.fromkeys(_KINDS[loss] for loss in losses)]
