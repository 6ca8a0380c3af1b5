"""What is known of a fit when its report is written: plain values on the host, with units as attributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.evaluation.declared import Metric
    from xdpl.fit import Fit

__all__ = ["Facts", "LeftOut", "OfTarget", "Period", "Shown"]


@dataclass(frozen=True)
class LeftOut:
    """Something the page does not have.

    Parameters
    ----------
    what, why, how : str
        What it is, why it is not there, and what would add it.
    """

    what: str
    why: str
    how: str


@dataclass(frozen=True)
class Period:
    """Days that are scored.

    Parameters
    ----------
    first, last : str
        ISO dates.
    chosen : str
        How it was chosen, in words.
    """

    first: str
    last: str
    chosen: str

    def overlaps(self, other: list[str]) -> bool:
        """Whether it shares a day with another period, first and last day as ISO dates."""
        return self.first <= other[1] and other[0] <= self.last

    @property
    def slice(self) -> slice:
        """For selections by label."""
        return slice(self.first, self.last)


@dataclass(frozen=True)
class Shown:
    """Observed and simulated target at one site.

    Parameters
    ----------
    site : str
        Its name.
    rank : str
        Such as ``"median"``, among all sites.
    score : float
        The main metric.
    simulated, observed : DataArray, (time,)
        In declared units.
    """

    site: str
    rank: str
    score: float
    simulated: xr.DataArray
    observed: xr.DataArray


@dataclass(frozen=True)
class OfTarget:
    """One target of a fit; None is what could not be found, which `Facts.left_out` explains.

    Parameters
    ----------
    output, variable : str
        What the model calls it, and what the dataset does.
    units : str
        Declared by the model.
    main : Metric
        The one that is mapped and ranked by, nearest to the loss.
    scores, uncalibrated : Dataset, (*sites), optional
        As `Fit.evaluate` gives, of the fit and of the model with its defaults.
    groups : DataArray of int, (*sites), optional
        Labels with CF flags.
    told : Dataset, optional
        As `xdpl.evaluation.identifiability` gives.
    transfer : Dataset, optional
        As `xdpl.evaluation.transfer_test` gives.
    series : tuple of Shown
    """

    output: str
    variable: str
    units: str
    main: Metric
    scores: xr.Dataset | None = None
    uncalibrated: xr.Dataset | None = None
    groups: xr.DataArray | None = None
    told: xr.Dataset | None = None
    transfer: xr.Dataset | None = None
    series: tuple[Shown, ...] = ()


@dataclass(frozen=True)
class Facts:
    """All of it.

    Parameters
    ----------
    fit : Fit
    title : str
    targets : tuple of OfTarget
    period : Period, optional
        That is scored.
    parameters : Dataset, (*sites), optional
        Means over members and time, if there are such dims.
    averaged : dict of str to str
        Parameters that are such means, and over what.
    at_bounds : Dataset, optional
        As `xdpl.evaluation.at_bounds` gives, of parameters without that mean.
    left_out : tuple of LeftOut
    """

    fit: Fit
    title: str
    targets: tuple[OfTarget, ...]
    period: Period | None = None
    parameters: xr.Dataset | None = None
    averaged: dict[str, str] | None = None
    at_bounds: xr.Dataset | None = None
    left_out: tuple[LeftOut, ...] = ()
