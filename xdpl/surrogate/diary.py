"""What happened in each round of learning through a surrogate."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from xdpl.models import Model

__all__ = ["Diary", "Round"]

_AUDITED = ("nse", "effect", "slope", "correlation", "counts", "failed")
#: Where surrogates are audited: over the full bounds, and at what was learned.
WHERE = ("range", "estimate")


@dataclass(frozen=True)
class Round:
    """One round.

    Parameters
    ----------
    surrogate, model : dict of str to float
        Error of each target as the surrogate says, and of the model itself, at what was learned.
    score : float
        Of the model, over all targets.
    audits : dict of str to Dataset
        By where.
    runs : int
        Of the model at single sites, from the start to here.
    failed : int
        Sites where the model failed at what was learned.
    seconds : float
    """

    surrogate: dict[str, float]
    model: dict[str, float]
    score: float
    audits: dict[str, xr.Dataset]
    runs: int
    failed: int
    seconds: float

    def __str__(self) -> str:
        nse = ", ".join(f"{float(v):.3f}" for v in self.audits["range"]["nse"])
        errors = "; ".join(
            f"{k} {self.surrogate[k]:.4g} through it, {self.model[k]:.4g} in the model" for k in self.model
        )
        audited = "; ".join(f"{k}: {_worst(self.audits[k])}" for k in WHERE if k in self.audits)
        return f"emulator NSE {nse}; RMSE {errors}; audit {audited}; {self.runs} runs"


@dataclass
class Diary:
    """All rounds.

    Parameters
    ----------
    model : Model
    uncalibrated : dict of str to float
        Error of each target with default parameters, through the observation operators of the first round.
    rounds : list of Round
    """

    model: Model
    uncalibrated: dict[str, float]
    rounds: list[Round] = field(default_factory=list)

    @property
    def best(self) -> int:
        """Position of the round that was best in the model: fewest failed sites, then the lowest score."""
        return min(range(len(self.rounds)), key=lambda i: self.rank(i))

    def rank(self, i: int) -> tuple[int, float]:
        """The lower the better; a score that is none is the worst."""
        one = self.rounds[i]
        return one.failed, one.score if np.isfinite(one.score) else np.inf

    def history(self) -> xr.Dataset:
        """Over ``round``, with ``target``, ``parameter`` and ``where``, as `Fit.history` has it."""
        targets, rounds = list(self.uncalibrated), self.rounds
        surrogate, model = (
            np.array([[getattr(r, k)[t] for t in targets] for r in rounds]) for k in ("surrogate", "model")
        )
        out = xr.Dataset(
            {
                "surrogate_rmse": (("round", "target"), surrogate),
                "model_rmse": (("round", "target"), model),
                "gap": (("round", "target"), model - surrogate),
                "uncalibrated_rmse": ("target", [self.uncalibrated[t] for t in targets]),
                "model_score": ("round", [r.score for r in rounds]),
                "model_runs": ("round", [r.runs for r in rounds]),
                "failed_sites": ("round", [r.failed for r in rounds]),
                "round_seconds": ("round", [r.seconds for r in rounds]),
            },
            {"round": np.arange(1, len(rounds) + 1), "target": targets},
        )
        for name, said in _SAID.items():
            out[name].attrs["long_name"] = said
        out = out.assign_coords(target_units=("target", [self.model.output(t).units for t in targets]))
        return out.assign(self._audited(targets))

    def _audited(self, targets: list[str]) -> dict[str, xr.DataArray]:
        """What audits said, over (round, where, ...)."""
        rounds = [xr.concat([one.audits[w] for w in WHERE], "where") for one in self.rounds]
        whole = xr.concat(rounds, "round").rename(output="target").sel(target=targets)
        whole = whole.assign_coords(where=list(WHERE), round=np.arange(1, len(rounds) + 1))
        first = self.rounds[0].audits["range"]
        return {f"audit_{k}": whole[k].assign_attrs(first[k].attrs) for k in _AUDITED}


_SAID = {
    "surrogate_rmse": "root mean square error of the surrogate at what was learned",
    "model_rmse": "root mean square error of the model at what was learned",
    "gap": "error of the model less that of the surrogate",
    "uncalibrated_rmse": "root mean square error with default parameters, through operators of round 1",
    "model_score": "error of the model over the standard deviation of what was observed",
    "model_runs": "runs of the model at single sites so far",
    "failed_sites": "sites where the model failed at what was learned",
    "round_seconds": "time taken by the round",
}


def _worst(audit: xr.Dataset) -> str:
    """The slope furthest from one, of parameters that count, or what failed."""
    if audit.attrs["failures"]:
        return f"failed, {audit.attrs['failures']}"
    slopes = audit["slope"].where(audit["counts"]).values
    slopes = slopes[np.isfinite(slopes)]
    return f"slopes {slopes.min():.2f} to {slopes.max():.2f}" if slopes.size else "no parameter counts"
