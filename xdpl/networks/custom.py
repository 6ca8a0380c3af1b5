"""A module of the user's own."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor

from xdpl.networks.base import Inputs, Network, Outputs, Sizes

__all__ = ["Custom"]


@dataclass(frozen=True)
class Custom(Network):
    """Any module that maps normalised attributes (site, attribute) to (site, column).

    Zero stands for the default of a parameter. A saved fit holds its weights only:
    `xdpl.load` needs the module again.

    Parameters
    ----------
    module : torch.nn.Module
        Is copied, not trained itself.
    """

    module: torch.nn.Module = field(compare=False)

    kind: ClassVar[str] = "custom"

    def build(self, sizes: Sizes) -> torch.nn.Module:
        """A copy of the module, with the weights it has."""
        return _Wrapped(copy.deepcopy(self.module))

    def check(self, sizes: Sizes) -> list[tuple[str, str]]:
        """Whether the module has weights, takes the attributes and gives the columns."""
        attributes, columns = len(sizes.attributes), len(sizes.columns)
        each = (name if n == 1 else f"{n} × {name}" for name, n in Counter(sizes.columns).items())
        expected = f"a module (site, {attributes}) -> (site, {columns}), for {', '.join(each)}"
        if not any(weights.requires_grad for weights in self.module.parameters()):
            return [(expected, "one without weights to train")]
        probe = copy.deepcopy(self.module).cpu().eval()
        try:
            with torch.no_grad():
                result = probe(torch.zeros(3, attributes))
        except Exception as error:  # whatever a module of someone else raises
            return [(expected, f"{type(error).__name__}: {error!s}".splitlines()[0])]
        shape = tuple(result.shape) if isinstance(result, Tensor) else type(result).__name__
        return [] if shape == (3, columns) else [(expected, f"{shape} for 3 sites")]

    def to_dict(self) -> dict[str, Any]:
        """The name of the class of the module."""
        return {"kind": self.kind, "module": type(self.module).__name__}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Network:
        """Refused: code is not stored."""
        msg = f"the module {values['module']!r} is needed to build its network"
        raise ValueError(msg)


class _Wrapped(torch.nn.Module):
    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, inputs: Inputs) -> Outputs:
        return Outputs(self.module(inputs.attributes))
