"""How the learning rate falls."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

__all__ = ["SCHEDULES", "schedule"]

#: Factor on the learning rate at a share of the training, 0 to 1.
SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda share: 1.0,
    "cosine": lambda share: 0.5 * (1.0 + math.cos(math.pi * share)),
    "exponential": lambda share: 0.01**share,
    "linear": lambda share: 1.0 - share,
}


def schedule(
    name: str, optimiser: torch.optim.Optimizer, epochs: int, pretrain: int = 0
) -> torch.optim.lr_scheduler.LambdaLR:
    """A schedule over all epochs.

    Parameters
    ----------
    name : {"constant", "cosine", "exponential", "linear"}
        From the full rate to it, to zero along a cosine (Loshchilov and Hutter 2017,
        arXiv:1608.03983), to a hundredth, or to zero along a line.
    optimiser : Optimizer
    epochs : int
    pretrain : int
        Epochs after which the schedule starts anew for the rest.
    """
    factor = SCHEDULES[name]

    def at(epoch: int) -> float:
        if epoch < pretrain:
            return factor(epoch / pretrain)
        return factor((epoch - pretrain) / max(1, epochs - pretrain))

    return torch.optim.lr_scheduler.LambdaLR(optimiser, at)
