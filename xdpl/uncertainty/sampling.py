"""Parameters of a distribution as labelled maps, within their bounds and in their order."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.labelled.attrs import provenance, variable_attrs
from xdpl.uncertainty.intervals import of_simulated
from xdpl.uncertainty.unbounded import from_unbounded, in_order, ordering_of

if TYPE_CHECKING:
    from xdpl.uncertainty.moments import Moments
    from xdpl.uncertainty.posterior import Posterior

__all__ = ["described", "drawn", "quantiles_of"]

_SAMPLES = 1000


def described(posterior: Posterior) -> str:
    """How it was made, with scale and observation error, as JSON."""
    own = {"scale": posterior.scale, "observation_error": posterior.observation_error}
    return json.dumps(posterior.settings | own)


def drawn(posterior: Posterior, ds: xr.Dataset, moments: Moments, samples: int, seed: int) -> xr.Dataset:
    """Samples of parameters, as `Posterior.parameters` returns them, of moments that are already known."""
    out = _labelled(posterior, ds, _within(posterior, moments.samples(samples, seed)), "samples")
    return out.assign_coords(sample=("sample", np.arange(samples), {"long_name": "number of the sample"}))


def quantiles_of(
    posterior: Posterior, ds: xr.Dataset, moments: Moments, quantiles: Sequence[float]
) -> xr.Dataset:
    """Quantiles of parameters, as `Posterior.parameter_intervals` returns them."""
    if ordering_of(posterior.fits[0]):
        # There is no formula for parameters that depend on each other.
        values = _within(posterior, moments.samples(_SAMPLES, 0))
        found = {k: of_simulated(v, quantiles) for k, v in values.items()}
    else:
        found = _within(posterior, moments.quantiles(quantiles))
    return _labelled(posterior, ds, found, "quantiles")


def _within(posterior: Posterior, raw: Mapping[str, xr.DataArray]) -> dict[str, xr.DataArray]:
    values = {p.name: from_unbounded(raw[p.name], p) for p in posterior.model.parameters}
    return in_order(values, ordering_of(posterior.fits[0]))


def _labelled(
    posterior: Posterior, ds: xr.Dataset, values: Mapping[str, xr.DataArray], what: str
) -> xr.Dataset:
    model = posterior.model
    out = xr.Dataset({p.name: values[p.name].assign_attrs(variable_attrs(p)) for p in model.parameters})
    for name in out.coords:
        if name in ds.coords:
            out[name].attrs = dict(ds[name].attrs)
    out.attrs = provenance(f"{what} of {model.name} parameters", model, history=ds.attrs.get("history"))
    out.attrs["posterior"] = described(posterior)
    return units.quantify_like(out.drop_encoding(), *(ds[name] for name in posterior.fits[0].attributes))
