"""Simulated targets as they are compared with observations, through the operators of a fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import xarray as xr

from xdpl import units
from xdpl.labelled.host import on_host

if TYPE_CHECKING:
    from xdpl.errors import Problems
    from xdpl.observation import Operator

__all__ = ["Compare", "through"]


def through(
    operators: Mapping[str, Operator],
    observation: xr.Dataset,
    output: str,
    simulated: xr.DataArray,
    observed: xr.DataArray,
) -> tuple[xr.DataArray, xr.DataArray]:
    """Both series of a target as they are compared, over the whole record.

    Parameters
    ----------
    operators : mapping of str to Operator
    observation : Dataset
        As `Fit.observation`, whose labels may be others or in another order.
    output : str
    simulated, observed : DataArray, (time, ...)
        The simulated in the units of the model.

    Returns
    -------
    pair of DataArray
        NaN at sites without a scale and an offset of their own. Lazy where the data are.
    """
    simulated, observed = (on_host(units.dequantify(v)) for v in (simulated, observed))
    if operators[output].centred:
        first, last = observation.attrs["period"]
        return _departures(simulated, observed, slice(first, last))
    if f"{output}_scale" not in observation:
        return simulated, observed
    scale, offset = (_at(observation[f"{output}_{part}"], simulated) for part in ("scale", "offset"))
    compared = (simulated * scale + offset).transpose(*simulated.dims)
    return compared.drop_attrs(deep=False).assign_attrs(simulated.attrs), observed


@dataclass(frozen=True)
class Compare:
    """Operators with what they learned, for scores.

    Parameters
    ----------
    operators : mapping of str to Operator
    observation : Dataset
        As `Fit.observation`.
    """

    operators: Mapping[str, Operator]
    observation: xr.Dataset

    @property
    def said(self) -> str:
        """What is scored, in words."""
        each = "; ".join(f"{k}: {operator.describe()}" for k, operator in self.operators.items())
        return f"output of the model through the observation operator ({each})"

    def __call__(
        self, output: str, simulated: xr.DataArray, observed: xr.DataArray
    ) -> tuple[xr.DataArray, xr.DataArray]:
        """As `through`."""
        return through(self.operators, self.observation, output, simulated, observed)

    def check(self, ds: xr.Dataset, problems: Problems) -> None:
        """Note sites that cannot be told apart, or a training period the data do not have."""
        _check(self.operators, self.observation, ds, problems)


def _check(
    operators: Mapping[str, Operator], observation: xr.Dataset, ds: xr.Dataset, problems: Problems
) -> None:
    for dim, size in observation.sizes.items():
        if dim not in ds.dims:
            problems.add(
                "operator",
                expected=f"dim {dim!r}, along which scale and offset differ",
                got=f"dims {tuple(ds.dims)}",
                fix="score the dataset of the training, or without the operator",
            )
        elif dim not in observation.indexes or dim not in ds.indexes:
            if ds.sizes[dim] != size or dim in ds.indexes or dim in observation.indexes:
                problems.add(
                    "operator",
                    expected=f"the {size} sites of the training along {dim!r}, labelled as there",
                    got=f"{ds.sizes[dim]} {'with' if dim in ds.indexes else 'without'} labels",
                    fix=f'label "{dim}" as in training, or score without the operator',
                )
    if not any(operator.centred for operator in operators.values()) or "time" not in ds.indexes:
        return
    first, last = observation.attrs["period"]
    if not ds["time"].sel(time=slice(first, last)).size:
        problems.add(
            "operator",
            expected=f"days of the training, {first} to {last}, of which the means are",
            got="none in the dataset",
            fix="give the record with the training period",
        )


def _at(array: xr.DataArray, like: xr.DataArray) -> xr.DataArray:
    """Values at the labels of another array; NaN for those that are not there."""
    wanted = {d: like.indexes[d] for d in array.dims if d in array.indexes}
    return array.reindex(wanted).reset_coords(drop=True)


def _departures(
    simulated: xr.DataArray, observed: xr.DataArray, period: slice
) -> tuple[xr.DataArray, xr.DataArray]:
    pair = (simulated.notnull() & observed.notnull()).sel(time=period)
    found = []
    for array in (simulated, observed):
        mean = array.sel(time=period).where(pair).mean("time", dtype="float64")
        less = (array - mean).transpose(*array.dims)
        found.append(less.drop_attrs(deep=False).assign_attrs(array.attrs))
    return found[0], found[1]
