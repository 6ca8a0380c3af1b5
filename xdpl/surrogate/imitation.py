"""A surrogate while parameters are learned through it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from xdpl.blackbox.failures import Failures

if TYPE_CHECKING:
    from xdpl.surrogate.surrogate import Surrogate

__all__ = ["Imitation"]


@dataclass(frozen=True)
class Imitation:
    """Series of a network in place of a model; a `xdpl.training.sources.Source`.

    Parameters
    ----------
    surrogate : Surrogate
    failures : Failures
        None: the model is not run.
    """

    surrogate: Surrogate
    failures: Failures = field(default_factory=Failures)

    @classmethod
    def on(cls, surrogate: Surrogate, device: torch.device) -> Imitation:
        """With weights on a device that do not change."""
        network = surrogate.fit.network.to(device).eval()
        for part in network.modules():
            if isinstance(part, torch.nn.LSTM):
                # On a GPU it has no gradient otherwise; it drops nothing.
                part.train()
        fit = replace(surrogate.fit, network=network.requires_grad_(False))
        return cls(replace(surrogate, fit=fit))

    def __call__(
        self, forcings: Mapping[str, Tensor], parameters: Mapping[str, Tensor], begins: Tensor | None
    ) -> dict[str, Tensor]:
        """Outputs (time, series), whenever they begin."""
        return self.surrogate.series(forcings, parameters)
