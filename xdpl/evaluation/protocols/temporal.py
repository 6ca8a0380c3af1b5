"""The same sites in another period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdpl.errors import Problems
from xdpl.evaluation.checks import check_static
from xdpl.evaluation.protocols.base import Protocol, Split, split

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Temporal"]


@dataclass(frozen=True)
class Temporal(Protocol):
    """Train on all sites and test all of them, in another period.

    One fold, ``"all"``.
    """

    def splits(self, template: xr.DataArray) -> tuple[Split, ...]:
        """One split in which every site is trained on and tested.

        Parameters
        ----------
        template : DataArray
            Over site dims. Sites are where it is not NaN, or where it is True if boolean.

        Returns
        -------
        tuple of Split

        Raises
        ------
        InputErrors
            If `template` has a time dim.
        """
        problems = Problems("Temporal")
        check_static(problems, "template", template)
        problems.raise_if_any()
        sites = (template if template.dtype == bool else template.notnull()).compute()
        return (split("all", sites, sites),)
