"""Gradient descent of every site by itself, from several starts."""

from __future__ import annotations

import math

import numpy as np
import torch

from xdpl.calibration.optimisers.base import Candidates

__all__ = ["GradientDescent"]

# The logit of a bound is infinite.
_EDGE = 1e-3


class GradientDescent:
    """Adam on the logits of the unit cube, of all sites and starts at once.

    Parameters
    ----------
    keys : ndarray of int, (site,)
        What the random starts of a site depend on, with the seed.
    parameters : int
    seed : int
    evaluations : int
        Runs with their adjoint for each site, all starts together.
    start : ndarray, (site, parameter), optional
        The first start, in the cube; its centre if not given.
    starts : int
        The others are drawn at random from the inner three quarters of the cube.
    learning_rate : float
        At the beginning, in logits; it falls to zero along a cosine.

    References
    ----------
    Kingma and Ba (2015), arXiv:1412.6980.
    """

    needs_slopes = True

    def __init__(
        self,
        keys: np.ndarray,
        parameters: int,
        *,
        seed: int,
        evaluations: int,
        start: np.ndarray | None = None,
        starts: int = 4,
        learning_rate: float = 0.1,
    ) -> None:
        sites = len(keys)
        self._starts = min(starts, evaluations)
        self._steps = max(1, evaluations // self._starts)
        # The last step takes what the division leaves.
        self._left = evaluations - self._steps * self._starts
        self._step = 0
        points = np.stack([_drawn(seed, int(key), self._starts, parameters) for key in keys], axis=1)
        points[0] = 0.5 if start is None else start
        share = torch.from_numpy(np.clip(points, _EDGE, 1.0 - _EDGE))
        self._logits = torch.logit(share).requires_grad_()
        self._adam = torch.optim.Adam([self._logits], lr=learning_rate)
        self._rate = learning_rate
        self.done = np.zeros(sites, bool)

    def ask(self) -> Candidates:
        """The points of all starts."""
        points = torch.sigmoid(self._logits.detach()).numpy()
        wanted = np.ones(points.shape[:2], bool)
        if self._step == self._steps:
            wanted[self._left :] = False
        return Candidates(points, wanted & ~self.done)

    def tell(self, values: np.ndarray) -> None:
        """Take a step along the slopes, (start, site, 1 + parameter)."""
        slopes = torch.from_numpy(np.nan_to_num(values[..., 1:], nan=0.0, posinf=0.0, neginf=0.0))
        share = torch.sigmoid(self._logits.detach())
        self._logits.grad = slopes * share * (1.0 - share)
        for group in self._adam.param_groups:
            group["lr"] = self._rate * 0.5 * (1.0 + math.cos(math.pi * self._step / self._steps))
        self._adam.step()
        self._step += 1
        if self._step >= self._steps + (self._left > 0):
            self.done[:] = True


def _drawn(seed: int, key: int, starts: int, parameters: int) -> np.ndarray:
    generator = np.random.default_rng(np.random.SeedSequence([seed, key]))
    return generator.uniform(0.125, 0.875, (starts, parameters))
