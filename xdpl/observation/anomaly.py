"""Departures from the mean are compared, so that level is not learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdpl.observation.base import Operator

__all__ = ["Anomaly"]


@dataclass(frozen=True)
class Anomaly(Operator):
    """Compare departures from the mean of each site: level is not learned, amplitude is.

    While training, both series of a window lose their own mean over the days of that window with
    an observation; a validation period is one window. A window shorter than the training period
    also takes away what varies more slowly than the window is long. In scores (`Fit.evaluate` with
    ``operator=True``) the means are those over the days of the training period on which there are
    both, whatever period is scored.

    References
    ----------
    Reichle and Koster (2004), doi:10.1029/2004GL020938, on bias between retrieved and modelled soil
    moisture; Entekhabi et al. (2010), doi:10.1175/2010JHM1223.1, the unbiased RMSE.
    """

    kind: ClassVar[str] = "anomaly"
    centred: ClassVar[bool] = True

    def describe(self) -> str:
        """One line for people."""
        return "anomaly: both less their own means"
