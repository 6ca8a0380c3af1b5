"""Losses between a simulated and an observed series, NaN observations left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["LOSSES", "PER_SITE", "Spread", "kge", "nrmse", "nse", "rmse", "rmse_log", "site_rmse"]

# Keeps square roots differentiable at a perfect fit.
_TINY = 1e-12


@dataclass(frozen=True)
class Spread:
    """How much the observations of the training period vary.

    Parameters
    ----------
    std : Tensor, (series,)
        Standard deviation at the site of each series, in units of the target.
    typical : float
        Median over the training sites.
    """

    std: Tensor
    typical: float

    @property
    def floored(self) -> Tensor:
        """With a tenth of the typical one: sites that hardly vary do not outweigh all others."""
        return self.std + (0.1 * self.typical if self.typical > 0 else 1.0)


def rmse(simulated: Tensor, observed: Tensor, spread: Spread) -> Tensor:
    """Root mean square error over all pairs at once, in units of the target.

    Parameters
    ----------
    simulated, observed : Tensor, (time, series)
        NaN in `observed` marks what is not counted.
    spread : Spread
        Not used here.
    """
    square, valid = _squares(simulated, observed)
    return torch.sqrt(square.sum() / valid.sum().clamp(min=1) + _TINY)


def site_rmse(simulated: Tensor, observed: Tensor, spread: Spread) -> Tensor:
    """Mean over series of the root mean square error, in units of the target."""
    return _mean_of_sites(_site_rmse(simulated, observed), observed)


def nrmse(simulated: Tensor, observed: Tensor, spread: Spread) -> Tensor:
    """Mean over series of the root mean square error over the spread of the series."""
    return _mean_of_sites(_site_rmse(simulated, observed) / spread.floored, observed)


def nse(simulated: Tensor, observed: Tensor, spread: Spread) -> Tensor:
    """Mean over series of the mean square error over (σ + 0.1)², with σ of the training period.

    The 0.1, in units of the target, keeps sites of little flow from outweighing all others;
    Kratzert et al. (2019), doi:10.5194/hess-23-5089-2019, eq. 1. It suits streamflow in mm/d;
    for targets of other magnitude take `nrmse`.
    """
    square, valid = _squares(simulated, observed)
    mean_square = square.sum(dim=0) / valid.sum(dim=0).clamp(min=1)
    return _mean_of_sites(mean_square / (spread.std + 0.1) ** 2, observed)


def rmse_log(simulated: Tensor, observed: Tensor, spread: Spread) -> Tensor:
    """Three parts pooled RMSE, one part that of log10(√(Q + 1e-6) + 0.1), for high and low flows.

    Feng et al. (2022), doi:10.1029/2022WR032404, with their weight α = 0.25. The transformed
    part is blind to values below zero, which are taken as zero.
    """
    low = rmse(_low_flow(simulated), _low_flow(observed), spread)
    return 0.75 * rmse(simulated, observed, spread) + 0.25 * low


def site_rmse_log(simulated: Tensor, observed: Tensor, spread: Spread) -> Tensor:
    """As `rmse_log` at every series by itself, mean over series."""
    low = site_rmse(_low_flow(simulated), _low_flow(observed), spread)
    return 0.75 * site_rmse(simulated, observed, spread) + 0.25 * low


def kge(simulated: Tensor, observed: Tensor, spread: Spread) -> Tensor:
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
    small = 1e-6 * spread.floored
    alpha = std_s / (std_o + small)
    beta = mean_s / torch.where(mean_o.abs() > small, mean_o, small)
    distance = torch.sqrt((correlation - 1) ** 2 + (alpha - 1) ** 2 + (beta - 1) ** 2 + _TINY)
    enough = valid.sum(dim=0) > 1
    return torch.where(enough, distance, 0.0).sum() / enough.sum().clamp(min=1)


def _low_flow(flow: Tensor) -> Tensor:
    return torch.log10(torch.sqrt(flow.clamp(min=0.0) + 1e-6) + 0.1)


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


LOSSES: dict[str, Callable[[Tensor, Tensor, Spread], Tensor]] = {
    "kge": kge,
    "nrmse": nrmse,
    "nse": nse,
    "rmse": rmse,
    "rmse_log": rmse_log,
    "site_rmse": site_rmse,
}

#: Every loss as a mean over series: those of all pairs at once have another form for it.
PER_SITE = LOSSES | {"rmse": site_rmse, "rmse_log": site_rmse_log}
