"""The compiled convolution as an operation that PyTorch differentiates."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from xdpl.engines.numba import convolution

__all__ = ["apply"]


def apply(series: Tensor, weights: Tensor, before: Tensor) -> Tensor:
    """Delay a series, with gradients for all; shapes as in `xdpl.engines.numba.convolution`."""
    routed: Tensor = _Convolution.apply(series, weights, before)
    return routed


class _Convolution(torch.autograd.Function):
    """Series, weights and the steps before to the routed series."""

    @staticmethod
    def forward(ctx: Any, *tensors: Tensor) -> Tensor:
        ctx.save_for_backward(*tensors)
        return torch.from_numpy(convolution.convolve(*map(_bare, tensors)))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_routed: Tensor) -> tuple[Tensor, ...]:
        gradients = convolution.pull(*map(_bare, (*ctx.saved_tensors, d_routed)))
        return tuple(map(torch.from_numpy, gradients))


def _bare(t: Tensor) -> Any:
    return t.detach().contiguous().numpy()
