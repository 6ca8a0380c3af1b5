"""Which days and which sites to train on and to validate with: whether the choice makes sense."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

from xdpl.labelled import schema

if TYPE_CHECKING:
    from xdpl.errors import Problems

__all__ = ["after_warmup", "check_period", "check_periods"]


def check_periods(
    ds: xr.Dataset,
    train: slice | None,
    validate: slice | xr.DataArray | None,
    sites: xr.DataArray | None,
    site_dims: tuple[str, ...],
    problems: Problems,
) -> None:
    """Note periods outside the data and masks that are not of its sites."""
    given: dict[str, object] = {"sites": sites, "validate": validate, "train": train}
    for name, value in given.items():
        if value is None:
            continue
        if isinstance(value, slice) and name != "sites":
            check_period(name, value, ds, problems)
        elif name == "train":
            fix = 'train=slice("2000-01-01", "2000-12-31")'
            problems.add(name, expected="a slice of dates", got=repr(value), fix=fix)
        else:
            _check_mask(name, value, ds, site_dims, problems)


def after_warmup(first: int, last: int, warmup: int, problems: Problems) -> int:
    """First step of a period that is compared: without a record before it, its own first steps warm up.

    A warm-up that leaves nothing of the period is noted.
    """
    first = max(first, warmup)
    if first > last:
        problems.add(
            "warmup",
            expected=f"fewer than {last + 1} steps, the record up to the end of the training period",
            got=repr(warmup),
            fix="a shorter warmup, or a later or longer train period",
        )
    return first


def check_period(name: str, period: slice, ds: xr.Dataset, problems: Problems) -> None:
    """Note a period, the argument `name`, that is not inside the data."""
    index = ds.indexes.get("time")
    if index is None or not hasattr(index, "month") or not index.is_monotonic_increasing:
        return  # noted with the forcings
    first, last = index[0], index[-1]
    try:
        edges = [edge for edge in (period.start, period.stop) if edge is not None]
        inside = all(ds["time"].sel(time=part).size > 0 for part in (period, *edges))
        got = f"{period.start} to {period.stop}"
    except (KeyError, TypeError, ValueError) as error:
        inside, got = False, f"{period.start} to {period.stop} ({error!s})"
    if not inside:
        problems.add(
            name,
            expected=f"a period inside the data, {first:%Y-%m-%d} to {last:%Y-%m-%d}",
            got=got,
            fix=f'{name}=slice("{first:%Y-%m-%d}", "{last:%Y-%m-%d}")',
        )


def _check_mask(
    name: str, mask: object, ds: xr.Dataset, site_dims: tuple[str, ...], problems: Problems
) -> None:
    if not isinstance(mask, xr.DataArray) or mask.dtype.kind != "b" or set(mask.dims) != set(site_dims):
        got = f"{mask.dtype} with dims {mask.dims}" if isinstance(mask, xr.DataArray) else repr(mask)
        problems.add(
            name,
            expected=f"a boolean DataArray with dims {site_dims}"
            + " or a slice of dates" * (name == "validate"),
            got=got,
            fix=f"{name}=folds != 0, with folds from xdpl.evaluation.random_folds",
        )
        return
    schema.check_labels(name, mask, ds, problems, fix=f"{name}={name}.reindex_like(ds, fill_value=False)")
