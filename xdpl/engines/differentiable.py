"""Fused kernels as operations that PyTorch differentiates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import torch
from torch import Tensor

from xdpl.engines.canonical import Arrays
from xdpl.engines.fused import kernels_for
from xdpl.engines.tracing.order import Order

__all__ = ["apply"]


def apply(
    order: Order, arrays: Arrays, *, average: bool, every: int | None, progress: bool
) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
    """Run a model over tensors of canonical shapes, with gradients for all of them.

    Parameters
    ----------
    order : Order
    arrays : Arrays
        Of tensors, which may be expanded or strided.
    average : bool
    every : int, optional
        Steps between the states kept for the gradient, None to choose.
    progress : bool

    Returns
    -------
    series : sequence of Tensor, (time, member or 1, site)
    final : sequence of Tensor, (member, site)
    """
    tensors = (*arrays.forcings, *arrays.parameters, *arrays.start)
    wanted = torch.is_grad_enabled() and any(t.requires_grad for t in tensors)
    call = _Call(
        order,
        (len(arrays.forcings), len(arrays.parameters)),
        (arrays.steps, arrays.members, arrays.sites),
        average,
        every if wanted else 0,
        progress,
    )
    results = _Fused.apply(call, *tensors)
    count = len(order.step.series)
    return results[:count], results[count:]


@dataclass(frozen=True)
class _Call:
    """What a call of the operation is, besides its tensors."""

    order: Order
    lengths: tuple[int, int]
    sizes: tuple[int, int, int]
    average: bool
    every: int | None
    progress: bool

    def arrays(self, tensors: Sequence[Tensor]) -> Arrays:
        """The tensors as kernels take them, without copies."""
        f, p = self.lengths
        views = [_bare(t) for t in tensors]
        return Arrays(tuple(views[:f]), tuple(views[f : f + p]), tuple(views[f + p :]), *self.sizes)


class _Fused(torch.autograd.Function):
    """Forcings, parameters and initial states to series and final states."""

    @staticmethod
    def forward(ctx: Any, call: _Call, *tensors: Tensor) -> tuple[Tensor, ...]:
        kernels = kernels_for(tensors[0])
        run = kernels.forward(
            call.order, call.arrays(tensors), average=call.average, every=call.every, progress=call.progress
        )
        if call.every != 0:
            ctx.call, ctx.run = call, replace(run, series=(), final=(), checkpoints=None)
            # Through torch, so that they are freed with the graph.
            ctx.save_for_backward(_tensor(run.checkpoints), *tensors)
            ctx.set_materialize_grads(False)
        return tuple(_tensor(a) for a in (*run.series, *run.final))

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Tensor | None, ...]:
        call: _Call = ctx.call
        checkpoints, *tensors = ctx.saved_tensors
        needed = ctx.needs_input_grad[1:]
        f, _ = call.lengths
        order = replace(call.order, backward=True, forcings=any(needed[:f]))
        incoming = [None if g is None else _bare(g) for g in cotangents]
        count = len(order.step.series)
        d_forcings, d_parameters, d_start = kernels_for(tensors[0]).backward(
            order,
            call.arrays(tensors),
            replace(ctx.run, checkpoints=_bare(checkpoints)),
            incoming[:count],
            incoming[count:],
            average=call.average,
        )
        arrays: list[Any] = [*(d_forcings or [None] * f), *d_parameters, *d_start]
        gradients = [_tensor(g) for g, n in zip(arrays, needed, strict=True) if n]
        if torch.is_grad_enabled():
            gradients = list(_First.apply(len(gradients), *gradients, *tensors, *cotangents))
        left = iter(gradients)
        return (None, *(next(left) if n else None for n in needed))


class _First(torch.autograd.Function):
    """First derivatives, whose own gradient is refused."""

    @staticmethod
    def forward(ctx: Any, count: int, *tensors: Tensor | None) -> tuple[Tensor | None, ...]:
        return tensors[:count]

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> NoReturn:
        msg = 'fused engines have no second derivatives; engine="array" has'
        raise RuntimeError(msg)


def _bare(t: Tensor) -> Any:
    """On the CPU a numpy array, since kernels take addresses; elsewhere the tensor."""
    t = t.detach()
    return t.numpy() if t.device.type == "cpu" else t


def _tensor(array: Any) -> Tensor:
    return array if isinstance(array, Tensor) else torch.from_numpy(array)
