"""Routes: how a flux of the step is delayed on its way to the outlet."""

from __future__ import annotations

import dataclasses
from typing import Any

from array_api_compat import device

from xdpl.models.base import Declaration, Parameter

__all__ = ["GammaHydrograph", "RouteState"]

Array = Any


@dataclasses.dataclass(frozen=True)
class RouteState(Declaration):
    """What a route carries from one run to the next: a flux before routing, of the last steps.

    As an array it has a first axis of `lags` steps, the oldest first.

    Parameters
    ----------
    name, units, standard_name, long_name, statistic : str
        As in `Declaration`.
    lags : int
        Number of steps.
    """

    lags: int = dataclasses.field(kw_only=True)


@dataclasses.dataclass(frozen=True)
class GammaHydrograph:
    """A unit hydrograph of the shape of a gamma distribution.

    Parameters
    ----------
    flux : str
        The flux whose series is convolved.
    length : int
        Steps over which the water of one step leaves, at least 2.
    dt : float
        Time step in days.
    units : str
        Of the flux.

    Notes
    -----
    With a' = a + 0.1, θ = b + 0.5 d and t_k = (k + 0.5) dt, the share of the water of a
    step that leaves k steps later is proportional to t_k^(a'-1) exp(-t_k/θ), and the
    shares add up to one. Neither the gamma function nor an integral is needed, and all
    gradients are finite for a and b from 0.

    References
    ----------
    Feng et al. (2022), doi:10.1029/2022WR032404.
    """

    flux: str = "streamflow"
    length: int = 15
    dt: float = 1.0
    units: str = "mm d-1"

    def __post_init__(self) -> None:
        if self.length < 2:
            msg = f"a unit hydrograph has at least 2 steps, got length={self.length}"
            raise ValueError(msg)

    @property
    def parameters(self) -> tuple[Parameter, Parameter]:
        """Two parameters; by default the mean delay is a day."""
        return (
            Parameter("route_a", 0.0, 2.9, "1", 0.9, "shape of the unit hydrograph, less 0.1"),
            Parameter("route_b", 0.0, 6.5, "d", 0.9, "time scale of the unit hydrograph, less 0.5 d"),
        )

    @property
    def state(self) -> RouteState:
        """The flux before routing, of the last steps but for the one that has left altogether."""
        long_name = f"{self.flux.replace('_', ' ')} before routing, of the last steps"
        return RouteState(f"unrouted_{self.flux}", self.units, "", long_name, lags=self.length - 1)

    def weights(self, xp: Any, a: Array, b: Array) -> Array:
        """Share of the water that leaves after each number of steps.

        Parameters
        ----------
        xp : namespace
        a, b : array, (...)
            `route_a` and `route_b`.

        Returns
        -------
        array, (length, ...)
            Along the first axis they add up to one.
        """
        # Relative to the share of the first step, which is then 1: no sum of tiny numbers.
        columns = (-1, *(1 for _ in range(max(a.ndim, b.ndim))))
        steps = xp.arange(self.length, dtype=a.dtype, device=device(a))
        times = xp.reshape(2.0 * steps + 1.0, columns)
        shares = xp.exp((a - 0.9) * xp.log(times) - xp.reshape(self.dt * steps, columns) / (b + 0.5))
        # Cumulative, since a plain sum may add in another order for another number of sites.
        return shares / xp.cumulative_sum(shares, axis=0)[-1:, ...]
