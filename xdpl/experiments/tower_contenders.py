"""Ways to the parameters of a tower."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import xarray as xr

from xdpl import models
from xdpl.experiments.case import Case
from xdpl.experiments.kept import Kept
from xdpl.experiments.maps import learned, places
from xdpl.experiments.tower import Tower
from xdpl.experiments.work import calibrate_whole
from xdpl.regionalise import regionalise

__all__ = ["CONTENDERS", "Visit"]


@dataclass(frozen=True)
class Visit:
    """What a contender may use.

    Parameters
    ----------
    case : Case
    kept : Kept
        Parts of the case.
    tower : Tower
    seed : int
    gradient : mapping
        Options of `xdpl.calibrate` for gradient descent.
    """

    case: Case
    kept: Kept
    tower: Tower
    seed: int
    gradient: Mapping[str, Any]


def _calibrated(visit: Visit, **options: Any) -> xr.Dataset:
    case, tower = visit.case, visit.tower
    return calibrate_whole(
        tower.ds,
        case.model,
        target={case.target: tower.observed[case.target]},
        train=tower.train,
        warmup=tower.warmup,
        seed=visit.seed,
        progress=False,
        **options,
    )


def _by_evolution(visit: Visit) -> xr.Dataset:
    """Calibrated as in the case."""
    return _calibrated(visit, **{k: v for k, v in visit.case.calibrate.items() if k != "warmup"})


def _by_gradient(visit: Visit) -> xr.Dataset:
    """Calibrated with the same objective, down its gradient."""
    same = {k: v for k, v in visit.case.calibrate.items() if k in ("objective", "fixed", "start")}
    return _calibrated(visit, **same | {"method": "gradient"} | dict(visit.gradient))


def _nearest(visit: Visit) -> xr.Dataset:
    """Learned on the case, without the tower: the parameters of its nearest site."""
    case = visit.case
    ds = case.data.assign_coords(places(case, "towers"))
    theta = learned(case, visit.seed, visit.kept)

    def carried(parameters: xr.Dataset) -> xr.Dataset:
        nearest = regionalise(
            ds, case.model, parameters, target=case.target, method="nearest", donors=1, sites=case.usable()
        )
        return nearest.parameters(visit.tower.ds)

    if "member" not in theta.dims:
        return carried(theta)
    members = [carried(theta.isel(member=i, drop=True)) for i in range(theta.sizes["member"])]
    return xr.concat(members, "member", data_vars="all", coords="minimal", compat="override", join="exact")


def _defaults(visit: Visit) -> xr.Dataset:
    """The defaults of the model."""
    model = models.get(visit.case.model, "towers")
    return xr.Dataset({p.name: ((), p.default, {"units": p.units}) for p in model.parameters})


#: By name, in the order of tables.
CONTENDERS: dict[str, Callable[[Visit], xr.Dataset]] = {
    "dpl": _nearest,
    "gradient": _by_gradient,
    "calibrated": _by_evolution,
    "uncalibrated": _defaults,
}
