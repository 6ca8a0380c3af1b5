"""All that is trained: the network, and what observation operators learn."""

from __future__ import annotations

from typing import Any

import torch

from xdpl.training.observer import Observer

__all__ = ["Trained"]


class Trained(torch.nn.Module):
    """Network and observer under one roof: one optimiser, one checkpoint, one set of best weights.

    Parameters
    ----------
    network : Module
    observer : Observer
    """

    def __init__(self, network: torch.nn.Module, observer: Observer) -> None:
        super().__init__()
        self.network = network
        self.observer = observer

    def groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """Groups of an optimiser, each with its learning rate if that is another one."""
        return [{"params": list(self.network.parameters())}, *self.observer.groups(learning_rate)]

    def let_move(self, moves: bool) -> None:
        """Let dynamic parameters of the network move, or keep them still."""
        self.network.moves = moves  # type: ignore[assignment]
