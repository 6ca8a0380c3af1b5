"""Intervals of what is simulated with the samples of a distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import xarray as xr

from xdpl import units
from xdpl.labelled.attrs import variable_attrs
from xdpl.uncertainty.intervals import along_quantiles, of_observed, of_simulated

if TYPE_CHECKING:
    from xdpl.errors import Problems
    from xdpl.uncertainty.posterior import Posterior

__all__ = ["check_outputs", "intervals_of"]


def check_outputs(posterior: Posterior, outputs: Sequence[str], problems: Problems) -> None:
    """Note outputs that were never observed, and whose observation error is not known."""
    for name in outputs:
        if name not in posterior.observation_error:
            problems.add(
                "outputs",
                expected=f"outputs with an observation error: {', '.join(posterior.observation_error)}",
                got=repr(name),
                fix="observed=False",
            )


def intervals_of(
    posterior: Posterior,
    found: xr.Dataset,
    outputs: Sequence[str],
    quantiles: Sequence[float],
    observed: bool,
) -> xr.Dataset:
    """Quantiles along the samples of simulations, as `Posterior.prediction_intervals` returns them."""
    model = posterior.model
    out = xr.Dataset(attrs=found.attrs | {"title": f"quantiles of simulations of {model.name}"})
    for name in outputs:
        array = units.dequantify(found[name])
        error = posterior.observation_error[name] if observed else None
        of = of_simulated(array, quantiles) if error is None else of_observed(array, quantiles, error)
        said = model.output(name)
        what = "what would be observed of " if observed else ""
        long_name = f"quantiles of {what}{said.long_name or name}"
        out[name] = of.assign_attrs(variable_attrs(said) | {"long_name": long_name})
    return units.quantify_like(along_quantiles(out, quantiles), *found.data_vars.values())
