"""Checks that several evaluation functions share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdpl.labelled import schema

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    import xarray as xr

    from xdpl.errors import Problems

__all__ = ["check_labels", "check_pair", "check_static", "names"]


def names(dims: Iterable[Hashable]) -> str:
    """Names as readable text; ``"none"`` if there are none."""
    return ", ".join(map(str, dims)) or "none"


def check_labels(
    problems: Problems, subject: str, a: xr.DataArray | xr.Dataset, b: xr.DataArray | xr.Dataset
) -> None:
    """Note a problem unless shared dims have equal labels, sizes and order.

    An inner join would be silent: one rounded coordinate and sites vanish from the result.
    """
    schema.check_labels(
        subject,
        a,
        b,
        problems,
        expected="the same labels along shared dims",
        fix='a, b = xr.align(a, b, join="inner"), or reindex one like the other',
    )


def check_static(problems: Problems, subject: str, field: xr.DataArray, time: Hashable = "time") -> None:
    """Note a problem unless the field has site dims, and only those."""
    if field.ndim and time not in field.dims:
        return
    problems.add(
        subject,
        expected="a static field over site dims",
        got=names(field.dims),
        fix=f'{subject}.isel({time}=0, drop=True) or {subject}.mean("{time}")'
        if field.ndim
        else f"give {subject} one value per site",
    )


def check_pair(
    problems: Problems,
    simulated: xr.DataArray,
    observed: xr.DataArray,
    dim: Hashable | None,
    minimum: int,
    *,
    subjects: tuple[str, str] = ("simulated", "observed"),
) -> None:
    """Note what keeps two arrays from being compared; `dim` None is all dims, `subjects` their names."""
    first, second = subjects
    for subject, array in ((first, simulated), (second, observed)):
        if dim is not None and dim not in array.dims:
            problems.add(
                subject,
                expected=f"a dim {dim!r}",
                got=names(array.dims),
                fix="name it in dim= or rename the dim",
            )
    extra = [d for d in observed.dims if d not in simulated.dims]
    if extra:
        problems.add(
            second,
            expected=f"only dims of {first} ({names(simulated.dims)})",
            got=f"also {names(extra)}",
            fix="rename the dim or select along it",
        )
    if minimum < 2:
        problems.add("minimum", expected="at least 2", got=str(minimum), fix="minimum=10")
    check_labels(problems, second, simulated, observed)
