"""What a report is asked for, and whether it makes sense."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl.errors import Problems, short
from xdpl.evaluation.checks import check_labels, check_static
from xdpl.evaluation.sites import check_integer
from xdpl.labelled.choices import check_period
from xdpl.labelled.tree import refuse_tree

if TYPE_CHECKING:
    from xdpl.fit import Fit

__all__ = ["Request", "check"]

_SUFFIXES = (".html", ".htm")


@dataclass(frozen=True)
class Request:
    """Arguments of `Fit.report`.

    Parameters
    ----------
    time, groups, sites, identifiability, title, progress
        As there.
    """

    time: slice | None = None
    groups: xr.DataArray | None = None
    sites: int = 3
    identifiability: bool = True
    title: str | None = None
    progress: bool = True


def check(fit: Fit, path: str | Path, ds: Any, request: Request) -> Path:
    """The path of the page; everything that can be said before computing has been.

    Raises
    ------
    InputErrors
        With every problem of the arguments.
    """
    problems = Problems("Fit.report")
    refuse_tree("Fit.report", ds)
    target = Path(path)
    _check_path(target, problems)
    if ds is not None and not isinstance(ds, xr.Dataset):
        problems.add("ds", expected="a Dataset", got=short(ds), fix="the dataset of the training")
        problems.raise_all()
    check_integer(problems, "sites", request.sites, 0)
    title: Any = request.title
    if title is not None and not isinstance(title, str):
        problems.add("title", expected="text", got=short(title), fix='title="..."')
    if ds is None:
        _check_nothing_of_data(request, problems)
    else:
        _check_with(fit, ds, request, problems)
    problems.raise_if_any()
    return target


def _check_path(path: Path, problems: Problems) -> None:
    if path.suffix.lower() not in _SUFFIXES:
        # A page replaces what is there: never a file of data by mistake.
        fix = f'"{path.with_suffix(".html")}"' if path.name else '"report.html"'
        problems.add("path", expected="a name that ends in .html", got=repr(str(path)), fix=fix)
    elif path.is_dir():
        problems.add("path", expected="a file", got=f"a folder, {str(path)!r}", fix="another name")
    if not path.parent.is_dir():
        got, fix = f"no folder {str(path.parent)!r}", f'Path("{path.parent}").mkdir(parents=True)'
        problems.add("path", expected="a folder that is there", got=got, fix=fix)


def _check_nothing_of_data(request: Request, problems: Problems) -> None:
    given: dict[str, Any] = {"time": request.time, "groups": request.groups}
    for name, value in given.items():
        if value is not None:
            fix = f"fit.report(path, ds, {name}=...)"
            problems.add(name, expected="nothing without a dataset", got=short(value), fix=fix)


def _check_with(fit: Fit, ds: xr.Dataset, request: Request, problems: Problems) -> None:
    time: Any = request.time
    if isinstance(time, slice):
        check_period("time", time, ds, problems)
    elif time is not None:
        fix = 'time=slice("2001-01-01", "2001-12-31")'
        problems.add("time", expected="a slice of dates", got=short(time), fix=fix)
    if request.groups is not None:
        _check_groups(request.groups, ds, problems)
    for variable in dict.fromkeys((*fit.targets.values(), *fit.attributes)):
        if variable not in ds.variables:
            fix = f'ds = ds.rename({{"<variable>": "{variable}"}})'
            problems.add(
                variable, expected="a variable of ds, as in the training", got="no such variable", fix=fix
            )
    if "time" not in ds.indexes:
        problems.add("time", expected="a coordinate of ds", got="none", fix="ds.assign_coords(time=...)")


def _check_groups(groups: Any, ds: xr.Dataset, problems: Problems) -> None:
    if not isinstance(groups, xr.DataArray):
        fix = "xdpl.evaluation.dryness_terciles(dryness)"
        problems.add("groups", expected="a DataArray of labels", got=short(groups), fix=fix)
        return
    check_static(problems, "groups", groups)
    if not np.issubdtype(groups.dtype, np.integer):
        fix = "np.unique(names, return_inverse=True) numbers names; say them in flag_meanings"
        problems.add("groups", expected="integer labels", got=str(groups.dtype), fix=fix)
    elif not bool((groups >= 0).any()):
        problems.add("groups", expected="labels from 0", got="none", fix="label at least one site")
    missing = [str(d) for d in groups.dims if d not in ds.dims]
    if missing:
        got = f"also {', '.join(missing)}"
        problems.add("groups", expected="dims of ds", got=got, fix="rename the dim")
    else:
        check_labels(problems, "groups", groups, ds)
