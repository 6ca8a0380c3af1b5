"""A network that predicts targets itself, without a process model."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from xdpl.networks.base import Inputs
from xdpl.networks.scaling import Moments

__all__ = ["SeriesNetwork"]


class SeriesNetwork(torch.nn.Module):
    """A network whose series are targets; zero stands for their mean, one more for one standard deviation.

    Parameters
    ----------
    body : Module
        `Inputs` -> `Outputs`, all its columns moving.
    targets : sequence of str
    responses : Moments
        Of the targets, in declared units.
    positive : bool
        Whether a softplus keeps the targets above zero. It follows the same line where it is far above.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, body: torch.nn.Module, targets: Sequence[str], responses: Moments, *, positive: bool = False
    ) -> None:
        super().__init__()
        self.body = body
        self.targets = tuple(targets)
        self.positive = positive
        for name in ("mean", "std"):
            values = torch.as_tensor(getattr(responses, name), dtype=torch.float32)
            self.register_buffer(name, values.clone(), persistent=False)

    def forward(self, inputs: Inputs) -> dict[str, Tensor]:
        """Targets (time, site), in declared units."""
        series = self.body(inputs).series
        assert series is not None
        if self.positive:
            # log(exp(x) - 1), the inverse of the softplus: zero still gives the mean.
            x = self.mean / self.std
            at_mean = x + torch.log(-torch.expm1(-x))
            values = self.std * torch.nn.functional.softplus(series + at_mean)
        else:
            values = self.mean + self.std * series
        return dict(zip(self.targets, values.unbind(dim=-1), strict=True))
