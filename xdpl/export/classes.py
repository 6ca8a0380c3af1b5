"""Classes of cells: labels and their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from xdpl.evaluation.checks import check_static

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.errors import Problems

__all__ = ["check_classes", "class_names"]


def check_classes(by: xr.DataArray, problems: Problems, subject: str = "by") -> bool:
    """Note what is no static field of whole numbers with names that fit."""
    before = len(problems.found)
    check_static(problems, subject, by)
    if not np.issubdtype(by.dtype, np.integer):
        problems.add(
            subject,
            expected="integer labels, negative where there is no class",
            got=str(by.dtype),
            fix=f"{subject}.fillna(-1).astype(int)",
        )
    values, meanings = _flags(by)
    if len(values) != len(meanings) or len(set(values)) != len(values) or len(set(meanings)) != len(meanings):
        problems.add(
            subject,
            expected="flag_meanings with one name for each of flag_values, none twice",
            got=f"{len(values)} values and {len(meanings)} meanings",
            fix=f"{subject}.assign_attrs(flag_values=[1, 2], flag_meanings='sand clay')",
        )
    return len(problems.found) == before


def class_names(by: xr.DataArray, problems: Problems, subject: str = "by") -> dict[int, str]:
    """Name of each class by its label, in rising order; the number itself without ``flag_meanings``.

    Labels without a name, where others have some, are noted as a problem.
    """
    there = {int(v) for v in np.unique(by.values) if v >= 0}
    values, meanings = _flags(by)
    named = {int(v): m for v, m in zip(values, meanings, strict=True) if v >= 0}
    if not named:
        return {v: str(v) for v in sorted(there)}
    if unknown := sorted(there - named.keys()):
        problems.add(
            subject,
            expected=f"labels of its flag_values: {', '.join(map(str, sorted(named)))}",
            got=f"cells with {', '.join(map(str, unknown))}",
            fix="name them in flag_values and flag_meanings, or label them -1",
        )
    return dict(sorted(named.items()))


def _flags(by: xr.DataArray) -> tuple[list[int], list[str]]:
    values = np.atleast_1d(by.attrs.get("flag_values", [])).tolist()
    return values, str(by.attrs.get("flag_meanings", "")).split()
