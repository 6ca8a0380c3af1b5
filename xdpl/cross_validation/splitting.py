"""The splits of a protocol, own ones too: sound, and with something observed in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import xarray as xr

from xdpl.errors import InputError, InputErrors, short
from xdpl.evaluation.checks import check_labels, names
from xdpl.evaluation.protocols import Protocol, Split

if TYPE_CHECKING:
    from xdpl.errors import Problems

__all__ = ["check_observed", "fold_of_site", "splits_of"]


def splits_of(protocol: Protocol, template: xr.DataArray, problems: Problems) -> tuple[Split, ...]:
    """Split the sites of a template; what is wrong with the protocol or its splits is noted."""
    if not bool(template.any()):
        problems.add(
            "ds",
            expected="sites where the target was ever observed and all models have their inputs",
            got="none",
            fix="xdpl.check(ds, model), and look for NaN",
        )
        return ()
    try:
        splits = tuple(protocol.splits(template))
    except InputErrors as errors:
        problems.found += [e for e in errors.exceptions if isinstance(e, InputError)]
        return ()
    _check_names(splits, problems)
    sound = [s for s in splits if _check_masks(s, template, problems)]
    if len(sound) < len(splits):
        return ()
    ordered = ((m.transpose(*template.dims).compute() for m in (s.train, s.test)) for s in splits)
    splits = tuple(Split(s.name, *masks) for s, masks in zip(splits, ordered, strict=True))
    _check_tested_once(splits, template, problems)
    return splits


def check_observed(splits: tuple[Split, ...], seen: dict[str, xr.DataArray], problems: Problems) -> None:
    """Note a fold without observations at its sites in a period; `seen` is by period, over site dims."""
    for name, observed in seen.items():
        empty = [s.name for s in splits if not bool((getattr(s, name) & observed).any())]
        if empty:
            problems.add(
                name,
                expected=f"observations at {name} sites in the {name} period in every fold",
                got=f"none in fold {', '.join(empty)}",
                fix="a longer period, or fewer folds",
            )


def fold_of_site(splits: tuple[Split, ...]) -> xr.DataArray:
    """Position of the fold that tests a site, over the site dims; -1 where none does."""
    found = (splits[0].test * 0 - 1).astype("int64")
    for i, split in enumerate(splits):
        found = found.where(~split.test, i)
    attrs = {"long_name": "position along fold of the fold that tests the site; -1 where none does"}
    return found.rename("fold_of_site").drop_attrs(deep=False).assign_attrs(attrs)


def _check_names(splits: tuple[Split, ...], problems: Problems) -> None:
    given = [getattr(s, "name", s) for s in splits]
    if (
        not given
        or len(set(map(str, given))) < len(given)
        or not all(isinstance(n, str) and n for n in given)
    ):
        problems.add(
            "protocol",
            expected="at least one Split, each with its own name",
            got=names(map(short, given)),
            fix='Split("north", train, test)',
        )


def _check_masks(split: Split, template: xr.DataArray, problems: Problems) -> bool:
    start = len(problems.found)
    for part in ("train", "test"):
        before = len(problems.found)
        mask: Any = getattr(split, part, None)
        subject = f"protocol: {part} of {short(getattr(split, 'name', split))}"
        dims = mask.dims if isinstance(mask, xr.DataArray) and mask.dtype.kind == "b" else ()
        if set(dims) != set(template.dims):
            problems.add(
                subject,
                expected=f"a boolean DataArray over {names(template.dims)}",
                got=short(mask),
                fix="template & (labels == 0)",
            )
            continue
        check_labels(problems, subject, template, mask)
        if len(problems.found) == before and not bool((mask & template).any()):
            problems.add(subject, expected="at least one site", got="none", fix="fewer folds or more sites")
    return len(problems.found) == start


def _check_tested_once(splits: tuple[Split, ...], template: xr.DataArray, problems: Problems) -> None:
    times = sum((s.test.astype(int) for s in splits), 0 * template.astype(int))
    if bool((times > 1).any()):
        problems.add(
            "protocol",
            expected="each site tested in one fold at most, so that it counts once",
            got=f"{int((times > 1).sum())} sites tested in several",
            fix="run the splits one by one",
        )
