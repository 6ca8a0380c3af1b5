"""The coefficients of a fit with transfer functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl.errors import Problems
from xdpl.labelled.attrs import provenance
from xdpl.networks import TransferFunction
from xdpl.networks.bounded import ParameterNetwork

if TYPE_CHECKING:
    from xdpl.fit.result import Fit

__all__ = ["coefficients"]

_MEANING = {"linear": "coefficient of the normalised attribute", "power": "exponent of the attribute"}


def coefficients(fit: Fit) -> xr.Dataset:
    """What relates parameters to attributes, as `Fit.coefficients` returns it.

    Raises
    ------
    InputErrors
        If the network is another one.
    """
    spec, network = fit.network_spec, fit.network
    if not isinstance(spec, TransferFunction) or not isinstance(network, ParameterNetwork):
        problems = Problems("Fit.coefficients")
        problems.add(
            "network",
            expected="a fit with transfer functions",
            got=f"network {spec.kind!r}",
            fix='learn(..., network="transfer")',
        )
        problems.raise_all()
    weights, constant = _relations(network)
    moments = fit.scaling.attributes
    out = xr.Dataset(coords={"attribute": list(fit.attributes)})
    out = out.assign_coords(parameter=[p.name for p in network.columns.parameters])
    if spec.form == "power":
        # Of the logarithms themselves, not of the normalised ones.
        weights = weights / moments.std
        constant = constant - np.nansum(weights * moments.mean, axis=-1)
    else:
        out = out.assign_coords(mean=("attribute", moments.mean), std=("attribute", moments.std))
    dims = ("parameter", "member") if network.columns.members > 1 else ("parameter",)
    names = {
        "constant": (dims, constant, "logarithm of the odds within the bounds, but for the attributes"),
        "coefficient": ((*dims, "attribute"), weights, _MEANING[spec.form]),
    }
    for name, (own, values, long_name) in names.items():
        out[name] = (own, values, {"units": "1", "long_name": long_name})
    out.attrs = provenance(f"transfer functions of {fit.model.name}", fit.model)
    return out


def _relations(network: ParameterNetwork) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (parameter, [member,] attribute), NaN where an attribute is not used, and constants."""
    values = {k: v.numpy().astype(np.float64) for k, v in network.state_dict().items()}
    masked = np.asarray(network.body.mask, bool)
    weights = np.where(masked, values["body.coefficients"], np.nan)
    # A fresh relation gives the default, about which members start scattered.
    constant = values["body.constant"] + network.offset.numpy() + values.get("start", 0.0)
    columns = network.columns
    ends = np.cumsum([columns.count(p) for p in columns.parameters])[:-1]
    together = []
    for array in (weights, constant):
        parts = np.split(array, ends)
        # What members share, all of them have.
        full = [np.broadcast_to(part, (columns.members, *part.shape[1:])) for part in parts]
        together.append(np.stack(full) if columns.members > 1 else np.concatenate(full))
    return together[0], together[1]
