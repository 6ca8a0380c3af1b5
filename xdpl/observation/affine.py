"""A scale and an offset that are trained with the network: one of each, or of each site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdpl.observation.base import Operator, check_number

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


@dataclass(frozen=True)
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

    Raises
    ------
    ValueError
        If the penalty is below 0 or the rate not above 0.

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

    kind: ClassVar[str] = "site_affine"
    trained: ClassVar[bool] = True
    per_site: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "penalty", check_number("penalty", self.penalty, above=False))
        object.__setattr__(self, "rate", check_number("rate", self.rate))

    def describe(self) -> str:
        """One line for people."""
        held = f"penalty {self.penalty:g}" if self.penalty else "free"
        return f"{self.kind}, {held}, rate {self.rate:g}"
