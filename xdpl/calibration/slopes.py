"""Objectives with their slopes, through the adjoint of the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from xdpl import engines
from xdpl.calibration.problem import Part, Problem

__all__ = ["Slopes"]

# States that are kept for the adjoint take memory, so fewer series are run at once.
_AT_ONCE = 2**23


@dataclass
class Slopes:
    """What a candidate is worth at a site, and how that changes with each parameter.

    Parameters
    ----------
    problem : Problem
    """

    problem: Problem

    def __call__(self, points: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """Objectives of candidates and their slopes.

        Parameters
        ----------
        points : ndarray, (candidate, site, parameter)
            In the unit cube.
        wanted : ndarray of bool, (candidate, site)

        Returns
        -------
        ndarray of float64, (candidate, site, 1 + parameter)
            The objective, then its slope along each axis of the cube. The objective is infinite
            where it or a slope is not finite; NaN where it is not wanted.
        """
        problem = self.problem
        out = np.full((*wanted.shape, 1 + points.shape[-1]), np.nan)
        part = problem.of(np.flatnonzero(wanted.any(axis=0)))
        steps, sites = next(iter(part.forcings.values())).shape
        most = max(1, _AT_ONCE // (steps * sites))
        for first in range(0, len(points), most):
            piece = slice(first, first + most)
            out[piece, part.sites] = self._piece(part, points[piece, part.sites])
        return np.where(wanted[..., None], out, np.nan)

    def _piece(self, part: Part, points: np.ndarray) -> np.ndarray:
        problem = self.problem
        forcings = {k: torch.from_numpy(v) for k, v in part.forcings.items()}
        kind = next(iter(forcings.values())).dtype
        leaf = torch.tensor(points, dtype=kind, requires_grad=True)
        parameters = problem.cube.values(leaf)
        shape = points.shape[:2]
        parameters |= {
            k: torch.from_numpy(np.broadcast_to(v, shape).copy()).to(kind) for k, v in part.fixed.items()
        }
        series, _ = engines.run(
            problem.engine,
            problem.model,
            forcings,
            parameters,
            outputs=(problem.output,),
            members=shape[0],
            average=False,
            states=False,
        )
        values = part.objective(series[problem.output][problem.warmup :])
        # Series know nothing of each other: the slope of the sum is that of each.
        (slopes,) = torch.autograd.grad(values.sum(), leaf)
        found = torch.cat([values.detach()[..., None], slopes], dim=-1).double().numpy()
        bad = ~np.isfinite(found).all(axis=-1, keepdims=True)
        first = np.arange(found.shape[-1]) == 0
        result: np.ndarray = np.where(bad, np.where(first, np.inf, 0.0), found)
        return result
