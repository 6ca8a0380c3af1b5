"""Splits of time into consecutive periods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xdpl.errors import Problems
from xdpl.evaluation.checks import names

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    import xarray as xr

__all__ = ["period_fractions"]

# 0.7 + 0.2 + 0.1 is not 1.
_ROUNDING = 1e-9


def period_fractions(
    ds: xr.Dataset | xr.DataArray, fractions: Mapping[str, float], *, dim: Hashable = "time"
) -> dict[str, slice]:
    """Cut time into consecutive periods that do not overlap.

    Parameters
    ----------
    ds : Dataset or DataArray
        With a coordinate along `dim` whose labels increase.
    fractions : mapping of name to float
        Share of the time steps (1) of each period, in order of time, each above 0 and together at
        most 1; what is left over at the end belongs to no period.
    dim : hashable
        The time dim.

    Returns
    -------
    dict of name to slice
        Label-based slices for ``ds.sel``; both ends belong to the period, and each period ends one
        step before the next begins.

    Raises
    ------
    InputErrors
        If there is no such coordinate, its labels do not increase, or a fraction is out of range or
        too small for a single step.

    Examples
    --------
    >>> parts = period_fractions(ds, {"train": 0.6, "test": 0.4})  # doctest: +SKIP
    >>> ds.dpl.learn("vic", train=parts["train"], ...)  # doctest: +SKIP
    """
    problems = Problems("period_fractions")
    _check_fractions(problems, fractions)
    index = _index(problems, ds, dim)
    problems.raise_if_any()
    periods: dict[str, slice] = {}
    begin, share = 0, 0.0
    for name, fraction in fractions.items():
        share += fraction
        end = round(min(share, 1.0) * len(index))
        if end > begin:
            periods[name] = slice(index[begin], index[end - 1])
        else:
            problems.add(
                f"fractions[{name!r}]",
                expected="at least one time step",
                got=f"{fraction} of {len(index)} steps",
                fix="a larger fraction",
            )
        begin = end
    problems.raise_if_any()
    return periods


def _check_fractions(problems: Problems, fractions: Mapping[str, float]) -> None:
    for name, fraction in fractions.items():
        if not fraction > 0:
            problems.add(f"fractions[{name!r}]", expected="above 0", got=str(fraction), fix=f"drop {name!r}")
    total = sum(fractions.values())
    if not fractions or total > 1 + _ROUNDING:
        problems.add(
            "fractions",
            expected="at least one, together at most 1",
            got=f"{len(fractions)}, together {total:g}",
            fix='{"train": 0.7, "test": 0.3}',
        )


def _index(problems: Problems, ds: xr.Dataset | xr.DataArray, dim: Hashable) -> Any:
    index = ds.indexes.get(dim)
    if index is None:
        problems.add(
            str(dim),
            expected="a dim with a coordinate",
            got=f"dims {names(ds.dims)}, indexes {names(ds.indexes)}",
            fix=f"ds.assign_coords({dim}=...) or dim=...",
        )
        problems.raise_all()
    if not (index.is_monotonic_increasing and index.is_unique):
        problems.add(
            str(dim),
            expected="labels that increase",
            got="repeated labels" if not index.is_unique else "labels out of order",
            fix=f'ds.drop_duplicates("{dim}").sortby("{dim}")',
        )
    return index
