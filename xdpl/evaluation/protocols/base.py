"""What a protocol is, and one split of it."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Protocol", "Split", "leave_one_out", "split"]


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """Sites to train on and sites to test.

    Parameters
    ----------
    name : str
        Unique in its protocol.
    train, test : DataArray of bool
        Over the site dims.
    """

    name: str
    train: xr.DataArray
    test: xr.DataArray


class Protocol(ABC):
    """Which sites are trained on and which are tested, fold by fold.

    Subclasses are frozen dataclasses of plain values with a method `splits`; an own one goes into
    `xdpl.cross_validate` like those of the package.
    """

    #: Whether sites that are tested but not trained on have been observed before the test: a network
    #: with a history reads that.
    gauged: ClassVar[bool] = True

    @abstractmethod
    def splits(self, template: xr.DataArray) -> Sequence[Split]:
        """Folds of the sites of a template.

        Parameters
        ----------
        template : DataArray
            Over site dims. Sites are where it is not NaN, or where it is True if boolean.

        Returns
        -------
        sequence of Split
            In which each site is tested at most once.

        Raises
        ------
        InputErrors
            If the protocol cannot split these sites.
        """

    def to_dict(self) -> dict[str, Any]:
        """Plain values: ``kind``, the name of the class, and its fields."""
        # No dataclass itself, so that a subclass without fields can do without too.
        own: tuple[Any, ...] = dataclasses.fields(self) if dataclasses.is_dataclass(self) else ()
        return {"kind": type(self).__name__} | {f.name: getattr(self, f.name) for f in own}


def leave_one_out(labels: xr.DataArray, names: Sequence[str]) -> tuple[Split, ...]:
    """A split for each label, 0 to ``len(names) - 1``, tested on it and trained on the others."""
    return tuple(split(name, (labels >= 0) & (labels != i), labels == i) for i, name in enumerate(names))


def split(name: str, train: xr.DataArray, test: xr.DataArray) -> Split:
    """A split of masks that were computed from something else, of which nothing but coordinates is left."""
    return Split(name, *(mask.rename(None).drop_attrs(deep=False) for mask in (train, test)))
