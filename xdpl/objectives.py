"""How the errors of sites become the one number that learning minimises."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["OBJECTIVES", "GroupDRO"]

#: By name: all series at once, the mean of sites, the mean of groups, the worst group.
OBJECTIVES = ("pooled", "per-site", "stratified", "group-dro")


@dataclass(frozen=True)
class GroupDRO:
    """Weigh groups of sites so that the worst of them counts most (distributionally robust).

    After every update the weight of a group with loss L is multiplied by
    exp(step · (L / L̄ - 1)), L̄ being the mean of the groups, and weights are made to sum to one: the
    online algorithm of Sagawa et al. with relative losses.

    Parameters
    ----------
    step : float
        How fast weights move, above 0.
    floor : float
        Part of the objective that stays the plain mean of groups, 0 to below 1.

    Raises
    ------
    ValueError
        If a number is out of range.

    References
    ----------
    Sagawa et al. (2020), Distributionally robust neural networks for group shifts, arXiv:1911.08731.
    """

    step: float = 0.1
    floor: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.step < float("inf"):
            msg = f"step must be above 0, got {self.step}"
            raise ValueError(msg)
        if not 0 <= self.floor < 1:
            msg = f"floor must be from 0 to below 1, got {self.floor}"
            raise ValueError(msg)
