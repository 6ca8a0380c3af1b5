"""Training and test periods: inside the data, and apart where they have to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.cross_validation.plan import Plan
    from xdpl.errors import Problems
    from xdpl.evaluation.protocols import Split

__all__ = ["check_apart", "spans"]


def spans(ds: xr.Dataset, periods: dict[str, slice | None], problems: Problems) -> dict[str, slice]:
    """Positions along time of periods given by dates; those outside the data are noted."""
    index = ds.indexes.get("time")
    if index is None or not hasattr(index, "month") or not index.is_monotonic_increasing:
        return {}  # noted with the forcings
    return {name: _span(ds, name, period, problems) for name, period in periods.items()}


def _span(ds: xr.Dataset, name: str, period: slice | None, problems: Problems) -> slice:
    index = ds.indexes["time"]
    got = repr(period)
    if period is None:
        return slice(0, len(index))
    if isinstance(period, slice):
        got = f"{period.start} to {period.stop}"
        try:
            found = index.slice_indexer(period.start, period.stop)
            edges = [edge for edge in (period.start, period.stop) if edge is not None]
            if found.stop > found.start and all(ds["time"].sel(time=edge).size for edge in edges):
                return slice(int(found.start), int(found.stop))
        except (KeyError, TypeError, ValueError) as error:
            got = f"{got} ({error!s})"
    first, last = index[0], index[-1]
    problems.add(
        name,
        expected=f"a slice of dates inside the data, {first:%Y-%m-%d} to {last:%Y-%m-%d}",
        got=got,
        fix=f'{name}=slice("{first:%Y-%m-%d}", "{last:%Y-%m-%d}")',
    )
    return slice(0, len(index))


def check_apart(
    ds: xr.Dataset, plan: Plan, splits: tuple[Split, ...], when: dict[str, slice], problems: Problems
) -> None:
    """Note what a test would share with training or validation."""
    both = any(bool((split.train & split.test).any()) for split in splits)
    if both:
        _check_overlap("train", when["train"], when["test"], ds, problems)
    for label, options in plan.models.items():
        validate = options.get("validate")
        prefix = f"{label}: " if len(plan.models) > 1 else ""
        if isinstance(validate, slice):
            if both:
                span = _positions(ds, validate)
                _check_overlap(f"{prefix}validate", span, when["test"], ds, problems)
        elif validate is not None:
            shared = [split.name for split in splits if bool((validate & split.test).any())]
            if shared:
                problems.add(
                    f"{prefix}validate",
                    expected="no validation site that is tested",
                    got=f"some in fold {', '.join(shared)}",
                    fix="a period, validate=slice(...), of the training sites",
                )


def _positions(ds: xr.Dataset, period: slice) -> slice:
    where = np.flatnonzero(ds["time"].isin(ds["time"].sel(time=period)).values)
    return slice(int(where[0]), int(where[-1]) + 1)


def _check_overlap(name: str, a: slice, test: slice, ds: xr.Dataset, problems: Problems) -> None:
    shared = min(a.stop, test.stop) - max(a.start, test.start)
    if shared <= 0:
        return
    index = ds.indexes["time"]
    dates = [f"{index[p.start]:%Y-%m-%d} to {index[p.stop - 1]:%Y-%m-%d}" for p in (a, test)]
    problems.add(
        name,
        expected="no step of the test period, since the same sites are tested",
        got=f"{dates[0]}, of which {shared} steps are in the test period {dates[1]}",
        fix="periods one after the other, as xdpl.evaluation.period_fractions makes them",
    )
