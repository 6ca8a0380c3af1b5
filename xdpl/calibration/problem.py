"""Many parameter sets for many sites, run and compared with the observations in few calls of a kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from xdpl import engines
from xdpl.blackbox.failures import Failures
from xdpl.calibration.cube import Cube
from xdpl.calibration.objectives import Objective
from xdpl.models import BlackBox, Model

__all__ = ["Problem"]

# Simulated numbers that are held at once.
_AT_ONCE = 2**25
# Sites that are done run along until this share of those that run is left.
_SPARSE = 0.8


@dataclass(frozen=True)
class Part:
    """Some of the sites of a problem, as a kernel takes them."""

    sites: np.ndarray
    forcings: dict[str, np.ndarray]
    fixed: dict[str, np.ndarray]
    objective: Objective


@dataclass
class Problem:
    """What a candidate is worth at a site.

    Parameters
    ----------
    model : Model
    output : str
        Output of the model that is compared.
    cube : Cube
    forcings : dict of str to ndarray, (time, site)
        In declared units and one floating type, without NaN.
    fixed : dict of str to ndarray, (site,)
        Parameters that are not calibrated.
    observed : ndarray of float64, (time - warmup, site)
    warmup : int
        Steps at the beginning that are not compared.
    objective : str
    engine : str or None
    time : Index, optional
        Dates of the forcings; a black box needs them.
    failures : Failures
        Of the runs of a black box.
    """

    model: Model
    output: str
    cube: Cube
    forcings: Mapping[str, np.ndarray]
    fixed: Mapping[str, np.ndarray]
    observed: np.ndarray
    warmup: int
    objective: str
    engine: str | None = None
    time: pd.Index | None = None
    failures: Failures = field(default_factory=Failures)
    _part: Part | None = field(default=None, init=False, repr=False)

    @property
    def sites(self) -> int:
        """Number of sites."""
        return self.observed.shape[1]

    def __call__(self, points: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """Objectives of candidates.

        Parameters
        ----------
        points : ndarray, (candidate, site, parameter)
            In the unit cube.
        wanted : ndarray of bool, (candidate, site)

        Returns
        -------
        ndarray of float64, (candidate, site)
            Infinite where a run is not finite, NaN where it is not wanted.
        """
        values = np.full(wanted.shape, np.nan)
        part = self.of(np.flatnonzero(wanted.any(axis=0)))
        own = wanted[:, part.sites]
        # Sites wait for nobody: what one wants comes first, so that few rows hold all.
        order = np.argsort(~own, axis=0, kind="stable")
        rows = int(own.sum(axis=0).max(initial=0))
        packed = np.take_along_axis(points[:, part.sites], order[:rows, :, None], axis=0)
        if isinstance(self.model, BlackBox):
            # A kernel is as fast with them; a program is not run where a parameter is NaN.
            packed[~np.take_along_axis(own, order[:rows], axis=0)] = np.nan
        found = self._run(part, packed)
        spread = np.full(own.shape, np.nan)
        np.put_along_axis(spread, order[:rows], found, axis=0)
        values[:, part.sites] = np.where(own, spread, np.nan)
        return values

    def of(self, active: np.ndarray) -> Part:
        """The part that holds some sites; the one at hand as long as most of it is needed."""
        part = self._part
        if part is None or len(active) < _SPARSE * len(part.sites) or not np.isin(active, part.sites).all():
            part = self._part = self.part(active)
        return part

    def part(self, sites: np.ndarray) -> Part:
        """Arrays of some sites, contiguous."""
        whole = len(sites) == self.sites
        return Part(
            sites,
            {k: v if whole else np.ascontiguousarray(v[:, sites]) for k, v in self.forcings.items()},
            {k: v[sites] for k, v in self.fixed.items()},
            Objective(self.objective, np.ascontiguousarray(self.observed[:, sites])),
        )

    def _run(self, part: Part, points: np.ndarray) -> np.ndarray:
        """Objectives (candidate, site) of all candidates of a part."""
        steps, sites = next(iter(part.forcings.values())).shape
        most = max(1, _AT_ONCE // (steps * sites))
        pieces = [self._piece(part, points[i : i + most]) for i in range(0, len(points), most)]
        values = np.concatenate(pieces) if pieces else np.empty((0, sites))
        return np.where(np.isfinite(values), values, np.inf)

    def _piece(self, part: Part, points: np.ndarray) -> np.ndarray:
        dtype = next(iter(part.forcings.values())).dtype
        parameters = {k: v.astype(dtype) for k, v in self.cube.values(points).items()}
        shape = points.shape[:2]
        parameters |= {k: np.broadcast_to(v.astype(dtype), shape) for k, v in part.fixed.items()}
        # A diverged run shows as an infinite objective, not as a warning.
        with np.errstate(all="ignore"):
            series, _ = engines.run(
                self.engine,
                self.model,
                part.forcings,
                parameters,
                outputs=(self.output,),
                members=shape[0],
                average=False,
                states=False,
                time=self.time,
                failures=self.failures,
            )
            objectives: np.ndarray = part.objective(series[self.output][self.warmup :])
        return objectives
