"""Prediction at sites without observations: random folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from xdpl.evaluation.protocols.base import Protocol, Split, leave_one_out
from xdpl.evaluation.splits import random_folds

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Ungauged"]


@dataclass(frozen=True)
class Ungauged(Protocol):
    """Prediction in ungauged basins (PUB): each site is tested by a fit that did not see it.

    Parameters
    ----------
    k : int
        Number of random folds, named ``"0"`` to ``"<k - 1>"``.
    seed : int
        Of `random_folds`, not of the training.

    Notes
    -----
    Neighbours of a tested site are trained on; `UngaugedRegions` is harder. A network with a history
    reads no observation of a tested site.
    """

    gauged: ClassVar[bool] = False

    k: int = 5
    seed: int = 0

    def splits(self, template: xr.DataArray) -> tuple[Split, ...]:
        """One split per fold of `random_folds`.

        Parameters
        ----------
        template : DataArray
            Over site dims. Sites are where it is not NaN, or where it is True if boolean.

        Returns
        -------
        tuple of Split
            In which each site is tested once.

        Raises
        ------
        InputErrors
            As `random_folds`.
        """
        folds = random_folds(template, self.k, self.seed)
        return leave_one_out(folds, [str(i) for i in range(self.k)])
