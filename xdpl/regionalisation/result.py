"""The result of regionalising: what carries calibrated parameters to any site."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

from xdpl.errors import Problems
from xdpl.fit.source import ParameterSource, has_attributes, has_forcings, simulate_with
from xdpl.labelled.place import find_place
from xdpl.labelled.tree import method_over_nodes
from xdpl.models import Model
from xdpl.regionalisation import report

if TYPE_CHECKING:
    from xdpl.regionalisation.donors import Donors
    from xdpl.regionalisation.regression import Regression

__all__ = ["Regionalisation"]


def _has_sites(regional: Regionalisation, ds: xr.Dataset, **_: Any) -> list[str]:
    """What the node of a tree has of that by which sites are known."""
    if regional.attributes:
        return has_attributes(regional, ds)
    place = find_place(ds, "latitude", Problems("tree"))
    return [] if place is None else [place]


@dataclass(frozen=True, repr=False)
class Regionalisation(ParameterSource):
    """Calibrated parameters with a way to other sites; answers what a `Fit` does.

    Made by `xdpl.regionalise` or `xdpl.load`.

    Parameters
    ----------
    model : Model
    method : Regression or Donors
        What was fitted, or the donors.
    attributes : dict of str to str or None
        Names of the attributes and the units they had at the calibrated sites.
    forcings : dict of str to str
        Which variable was which forcing.
    settings : dict
        How it was made, as plain values.
    """

    model: Model
    method: Regression | Donors
    attributes: dict[str, str | None]
    forcings: dict[str, str]
    settings: dict[str, Any]

    @method_over_nodes(_has_sites)
    def parameters(self, ds: xr.Dataset) -> xr.Dataset:
        """Parameters of the sites of a dataset, calibrated or not.

        Parameters
        ----------
        ds : Dataset or DataTree
            With the attributes, on any dimensions; with latitude and longitude, if donors
            are the nearest on the globe. Of a tree, the nodes that have them.

        Returns
        -------
        Dataset
            One variable per calibrated parameter with units, bounds and long name; NaN
            where all attributes are NaN, or the position is. With a dim `member`, the
            nearest donor first, where simulations of several donors are averaged. Lazy
            where an attribute is, on the GPU where they are, quantified if one is.

        Raises
        ------
        InputErrors
            If attributes or coordinates are missing, have a time dimension or other units,
            or some but not all of the attributes are NaN at a site.
        """
        from xdpl.regionalisation.carried import carried

        return carried(self, ds)

    @method_over_nodes(has_forcings)
    def simulate(self, ds: xr.Dataset, **options: Any) -> xr.Dataset:
        """Run the model with the carried parameters; the mean over members, if there are some.

        Parameters
        ----------
        ds : Dataset or DataTree
            With the forcings, and what `Regionalisation.parameters` needs.
        **options
            Those of `xdpl.simulate`, such as `outputs`, `initial` or `return_states`.

        Returns
        -------
        Dataset, or a pair of them with `return_states`
            As `xdpl.simulate` returns.

        Raises
        ------
        InputErrors
            As `Regionalisation.parameters` and `xdpl.simulate`.
        """
        simulated: xr.Dataset = simulate_with(self, ds, self.parameters(ds), **options)
        return simulated

    def coefficients(self) -> xr.Dataset:
        """Of a regression, what relates parameters to the attributes.

        Returns
        -------
        Dataset
            ``coefficient`` (parameter, attribute) and ``constant`` (parameter), as those of
            `Fit.coefficients` for linear relations, with ``mean`` and ``std`` of the attributes
            as coordinates; ``penalty`` (parameter), that of the sum of squared coefficients over
            the number of sites; ``explained`` (parameter), 1 less the leave-one-out squared error
            over that of the mean alone, of the logarithm of the odds. All without units.

        Raises
        ------
        InputErrors
            If the method is another one.
        """
        from xdpl.regionalisation.coefficients import coefficients

        return coefficients(self)

    def save(self, path: str | Path) -> None:
        """Write a zarr store; `xdpl.load` reads it back and runs no code from it.

        Raises
        ------
        InputErrors
            If something exists at `path`.
        """
        from xdpl.regionalisation import storage

        storage.save(self, Path(path))

    def __repr__(self) -> str:
        return report.text(self)

    def _repr_html_(self) -> str:
        return report.html(self)
