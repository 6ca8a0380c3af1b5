"""Fit after fit, until all are there or the user stops it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING

from xdpl import units
from xdpl.cross_validation import identity
from xdpl.cross_validation.cell import run_one
from xdpl.cross_validation.inputs import Ready, ready
from xdpl.cross_validation.result import together
from xdpl.cross_validation.store import Store

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.cross_validation.plan import Key, Plan

__all__ = ["run"]


def run(ds: xr.Dataset, plan: Plan, *, progress: bool) -> xr.Dataset:
    """Check, train, score; arguments as in `xdpl.cross_validate`."""
    found = ready(ds, plan)
    keys = [(m, f, s) for m in plan.models for f in range(len(found.splits)) for s in plan.seeds]
    store = _store(ds, plan, found)
    finished = {} if store is None else {k: v for k in keys if (v := store.read(k)) is not None}
    todo = [key for key in keys if key not in finished]
    try:
        for key in _bar(todo, len(keys), progress):
            fit, scores = run_one(ds, plan, found, key, None if store is None else store.checkpoint(key))
            if store is not None:
                store.write(key, scores, fit)
            finished[key] = scores
    except KeyboardInterrupt:
        if not finished:
            raise
        _warn(len(finished), len(keys), kept=store is not None)
    return units.quantify_like(together(ds, plan, found, finished), ds[found.variable])


def _store(ds: xr.Dataset, plan: Plan, found: Ready) -> Store | None:
    if plan.out is None:
        return None
    described = identity.of_run(ds, plan, found), identity.of_models(plan, found)
    return Store(plan.out, *described, save_fits=plan.save_fits)


def _bar(todo: list[Key], total: int, progress: bool) -> Iterable[Key]:
    from tqdm.auto import tqdm

    bar: Iterable[Key] = tqdm(
        todo, desc="cross_validate", unit="fit", initial=total - len(todo), total=total, disable=not progress
    )
    return bar


def _warn(finished: int, total: int, *, kept: bool) -> None:
    more = "the same call continues" if kept else "out= would let the same call continue"
    message = f"interrupted after {finished} of {total} fits; the others are NaN; {more}"
    # Past this module and cross_validate, to its caller.
    warnings.warn(message, RuntimeWarning, stacklevel=4)
