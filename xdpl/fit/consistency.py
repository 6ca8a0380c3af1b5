"""What to bear in mind when a fit is scored by something other than it was trained on."""

from __future__ import annotations

from collections.abc import Mapping

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


def notes(losses: Mapping[str, str]) -> list[str]:
    """One line for each kind of loss, on the scores of another kind (Gupta et al. 2009).

    Parameters
    ----------
    losses : mapping of str to str
        Name of the loss of each target; targets are named where their kinds differ.
    """
    targets: dict[str, list[str]] = {}
    for target, loss in losses.items():
        targets.setdefault(_KINDS[loss], []).append(target)
    if len(targets) == 1:
        return [_MEANING[kind] for kind in targets]
    return [f"{', '.join(names)}: {_MEANING[kind]}" for kind, names in targets.items()]
