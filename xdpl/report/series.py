"""Sites whose series are shown: from the worst to the best."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from xdpl.errors import Problems
from xdpl.plot.pairs import at_site, pair
from xdpl.report.facts import Shown

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.fit import Fit
    from xdpl.report.facts import OfTarget, Period

__all__ = ["series"]


def series(fit: Fit, ds: xr.Dataset, target: OfTarget, period: Period, count: int) -> tuple[Shown, ...]:
    """Observed and simulated over a period, at sites of equal steps in the order of the main metric."""
    assert target.scores is not None
    scores = target.scores[target.main.name]
    shown = []
    for position, rank in _chosen(scores.values, target.main.best == "high", count):
        site = dict(zip(map(str, scores.dims), position, strict=True))
        both = pair(fit, at_site(ds, site, Problems("Fit.report")), target.output, period.slice)
        simulated, observed = (
            a.sel(time=period.slice).squeeze([d for d in a.dims if d != "time"], drop=True).compute()
            for a in both
        )
        shown.append(Shown(_name(scores, site), rank, float(scores.values[position]), simulated, observed))
    return tuple(shown)


def _chosen(scores: np.ndarray, high: bool, count: int) -> list[tuple[tuple[int, ...], str]]:
    """Positions of sites, and what they are among all, the best first."""
    flat = scores.ravel()
    order = np.argsort(-flat if high else flat, kind="stable")
    order = order[np.isfinite(flat[order])]
    count = min(count, order.size)
    steps = [0.5] if count == 1 else np.linspace(0.0, 1.0, count).tolist()
    found = []
    for step in steps:
        at = np.unravel_index(order[round(step * (order.size - 1))], scores.shape)
        rank = {0.0: "best", 0.5: "median", 1.0: "worst"}.get(
            step, f"worse than {100 * step:.0f} % of the sites"
        )
        found.append((tuple(int(i) for i in at), rank))
    return found


def _name(scores: xr.DataArray, site: dict[str, int]) -> str:
    """Labels of a site where it has some, else positions."""
    one = scores.isel(site)
    parts = []
    for dim, position in site.items():
        label = one[dim].item() if dim in one.coords else None
        parts.append(f"{dim} {position if label is None else _short(label)}")
    extra = [
        k for k, v in one.coords.items() if k not in site and v.ndim == 0 and set(scores[k].dims) & set(site)
    ]
    parts += [f"{k} {_short(one[k].item())}" for k in extra]
    return ", ".join(parts)


def _short(label: object) -> str:
    return f"{label:.5g}".replace("-", "\N{MINUS SIGN}") if isinstance(label, float) else str(label)
