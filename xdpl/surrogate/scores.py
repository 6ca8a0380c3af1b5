"""How good parameters are, in the model itself and as its surrogate says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.errors import Problems
from xdpl.fit.observing import Compare
from xdpl.fit.scoring import evaluate
from xdpl.labelled.choices import after_warmup
from xdpl.training.arrays import periods

if TYPE_CHECKING:
    from xdpl.fit import Fit
    from xdpl.surrogate.places import Places
    from xdpl.training.request import Inputs, Request

__all__ = ["Scoring"]

# Of observations as they are scored.
_PREFIX = "scored_"


@dataclass(frozen=True)
class Scoring:
    """Root mean square errors over the sites and the period that decide.

    Parameters
    ----------
    ds : Dataset
        With the observed targets in declared units, NaN where they do not count.
    time : slice
        Period that counts, by dates.
    forcings : mapping of str to str, optional
        As in `xdpl.learn`.
    weights : mapping of str to float
        Of the targets.
    spread : mapping of str to float
        Standard deviation of each observed target, over all that counts.
    """

    ds: xr.Dataset
    time: slice
    forcings: Mapping[str, str] | None
    weights: Mapping[str, float]
    spread: Mapping[str, float]

    @classmethod
    def of(cls, ds: xr.Dataset, inputs: Inputs, request: Request, places: Places) -> Scoring:
        """Those of validation where there is one, else those of the training."""
        when = periods(ds, request.train, request.validate)
        first, last = when["train"]
        first = after_warmup(first, last, request.warmup, Problems("learn"))
        if isinstance(request.validate, slice):
            first, last = when["validate"]
        dates = ds["time"].values
        span = slice(dates[first], dates[last])
        observed = {
            k: units.magnitude(f.data)
            .where(places.scored)
            .drop_attrs(deep=False)
            .assign_attrs(units=inputs.model.output(k).units)
            for k, f in inputs.targets.items()
        }
        return cls(
            ds.assign({f"{_PREFIX}{k}": v for k, v in observed.items()}),
            span,
            request.forcings,
            {k: float(v) for k, v in inputs.weights.items()},
            {k: float(v.sel(time=span).std()) for k, v in observed.items()},
        )

    def errors(self, fit: Fit, simulated: xr.Dataset) -> dict[str, float]:
        """Of each target, in declared units, of what some parameters give (time, *site dims)."""
        found = evaluate(
            fit,
            self.ds,
            time=self.time,
            target={k: f"{_PREFIX}{k}" for k in fit.targets},
            forcings=self.forcings,
            simulate=lambda *_, **__: simulated,
            compare=Compare(fit.operators, fit.observation),
        )
        values = np.atleast_1d(found["pooled_rmse"].values)
        return {k: float(v) for k, v in zip(fit.targets, values, strict=True)}

    def of_all(self, errors: Mapping[str, float]) -> float:
        """Mean of errors in standard deviations of what was observed, with the weights of the targets.

        Of what was observed to be the same always, in its units.
        """
        total = sum(self.weights.values())
        return sum(w * errors[k] / (self.spread[k] or 1.0) for k, w in self.weights.items()) / total
