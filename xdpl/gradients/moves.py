"""Where a model is run around an estimate, and what the differences say of slopes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Moves"]


@dataclass(frozen=True)
class Moves:
    """Points around an estimate, in shares of the distance between bounds, and slopes between them.

    Parameters
    ----------
    points : Tensor, (run, series, parameter)
        Further runs of each series, from 0 to 1.
    low, high : Tensor of int, (slope,)
        Runs of which each slope is the difference, counted from 1; 0 is the run at the estimate.
    directions : Tensor, (slope, series, parameter)
        What the difference counts in the gradient to each share.
    """

    points: Tensor
    low: Tensor
    high: Tensor
    directions: Tensor

    def carried(self, series: Tensor, sound: Tensor, place: Tensor) -> Tensor:
        """The series at the estimate, with the gradients that the other runs tell.

        Parameters
        ----------
        series : Tensor, (time, 1 + run, series)
            Of the estimate and of the points.
        sound : Tensor of bool, (1 + run, series)
            Runs that have not failed; slopes with one that has count nothing.
        place : Tensor, (series, parameter)
            The estimate in shares, with its gradient.

        Returns
        -------
        Tensor, (time, series)
            Zero where the run at the estimate has failed.
        """
        usable = sound[self.low] & sound[self.high] & sound[0]
        change = torch.where(usable, series[:, self.high] - series[:, self.low], 0.0)
        # A linear model around the estimate: zero there, and its gradient is that of the differences.
        along = torch.einsum("ksp,sp->ks", self.directions, place - place.detach())
        return torch.where(sound[0], series[:, 0], 0.0) + torch.einsum("tks,ks->ts", change, along)
