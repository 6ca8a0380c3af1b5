"""Prediction in regions without observations."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from xdpl.errors import Problems
from xdpl.evaluation.bisection import contiguous_regions
from xdpl.evaluation.checks import check_labels, check_static, names
from xdpl.evaluation.protocols.base import Protocol, Split, leave_one_out
from xdpl.evaluation.sites import label_sites, sites_of

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["UngaugedRegions"]


# eq=False: labels have no single truth value.
@dataclasses.dataclass(frozen=True, eq=False)
class UngaugedRegions(Protocol):
    """Prediction in ungauged regions (PUR): each region is tested by a fit that saw none of it.

    Parameters
    ----------
    k : int
        Number of contiguous regions of equal size, named ``"0"`` to ``"<k - 1>"``.
    lat, lon : hashable
        Names of the coordinates (degrees) that `contiguous_regions` cuts along.
    regions : DataArray of int or str, optional
        Own regions over the site dims instead, in any order, named by their labels. Sites with a
        negative or empty label take no part.

    Notes
    -----
    A network with a history reads no observation of a tested site.
    """

    gauged: ClassVar[bool] = False

    k: int = 7
    lat: Hashable = "lat"
    lon: Hashable = "lon"
    regions: xr.DataArray | None = None

    def splits(self, template: xr.DataArray) -> tuple[Split, ...]:
        """One split per region.

        Parameters
        ----------
        template : DataArray
            Over site dims. Sites are where it is not NaN, or where it is True if boolean.

        Returns
        -------
        tuple of Split
            In which each site that has a region is tested once.

        Raises
        ------
        InputErrors
            As `contiguous_regions`; or if `regions` are no labels of the sites of `template`, or less
            than two.
        """
        if self.regions is None:
            made = contiguous_regions(template, self.lat, self.lon, self.k)
            return leave_one_out(made, [str(i) for i in range(self.k)])
        ordered, valid = sites_of(template)
        labels = self._given(self.regions, template, ordered)[valid]
        known = _known(labels)
        problems = Problems("UngaugedRegions")
        if len(known) < 2:
            problems.add(
                "regions",
                expected="labels of at least two regions at the sites",
                got=names(known),
                fix="label more sites, or leave regions out",
            )
            problems.raise_all()
        code = {label: i for i, label in enumerate(known)}
        codes = np.array([code.get(label, -1) for label in labels.tolist()], dtype=np.int64)
        found = label_sites(template, ordered, valid, codes, "region")
        return leave_one_out(found, [str(label) for label in known])

    def to_dict(self) -> dict[str, Any]:
        """Plain values; of own regions their names."""
        if self.regions is None:
            values = {"k": self.k, "lat": str(self.lat), "lon": str(self.lon)}
        else:
            values = {"regions": [str(label) for label in _known(np.asarray(self.regions.values))]}
        return {"kind": type(self).__name__} | values

    @staticmethod
    def _given(regions: xr.DataArray, template: xr.DataArray, ordered: xr.DataArray) -> Any:
        problems = Problems("UngaugedRegions")
        check_static(problems, "template", template)
        if set(regions.dims) != set(template.dims):
            problems.add(
                "regions",
                expected=f"the site dims {names(template.dims)}",
                got=names(regions.dims),
                fix="give one label per site",
            )
        check_labels(problems, "regions", template, regions)
        if regions.dtype.kind not in "iuUTO":
            problems.add(
                "regions",
                expected="labels of int or str",
                got=str(regions.dtype),
                fix="regions.fillna(-1).astype(int)",
            )
        problems.raise_if_any()
        return np.asarray(regions.transpose(*ordered.dims).values)


def _known(labels: np.ndarray[Any, Any]) -> list[Any]:
    """Labels of regions, sorted; others, negative or empty, mark sites in none."""
    found = set(labels.ravel().tolist())
    numbers = sorted(x for x in found if isinstance(x, int) and x >= 0)
    return [*numbers, *sorted(x for x in found if isinstance(x, str) and x)]
