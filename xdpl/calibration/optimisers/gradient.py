"""Gradient descent of every site by itself, from several starts."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.special import expit

from xdpl.calibration.optimisers.base import Candidates
from xdpl.calibration.optimisers.batch import Batch
from xdpl.calibration.optimisers.request import Request, check_number, check_whole
from xdpl.errors import Problems

__all__ = ["GradientDescent"]

# The logit of a bound is infinite.
_EDGE = 1e-3
# Of the cube, where random starts lie: far from the bounds, where slopes of logits vanish.
_INNER = (0.125, 0.875)


class GradientDescent(Batch):
    """Adam on the logits of the unit cube, of all sites and starts at once.

    Parameters
    ----------
    keys : ndarray of int, (site,)
        Identify sites for their random starts.
    parameters : int
        Dimensions of the unit cube.
    seed : int
    evaluations : int
        Most evaluations of a site, with slopes; all starts together.
    start : ndarray, (site, parameter), optional
        The first start; the centre of the cube if not given. The others are random.
    starts : int
    learning_rate : float
        At the beginning, in logits; it falls to zero along a cosine.

    Raises
    ------
    InputErrors
        Listing everything that is wrong with the arguments.

    References
    ----------
    Kingma, D. P. and Ba, J. (2015). Adam: a method for stochastic optimization. arXiv:1412.6980
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
        problems = Problems("GradientDescent")
        request = Request(keys, parameters, seed, evaluations, start)
        request.check(problems)
        check_whole(problems, "starts", starts, 1)
        check_number(problems, "learning_rate", learning_rate, above=0.0)
        problems.raise_if_any()
        super().__init__(request)
        points = self._starts(request, min(starts, evaluations))
        self._logits = torch.logit(torch.from_numpy(np.clip(points, _EDGE, 1.0 - _EDGE)))
        self._logits.requires_grad_()
        self._adam = torch.optim.Adam([self._logits], lr=learning_rate)
        # The last of them may be of some starts only, those that the budget leaves.
        steps = -(-evaluations // len(points))
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._adam, lambda step: 0.5 * (1.0 + math.cos(math.pi * step / steps))
        )
        self._slopes = np.zeros_like(points)

    def tell(self, values: np.ndarray) -> None:
        """Take the values of the points and their slopes, (start, site, 1 + parameter)."""
        problems = Problems("tell")
        shape = (*self._slopes.shape[:2], 1 + self._slopes.shape[2])
        if np.shape(values) != shape:
            fix = "give the value and the slopes of each start and site"
            problems.add("values", expected=f"shape {shape}", got=f"{np.shape(values)}", fix=fix)
        problems.raise_if_any()
        self._slopes = np.asarray(values, dtype=np.float64)[..., 1:]
        super().tell(values[..., 0])

    @staticmethod
    def _starts(request: Request, count: int) -> np.ndarray:
        """Points (start, site, parameter)."""
        shape = (count, request.parameters)
        drawn = [np.random.default_rng(own).uniform(*_INNER, shape) for own in request.seeds()]
        points = np.stack(drawn, axis=1) if drawn else np.empty((count, 0, request.parameters))
        points[0] = 0.5 if request.start is None else request.start
        return points

    def _propose(self) -> Candidates:
        # Not that of PyTorch, which rounds otherwise at the end of an array: sites would know their company.
        points = expit(self._logits.detach().numpy())
        return Candidates(points, np.ones(points.shape[:2], dtype=bool))

    def _learn(self, asked: Candidates, values: np.ndarray) -> None:
        # A failed run gives no direction: Adam then goes on as it went.
        usable = np.isfinite(values)[..., None] & np.isfinite(self._slopes)
        share = asked.points
        logits = np.where(usable, self._slopes, 0.0) * share * (1.0 - share)
        self._logits.grad = torch.from_numpy(logits)
        self._adam.step()
        self._schedule.step()
