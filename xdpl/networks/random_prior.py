"""A random function of the attributes, never trained, beside what is trained."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from xdpl.networks.base import Inputs, Outputs

__all__ = ["RandomPrior", "WithPrior", "check_width"]

_WAVES = 128


class RandomPrior(torch.nn.Module):
    """A draw of smooth functions, one for each column, with mean zero and one variance at all sites.

    Parameters
    ----------
    n_attributes, n_columns : int
    width : float
        Standard deviation over draws.

    Notes
    -----
    A sum of cosines of random frequency and phase: nearly a Gaussian process with the covariance
    width² exp(-|x - y|² / (2 n)) of sites with n normalised attributes x and y (Rahimi and Recht 2007).
    Two sites taken at random have a correlation of about 1 / e.
    """

    frequency: Tensor
    phase: Tensor
    amplitude: Tensor

    def __init__(self, n_attributes: int, n_columns: int, width: float) -> None:
        super().__init__()
        self.register_buffer("frequency", torch.randn(n_attributes, _WAVES) / math.sqrt(n_attributes))
        self.register_buffer("phase", 2.0 * math.pi * torch.rand(_WAVES))
        self.register_buffer("amplitude", width * math.sqrt(2.0 / _WAVES) * torch.randn(_WAVES, n_columns))

    def forward(self, attributes: Tensor) -> Tensor:
        """Attributes (site, attribute) to (site, column)."""
        return torch.cos(attributes @ self.frequency + self.phase) @ self.amplitude


class WithPrior(torch.nn.Module):
    """What is trained, plus a random function that is not.

    Fits of several seeds then begin apart, and agree only where observations make them: a randomised
    prior function (Osband et al. 2018, arXiv:1806.03335).

    Parameters
    ----------
    trained : Module
        `Inputs` to static `Outputs`.
    prior : RandomPrior
    """

    def __init__(self, trained: torch.nn.Module, prior: RandomPrior) -> None:
        super().__init__()
        self.trained = trained
        self.prior = prior

    def forward(self, inputs: Inputs) -> Outputs:
        """The sum of both."""
        found: Outputs = self.trained(inputs)
        return Outputs(found.still + self.prior(inputs.attributes))


def check_width(**values: Any) -> None:
    """Raise ValueError for standard deviations that are no finite numbers of zero or more."""
    for name, value in values.items():
        real = isinstance(value, int | float) and not isinstance(value, bool)
        if not (real and 0.0 <= value < math.inf):
            msg = f"{name} must be a number of zero or more, got {value!r}"
            raise ValueError(msg)
