"""A scale and an offset that are trained with the network: one of each, or of each site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import xarray as xr

from xdpl.errors import short
from xdpl.observation.base import Operator, check_number, plain_array

__all__ = ["GlobalAffine", "SiteAffine"]


@dataclass(frozen=True)
class GlobalAffine(Operator):
    """Compare scale × simulated + offset, one scale and one offset for all sites, trained.

    Parameters
    ----------
    rate : float
        Learning rate of both over that of the network, which has many more weights to move.

    Raises
    ------
    ValueError
        If the rate is not above 0.

    Notes
    -----
    With σ the median over training sites of the standard deviation of the observations in the training
    period and m the median of their means there, what is trained is α and β of
    m + exp(α) (y - m) + β σ, both zero at the start: scale exp(α), offset m (1 - exp(α)) + β σ.
    """

    rate: float = 10.0

    kind: ClassVar[str] = "global_affine"
    trained: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", check_number("rate", self.rate))


@dataclass(frozen=True, eq=False)
class SiteAffine(Operator):
    """Compare scale × simulated + offset, each training site with its own, trained and held back.

    Free (``penalty=0``) they take over level and amplitude of every site, and the parameters
    that are learned may be of no use in the model itself (Ahmad et al. 2025).
    `xdpl.evaluation.transfer_test` measures that.

    Parameters
    ----------
    penalty : float
        Strength: this times the mean over sites of α² + β² is added to the loss of the target;
        for losses in units of the target, times σ as well. 0 leaves them free.
    rate : float
        Learning rate of α and β over that of the network: a site has an update only when it is drawn.
    trusted : DataArray of bool, optional
        Over some or all of the site dims, sites whose observations have no bias, such as those with
        instruments in the ground: there the simulated is compared as it is. Few of them tell the
        parameters of all sites where the level lies.

    Raises
    ------
    ValueError
        If the penalty is below 0, the rate not above 0, or `trusted` no boolean array.

    Notes
    -----
    At each site m + exp(α) (y - m) + β σ is compared, with m the mean of its observations in the
    training period and σ as in `GlobalAffine`: scale exp(α), offset m (1 - exp(α)) + β σ. So the
    penalty is on the change of amplitude and on that of level apart.

    References
    ----------
    Ahmad et al. (2025), doi:10.1029/2024GL112893.
    """

    penalty: float = 1.0
    rate: float = 10.0
    trusted: xr.DataArray | None = None

    kind: ClassVar[str] = "site_affine"
    trained: ClassVar[bool] = True
    per_site: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "penalty", check_number("penalty", self.penalty, above=False))
        object.__setattr__(self, "rate", check_number("rate", self.rate))
        trusted: Any = self.trusted
        if trusted is not None and not (isinstance(trusted, xr.DataArray) and trusted.dtype.kind == "b"):
            msg = f"trusted must be a DataArray of bool over the sites, got {short(trusted)}"
            raise ValueError(msg)

    def to_dict(self) -> dict[str, Any]:
        """Plain values; an array as `DataArray.to_dict` has it, with the coordinates of its dims."""
        trusted = None if self.trusted is None else plain_array(self.trusted)
        return super().to_dict() | {"trusted": trusted}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> SiteAffine:
        """Inverse of `to_dict`."""
        trusted = values.get("trusted")
        trusted = None if trusted is None else xr.DataArray.from_dict(trusted).astype(bool)
        return cls(values["penalty"], values["rate"], trusted)

    def describe(self) -> str:
        """One line for people."""
        held = f"penalty {self.penalty:g}" if self.penalty else "free"
        also = "" if self.trusted is None else f", {int(self.trusted.sum())} sites trusted"
        return f"{self.kind}, {held}, rate {self.rate:g}{also}"
