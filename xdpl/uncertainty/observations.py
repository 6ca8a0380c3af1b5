"""What a fit was trained or is tuned on, as tensors: forcings, attributes and observations of some sites."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from xdpl.fit.attributes import find_attributes
from xdpl.labelled import schema
from xdpl.labelled.choices import after_warmup
from xdpl.labelled.grid import Grid
from xdpl.labelled.series import check_series
from xdpl.labelled.targets import find_targets
from xdpl.networks.base import Inputs
from xdpl.training.arrays import Period, periods
from xdpl.training.samples import Batch

if TYPE_CHECKING:
    from xdpl.errors import Problems
    from xdpl.fit import Fit

__all__ = ["Observations", "check_sites", "observations", "period_of"]


@dataclass(frozen=True)
class Observations:
    """Sites with observations in a period.

    Parameters
    ----------
    batch : Batch
        All sites at once, from the beginning of the record to the end of the period.
    observed : mapping of str to Tensor, (time, site)
        Of each target in the period, in declared units; NaN where there is none.
    grid : Grid
        Site dims of the dataset.
    used : ndarray of bool, (site of the grid,)
        Sites that are here.
    """

    batch: Batch
    observed: Mapping[str, Tensor]
    grid: Grid
    used: np.ndarray

    @property
    def sites(self) -> int:
        """Number of sites."""
        return self.batch.inputs.attributes.shape[0]


def observations(
    fit: Fit, ds: xr.Dataset, sites: xr.DataArray | None, time: slice | None, problems: Problems
) -> Observations:
    """Sites of a mask that have all forcings and attributes, and an observation in a period.

    Parameters
    ----------
    fit : Fit
    ds : Dataset
    sites : DataArray of bool, optional
    time : slice, optional
        That of the training, if not given.
    problems : Problems

    Raises
    ------
    InputErrors
        If something is missing or has wrong units, or there is no such site.
    """
    mapping = fit.forcings_in(ds)
    attributes = find_attributes(fit, ds, problems)
    forcings = schema.forcings(ds, fit.model, mapping, problems)
    dims = tuple(dict.fromkeys(str(d) for f in forcings.values() for d in f.data.dims if d != "time"))
    targets = find_targets(ds, fit.model, fit.targets, mapping, dims, problems)
    check_sites(sites, ds, dims, problems)
    period = period_of(fit, ds, time, problems)
    problems.raise_if_any()
    grid = Grid.of(ds, [v for f in forcings.values() for k, v in f.sources.items() if k != "area"])
    series = {k: grid.flatten(f.data, np.float32) for k, f in forcings.items()}
    observed = {k: grid.flatten(f.data, np.float32) for k, f in targets.items()}
    columns = np.stack([grid.flatten(v) for v in attributes.values()], axis=1)
    first, last = period
    # As in the training, what the stores begin with is none of the evidence.
    first = after_warmup(first, last, fit.settings["warmup"], problems)
    problems.raise_if_any()
    inside = {k: v[first : last + 1] for k, v in observed.items()}
    used = np.isfinite(columns).all(axis=1)
    used &= np.logical_or.reduce([~np.isnan(v).all(axis=0) for v in inside.values()])
    for values in series.values():
        used &= ~np.isnan(values).all(axis=0)
    if sites is not None:
        used &= grid.flatten(sites, bool)
    check_series(series, inside, used, forcings | targets, grid, problems)
    if not used.any():
        problems.add(
            "sites",
            expected=f"sites with forcings, attributes and observations of {', '.join(inside)}",
            got="none",
            fix="other sites, or another time",
        )
    problems.raise_if_any()
    if fit.network_spec.transform == "log":
        columns = np.log(columns)
    normal = torch.tensor(fit.scaling.attributes.normal(columns[used]), dtype=torch.float32)
    batch = Batch({k: torch.tensor(v[: last + 1, used]) for k, v in series.items()}, Inputs(normal), first)
    return Observations(batch, {k: torch.tensor(v[:, used]) for k, v in inside.items()}, grid, used)


def check_sites(
    sites: xr.DataArray | None, ds: xr.Dataset, dims: tuple[str, ...], problems: Problems
) -> None:
    """Note a mask that is none, or has dims or labels that differ from those of a dataset."""
    if sites is None:
        return
    if not isinstance(sites, xr.DataArray) or sites.dtype != bool or not set(sites.dims) <= set(dims):
        got = f"{sites.dtype} over {sites.dims}" if isinstance(sites, xr.DataArray) else type(sites).__name__
        problems.add("sites", expected=f"a DataArray of bool over {dims}", got=got, fix="sites=mask")
        return
    schema.check_labels(
        "sites",
        ds,
        sites,
        problems,
        expected="the same labels as ds",
        fix="sites.reindex_like(ds, fill_value=False)",
    )


def period_of(fit: Fit, ds: xr.Dataset, time: slice | None, problems: Problems) -> Period:
    """First and last index of a period, or of that of the training; notes one that is not in the data."""
    if time is None:
        start, stop = fit.settings["train"]
        time = slice(start, stop)
    try:
        return periods(ds, time, None)["train"]
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        problems.add(
            "time",
            expected="a period inside the data",
            got=f"{time.start} to {time.stop}" if isinstance(time, slice) else repr(time),
            fix='time=slice("<first>", "<last>")',
        )
        return 0, 0
