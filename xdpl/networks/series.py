"""A network that predicts targets itself, without a process model."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from xdpl.networks.base import Inputs
from xdpl.networks.scaling import Moments

__all__ = ["SeriesNetwork"]


class SeriesNetwork(torch.nn.Module):
    """A network whose series are targets; zero means their mean.

    Parameters
    ----------
    body : Module
        `Inputs` -> `Outputs`, all its columns moving.
    targets : sequence of str
    responses : Moments
        Of the targets, in declared units.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, body: torch.nn.Module, targets: Sequence[str], responses: Moments) -> None:
        super().__init__()
        self.body = body
        self.targets = tuple(targets)
        for name in ("mean", "std"):
            values = torch.as_tensor(getattr(responses, name), dtype=torch.float32)
            self.register_buffer(name, values.clone(), persistent=False)

    def forward(self, inputs: Inputs) -> dict[str, Tensor]:
        """Targets (time, site), in declared units."""
        series = self.body(inputs).series
        assert series is not None
        values = self.mean + self.std * series
        return dict(zip(self.targets, values.unbind(dim=-1), strict=True))
