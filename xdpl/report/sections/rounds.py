"""What happened in each round of learning through a surrogate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from xdpl.report.elements import paragraph, table
from xdpl.report.numbers import number, with_units

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.report.facts import Facts

__all__ = ["rounds"]

_HEAD = ("round", "target", "of the surrogate", "of the model", "emulator NSE", "slopes", "runs")


def rounds(facts: Facts) -> str:
    """Errors of the surrogate and of the model, and the audit over the bounds; nothing without rounds."""
    s = facts.fit.settings
    if "rounds" not in s:
        return ""
    history = facts.fit.history
    text = (
        "Parameters were learned through a network that imitates the model, trained anew in each of"
        f" {s['rounds']} rounds (stopped: {s['rounds_stopped']}). The fit is that of round {s['best_round']},"
        " which was best in the model itself."
    )
    rows = [
        _row(history.sel(round=k, target=target), s["best_round"])
        for k in history["round"].values
        for target in history["target"].values
    ]
    return paragraph(text) + table("Errors (RMSE) at what was learned, round by round", _HEAD, rows)


def _row(one: xr.Dataset, best: int) -> list[str]:
    at, units = one.sel(where="range"), str(one["target_units"].item())
    slopes = at["audit_slope"].where(at["audit_counts"]).values
    slopes = slopes[np.isfinite(slopes)]
    k = int(one["round"])
    return [
        f"{k}{' (best)' * (k == best)}",
        str(one["target"].item()),
        *(with_units(one[name].item(), units) for name in ("surrogate_rmse", "model_rmse")),
        number(at["audit_nse"].item()),
        f"{number(slopes.min(), 2)} to {number(slopes.max(), 2)}" if slopes.size else "no parameter counts",
        str(int(one["model_runs"])),
    ]
