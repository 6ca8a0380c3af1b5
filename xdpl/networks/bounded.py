"""Parameters inside their bounds by construction."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from xdpl.models import Parameter

__all__ = ["ParameterNetwork"]


class ParameterNetwork(torch.nn.Module):
    """A network followed by one sigmoid per parameter, linear or logarithmic.

    Parameters
    ----------
    body : Module
        (site, attribute) -> (site, parameter), unbounded; zero means the default.
    parameters : sequence of Parameter
    """

    lower: torch.Tensor
    upper: torch.Tensor
    offset: torch.Tensor
    least: torch.Tensor
    most: torch.Tensor
    log: torch.Tensor

    def __init__(self, body: torch.nn.Module, parameters: Sequence[Parameter]) -> None:
        super().__init__()
        self.body = body
        self.names = tuple(p.name for p in parameters)
        spans = [_span(p) for p in parameters]
        for i, name in enumerate(("lower", "upper", "offset", "least", "most")):
            self.register_buffer(
                name, torch.tensor([s[i] for s in spans], dtype=torch.float64), persistent=False
            )
        is_log = torch.tensor([p.scale == "log" for p in parameters])
        self.register_buffer("log", is_log, persistent=False)

    def forward(self, attributes: torch.Tensor) -> dict[str, torch.Tensor]:
        """Parameters of every site.

        Parameters
        ----------
        attributes : Tensor, (site, attribute)
            Normalised.

        Returns
        -------
        dict of str to Tensor, (site,)
            In declared units.
        """
        raw = self.body(attributes)
        share = torch.sigmoid(raw + self.offset.to(raw.dtype))
        lower, upper = self.lower.to(raw.dtype), self.upper.to(raw.dtype)
        value = lower + (upper - lower) * share
        value = torch.where(self.log, torch.exp(torch.where(self.log, value, 0.0)), value)
        # In single precision exp(log(5000)) is above 5000.
        value = value.clamp(self.least.to(raw.dtype), self.most.to(raw.dtype))
        return dict(zip(self.names, value.unbind(dim=1), strict=True))


def _span(p: Parameter) -> tuple[float, float, float, float, float]:
    """Bounds on the scale of learning, the logit of the default between them, and the bounds themselves."""
    lower, upper, default = (math.log(v) if p.scale == "log" else v for v in (p.lower, p.upper, p.default))
    share = (default - lower) / (upper - lower)
    return lower, upper, math.log(share / (1.0 - share)), p.lower, p.upper
