"""Parameters of all sites of a case that can take part: learned together, or calibrated one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr

from xdpl.errors import Problems
from xdpl.evaluation.bounds import share
from xdpl.experiments.case import Case
from xdpl.experiments.kept import Kept
from xdpl.experiments.work import calibrate_whole, learn_whole
from xdpl.labelled.place import Kind, find_place
from xdpl.models import Model
from xdpl.simulate import simulate

__all__ = ["MAPS", "calibrated", "learned", "on_scale", "places", "simulated"]

_KINDS: tuple[Kind, ...] = ("latitude", "longitude")


def learned(case: Case, seed: int, kept: Kept) -> xr.Dataset:
    """Parameters of a network that was learned at all sites that can take part."""
    sites = case.usable()

    def compute() -> xr.Dataset:
        options = case.learning(int(sites.sum()), sites=sites, seed=seed)
        return learn_whole(case.data, **options).parameters(case.data)

    return kept.of({"learned": seed}, compute)


def calibrated(case: Case, seed: int, kept: Kept, days: int | None = None) -> xr.Dataset:
    """Parameters calibrated at every site that can take part; they do not depend on its company.

    Parameters
    ----------
    case : Case
    seed : int
    kept : Kept
    days : int, optional
        Length of the training period of `case`, where it is not whole: what is kept is told by it.
    """
    return kept.of(
        {"calibrated": seed, "days": days},
        lambda: calibrate_whole(
            case.data,
            case.model,
            target=case.target,
            train=case.train,
            sites=case.usable(),
            seed=seed,
            progress=False,
            checkpoint=kept.file(f"calibration.{seed}.{days}"),
            **case.calibrate,
        ),
    )


#: By the name of the contender.
MAPS: dict[str, Callable[[Case, int, Kept], xr.Dataset]] = {"dpl": learned, "calibrated": calibrated}


def simulated(case: Case, parameters: xr.Dataset | None, outputs: list[str]) -> xr.Dataset:
    """A run of the whole record, averaged over members; None takes the defaults."""
    members = parameters is not None and "member" in parameters.dims
    return simulate(case.data, case.model, parameters, outputs=outputs, average="member" if members else None)


def on_scale(parameters: xr.Dataset, model: Model, sites: xr.DataArray) -> xr.DataArray:
    """Where parameters lie between their bounds, 0 to 1, on the scales they are searched on.

    Parameters
    ----------
    parameters : Dataset
        Members and times, if there are some, are averaged.
    model : Model
    sites : DataArray of bool
        Others are NaN.

    Returns
    -------
    DataArray, (parameter, *site dims)
    """
    found = {}
    for p in model.parameters:
        array = parameters[p.name].reset_coords(drop=True).astype(np.float64)
        position = xr.DataArray(share(array.values, p), array.coords, array.dims)
        position = position.mean([d for d in position.dims if d not in sites.dims])
        found[p.name] = position.broadcast_like(sites).where(sites).transpose(*sites.dims)
    return xr.Dataset(found).to_array("parameter")


def places(case: Case, call: str) -> dict[str, xr.DataArray]:
    """Latitude and longitude of the sites of a case, as coordinates.

    Raises
    ------
    InputErrors
        If one is missing.
    """
    problems = Problems(call)
    named = {kind: find_place(case.data, kind, problems) for kind in _KINDS}
    problems.raise_if_any()
    return {
        kind if name not in case.data.dims else str(name): case.data[name].reset_coords(drop=True)
        for kind, name in named.items()
    }
