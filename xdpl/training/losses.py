"""Losses between a simulated and an observed series, NaN observations left out."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["LOSSES", "kge", "nrmse", "nse", "rmse", "site_rmse"]

# Keeps square roots differentiable at a perfect fit.
_TINY = 1e-12


def rmse(simulated: Tensor, observed: Tensor, scale: Tensor) -> Tensor:
    """Root mean square error over all pairs at once, in units of the target.

    Parameters
    ----------
    simulated, observed : Tensor, (time, series)
        NaN in `observed` marks what is not counted.
    scale : Tensor, (series,)
        Spread of the training observations of each series; not used here.
    """
    square, valid = _squares(simulated, observed)
    return torch.sqrt(square.sum() / valid.sum().clamp(min=1) + _TINY)


def site_rmse(simulated: Tensor, observed: Tensor, scale: Tensor) -> Tensor:
    """Mean over series of the root mean square error, in units of the target."""
    return _mean_of_sites(_site_rmse(simulated, observed), observed)


def nrmse(simulated: Tensor, observed: Tensor, scale: Tensor) -> Tensor:
    """Mean over series of the root mean square error over the spread of the series."""
    return _mean_of_sites(_site_rmse(simulated, observed) / scale, observed)


def nse(simulated: Tensor, observed: Tensor, scale: Tensor) -> Tensor:
    """Mean over series of 1 - NSE, with the spread of the training period.

    After Kratzert et al. (2019), doi:10.5194/hess-23-5089-2019, eq. 1.
    """
    return _mean_of_sites(_site_rmse(simulated, observed) ** 2 / scale**2, observed)


def kge(simulated: Tensor, observed: Tensor, scale: Tensor) -> Tensor:
    """Mean over series of 1 - KGE.

    Gupta et al. (2009), doi:10.1016/j.jhydrol.2009.08.003. Series with fewer
    than two observations do not count.
    """
    valid = ~torch.isnan(observed)
    count = valid.sum(dim=0).clamp(min=1)
    sim = torch.where(valid, simulated, 0.0)
    obs = torch.where(valid, observed, 0.0)
    mean_s, mean_o = sim.sum(dim=0) / count, obs.sum(dim=0) / count
    ds = torch.where(valid, simulated - mean_s, 0.0)
    do = torch.where(valid, obs - mean_o, 0.0)
    std_s = torch.sqrt((ds**2).sum(dim=0) / count + _TINY)
    std_o = torch.sqrt((do**2).sum(dim=0) / count + _TINY)
    correlation = (ds * do).sum(dim=0) / count / (std_s * std_o)
    small = 1e-6 * scale
    alpha = std_s / (std_o + small)
    beta = mean_s / torch.where(mean_o.abs() > small, mean_o, small)
    distance = torch.sqrt((correlation - 1) ** 2 + (alpha - 1) ** 2 + (beta - 1) ** 2 + _TINY)
    enough = valid.sum(dim=0) > 1
    return torch.where(enough, distance, 0.0).sum() / enough.sum().clamp(min=1)


def _squares(simulated: Tensor, observed: Tensor) -> tuple[Tensor, Tensor]:
    valid = ~torch.isnan(observed)
    # Observations are replaced before the difference: NaN times zero is NaN in a gradient.
    difference = simulated - torch.where(valid, observed, 0.0)
    return torch.where(valid, difference**2, 0.0), valid


def _site_rmse(simulated: Tensor, observed: Tensor) -> Tensor:
    square, valid = _squares(simulated, observed)
    return torch.sqrt(square.sum(dim=0) / valid.sum(dim=0).clamp(min=1) + _TINY)


def _mean_of_sites(values: Tensor, observed: Tensor) -> Tensor:
    """Mean over the series that have an observation."""
    counted = (~torch.isnan(observed)).any(dim=0)
    return torch.where(counted, values, 0.0).sum() / counted.sum().clamp(min=1)


LOSSES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "kge": kge,
    "nrmse": nrmse,
    "nse": nse,
    "rmse": rmse,
    "site_rmse": site_rmse,
}
