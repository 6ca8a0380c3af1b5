"""The result of `surrogate` as a table and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl import tables
from xdpl.experiments.names import NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw", "share", "table"]


_PLACES = (("range", "C0o", "over the bounds"), ("estimate", "C1s", "at what was learned"))
# Of a change, over the spread of the output, for a parameter to count.
_LEAST_EFFECT = 0.02


def _medians(result: xr.Dataset) -> xr.DataArray:
    score = result[result.attrs["score"]]
    return score.median([d for d in score.dims if d not in ("contender", "seed")], keep_attrs=True)


def share(result: xr.Dataset) -> xr.DataArray:
    """What the surrogate reaches of the improvement that the gradients of the model give, of each seed."""
    medians = _medians(result)
    uncalibrated, direct, through = (medians.sel(contender=k) for k in ("uncalibrated", "dpl", "surrogate"))
    return (uncalibrated - through) / (uncalibrated - direct)


def table(result: xr.Dataset) -> str:
    """Scores in the test period, what happened in each round, and how parameters agree with the truth."""
    medians, score = _medians(result), result[result.attrs["score"]]
    lines = [
        f"{result.attrs['case']}: median {score.name} of {result.attrs['target']} ({score.attrs['units']}),"
        " test period, same sites"
    ]
    rows = [["", str(score.name), "seconds", ""]]
    for name in result["contender"].values:
        seconds = float(result["seconds"].sel(contender=name).mean())
        took = "" if name == "uncalibrated" else f"{seconds:.0f}"
        rows.append([NAMES[str(name)], _both(medians.sel(contender=name)), took, ""])
    lines += tables.text(rows, right=(1, 2))
    lines += [f"share of the improvement: {_both(share(result), 2)}", ""]
    lines += [*_rounds(result), "", *_parameters(result)]
    return "\n".join(lines)


def _both(values: xr.DataArray, digits: int = 4) -> str:
    return f"{float(values.mean()):.{digits}f} ± {float(values.std()):.{digits}f}"


def _rounds(result: xr.Dataset) -> list[str]:
    """Of the first seed and the others one after the other."""
    sites = int(result[result.attrs["score"]].isel(contender=0, seed=0).notnull().sum())
    rows = [
        [
            "seed",
            "round",
            "emulator NSE",
            "RMSE through it",
            "in the model",
            "ratio",
            "slopes",
            "runs/site",
            "",
        ]
    ]
    for seed in result["seed"].values:
        for k in result["round"].values:
            one = result.sel(seed=seed, round=k).isel(target=0)
            if not np.isfinite(one["model_rmse"]):
                continue
            at = one.sel(where="range")
            slopes = at["audit_slope"].where(at["audit_effect"] >= _LEAST_EFFECT)
            model, through = float(one["model_rmse"]), float(one["surrogate_rmse"])
            rows.append(
                [
                    f"{seed}",
                    f"{k}",
                    f"{float(at['audit_nse']):.3f}",
                    f"{through:.4f}",
                    f"{model:.4f}",
                    f"{model / through:.2f}",
                    f"{float(slopes.min()):.2f} to {float(slopes.max()):.2f}",
                    f"{float(one['model_runs']) / sites:.0f}",
                    "",
                ]
            )
    uncalibrated = float(result["uncalibrated_rmse"].isel(target=0).mean())
    lines = [f"rounds, training period: RMSE over all sites, uncalibrated {uncalibrated:.4f}"]
    return lines + tables.text(rows, right=(3, 4, 5, 7))


def _parameters(result: xr.Dataset) -> list[str]:
    known = result["truth_correlation"].sel(contender="dpl").notnull().all("seed")
    names = [str(k) for k in result["parameter"].values[known.values]]
    if not names:
        return []
    rows = [["parameter", NAMES["dpl"], NAMES["surrogate"], ""]]
    for name in names:
        each = (result["truth_correlation"].sel(contender=k, parameter=name) for k in ("dpl", "surrogate"))
        rows.append([name, *(_both(v, 2) for v in each), ""])
    return ["correlation with the true parameters over sites", *tables.text(rows, right=(1, 2))]


def draw(result: xr.Dataset, ax: Axes) -> Axes:
    """How the surrogate answers each parameter, in the last round of each seed: slopes of the audit."""
    last = result["model_rmse"].notnull().isel(target=0).cumsum("round").idxmax("round")
    slopes = result["audit_slope"].isel(target=0).sel(round=last)
    slopes = slopes.where(result["audit_effect"].isel(target=0).sel(round=last) >= _LEAST_EFFECT)
    names = [str(k) for k in result["parameter"].values]
    place = np.arange(len(names))[::-1]
    ax.axvspan(0.5, 1.5, color="0.93", zorder=0, label="passes")
    ax.axvline(1.0, color="0.6", linewidth=0.8)
    for k, (where, style, said) in enumerate(_PLACES):
        each = slopes.sel(where=where).transpose("parameter", "seed").values
        lines = ax.plot(each, place[:, None] + 0.1 * (0.5 - k) + np.zeros(each.shape), style, mfc="none")
        lines[0].set_label(said)
    ax.set_yticks(place, names)
    ax.set_xlim(min(0.4, float(slopes.min()) - 0.1), max(1.6, float(slopes.max()) + 0.1))
    ax.set_xlabel("slope of the surrogate's answer on the model's (1)")
    ax.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return ax
