"""Arrays of the host as normalised tensors on the device of the training."""

from __future__ import annotations

import numpy as np
import torch

from xdpl.networks.base import Network
from xdpl.networks.reading import past, weather
from xdpl.training.arrays import Arrays
from xdpl.training.losses import Spread
from xdpl.training.samples import Samples

__all__ = ["tensors"]


def tensors(arrays: Arrays, network: Network, device: torch.device) -> Samples:
    """Everything a training reads, in single precision.

    Parameters
    ----------
    arrays : Arrays
    network : Network
        Says what it reads.
    device : torch.device
    """

    def tensor(values: np.ndarray) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float32, device=device)

    scaling = arrays.scaling
    forcings = {k: tensor(v) for k, v in arrays.forcings.items()}
    observed = {k: tensor(v) for k, v in arrays.observed.items()}
    return Samples(
        forcings,
        observed,
        {k: Spread(tensor(v), arrays.typical[k]) for k, v in arrays.std.items()},
        tensor(scaling.attributes.normal(arrays.attributes)),
        weather(forcings, scaling) if network.reads_forcings else None,
        past(forcings, observed, scaling, network.steps) if network.steps else None,
        network.steps,
        None if arrays.groups is None else torch.tensor(arrays.groups, device=device),
    )
