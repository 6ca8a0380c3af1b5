"""What is left between observations and simulations."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from xdpl.fit import Fit
from xdpl.networks.bounded import ParameterNetwork
from xdpl.training.forward import Forward
from xdpl.uncertainty.observations import Observations

__all__ = ["forward_of", "root_mean_squares", "simulated"]


def forward_of(fit: Fit) -> Forward:
    """The run of a fit's network and model, differentiable, on the host."""
    network = fit.network
    assert isinstance(network, ParameterNetwork)
    engine = "numba" if fit.settings["engine"] == "cuda" else fit.settings["engine"]
    return Forward(fit.model, network.eval(), tuple(fit.targets), engine)


def simulated(fit: Fit, data: Observations) -> dict[str, Tensor]:
    """Targets (time, site) of the period."""
    with torch.no_grad():
        return forward_of(fit)(data.batch)


def root_mean_squares(mean: Mapping[str, Tensor], data: Observations) -> dict[str, float]:
    """Root mean square residual of each target, over all observations, in declared units."""
    found = {}
    for name, observed in data.observed.items():
        residual = (observed - mean[name]).to(torch.float64)
        found[name] = float(torch.sqrt(torch.nanmean(residual**2)))
    return found
