"""Several processes that train one network, each with a part of every batch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

__all__ = ["Team", "join"]


@dataclass(frozen=True)
class Team:
    """The processes of a run.

    Parameters
    ----------
    rank, size : int
        This process, and how many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes and shows what all have."""
        return self.rank == 0

    def part(self, series: Tensor) -> Tensor:
        """Every `size`-th series of a batch: those of this process."""
        return series[self.rank :: self.size]

    def whole(self, parts: Mapping[str, Tensor], count: int) -> dict[str, Tensor]:
        """Series (time, count) of all processes; gradients flow through this process's own.

        The loss of the whole batch is then the same everywhere, whatever its form, and the
        gradients of the processes add up to that of one process.
        """
        if self.size == 1:
            return dict(parts)
        return {name: self._gathered(part, count) for name, part in parts.items()}

    def _gathered(self, part: Tensor, count: int) -> Tensor:
        widest = -(-count // self.size)
        padded = torch.nn.functional.pad(part, (0, widest - part.shape[1])).contiguous()
        others = [torch.empty_like(padded) for _ in range(self.size)]
        dist.all_gather(others, padded.detach())
        others[self.rank] = padded
        return torch.stack(others, dim=2).flatten(1)[:, :count]

    def add_gradients(self, network: torch.nn.Module) -> None:
        """Sum of the gradients of all processes, in place.

        Weights without a gradient in any of them keep none: an optimiser leaves those alone, but
        lets weights with a gradient of zero decay, and counts the update.
        """
        if self.size == 1:
            return
        every = list(network.parameters())
        reached = torch.tensor([w.grad is not None for w in every], dtype=torch.int32, device=every[0].device)
        dist.all_reduce(reached, dist.ReduceOp.MAX)
        for weights, somewhere in zip(every, reached.tolist(), strict=True):
            if not somewhere:
                continue
            if weights.grad is None:
                weights.grad = torch.zeros_like(weights)
            dist.all_reduce(weights.grad)

    def agree(self, network: torch.nn.Module) -> None:
        """Start all processes from the weights of the first."""
        if self.size > 1:
            for values in network.state_dict().values():
                dist.broadcast(values, 0)


def join(device: torch.device) -> Team:
    """The team this process belongs to: that of ``torchrun``, or of an initialised process group."""
    if not dist.is_available():
        return Team()
    if not dist.is_initialized() and int(os.environ.get("WORLD_SIZE", "1")) > 1 and "RANK" in os.environ:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return Team(dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else Team()
