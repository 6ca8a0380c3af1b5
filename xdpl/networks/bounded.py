"""Parameters inside their bounds, and in their order, by construction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from xdpl.models import Parameter
from xdpl.models.ordering import Ordering
from xdpl.networks.base import Inputs
from xdpl.networks.columns import Columns

__all__ = ["ParameterNetwork"]


class ParameterNetwork(torch.nn.Module):
    """A network followed by one sigmoid per parameter, linear or logarithmic, and by their order.

    Parameters
    ----------
    body : Module
        `Inputs` -> `Outputs`, unbounded; zero means the default.
    columns : Columns
        What the outputs of the body are.
    dropout : float
        Fraction of dynamic parameters that stay still while training.
    spread : float
        Standard deviation of what is added to each member's outputs: members that start
        equal have equal gradients and stay so.
    """

    lower: Tensor
    upper: Tensor
    offset: Tensor
    least: Tensor
    most: Tensor
    log: Tensor
    start: Tensor

    def __init__(
        self, body: torch.nn.Module, columns: Columns, *, dropout: float = 0.0, spread: float = 0.5
    ) -> None:
        super().__init__()
        self.body = body
        self.columns: Columns = columns
        self.dropout = dropout
        #: Whether dynamic parameters move; a training may begin without.
        self.moves = True
        own = [p for p in columns.parameters for _ in range(columns.count(p))]
        starts = _starts(columns.parameters, columns.ordering)
        spans = torch.tensor([_span(p, starts[p.name]) for p in own], dtype=torch.float64).reshape(-1, 5)
        for i, name in enumerate(("lower", "upper", "offset", "least", "most")):
            self.register_buffer(name, spans[:, i].clone(), persistent=False)
        self.register_buffer("log", torch.tensor([p.scale == "log" for p in own]), persistent=False)
        if columns.members > 1:
            apart = torch.tensor([columns.count(p) > 1 for p in own])
            self.register_buffer("start", torch.where(apart, spread * torch.randn(len(own)), 0.0))

    def forward(self, inputs: Inputs) -> dict[str, Tensor]:
        """Parameters of every site.

        Parameters
        ----------
        inputs : Inputs
            Normalised.

        Returns
        -------
        dict of str to Tensor, ([time,] [member,] site)
            In declared units; with a time dim for dynamic parameters, with a member dim
            where members have their own.
        """
        raw = self.body(inputs if self.moves else replace(inputs, forcings=None))
        still = self._bounded(raw.still, list(range(raw.still.shape[1])))
        columns = self.columns
        moving = list(columns.moving)
        series = None
        if raw.series is not None:
            mixed = self._stilled(raw.series, raw.still[:, moving])
            series = self._bounded(mixed, moving)
        values, first, first_moving = {}, 0, 0
        for p in columns.parameters:
            count = columns.count(p)
            if series is not None and p.name in columns.dynamic:
                part = series[first_moving : first_moving + count].movedim(0, 1)
                first_moving += count
            else:
                part = still[first : first + count]
            first += count
            values[p.name] = part if count > 1 else part.squeeze(-2)
        return columns.ordering.apply(values) if columns.ordering else values

    def _bounded(self, raw: Tensor, which: list[int]) -> Tensor:
        """Columns (..., column) in their bounds, as (column, ...)."""
        kind = raw.dtype
        raw = raw.movedim(-1, 0)
        shape = (-1,) + (1,) * (raw.ndim - 1)

        def own(name: str) -> Tensor:
            return getattr(self, name)[which].reshape(shape)

        raw = raw + own("offset").to(kind)
        if self.columns.members > 1:
            raw = raw + own("start").to(kind)
        lower, upper = own("lower").to(kind), own("upper").to(kind)
        value = lower + (upper - lower) * torch.sigmoid(raw)
        if bool(self.log.any()):
            value = torch.where(own("log"), torch.exp(torch.where(own("log"), value, 0.0)), value)
        # In single precision exp(log(5000)) is above 5000.
        return torch.minimum(torch.maximum(value, own("least").to(kind)), own("most").to(kind))

    def _stilled(self, series: Tensor, still: Tensor) -> Tensor:
        """Some columns of some sites held at their last value, Feng et al. (2022)."""
        if not (self.training and self.dropout):
            return series
        held = torch.rand_like(still) < self.dropout
        return torch.where(held, still, series)


def _starts(parameters: Sequence[Parameter], ordering: Ordering) -> dict[str, float]:
    """What becomes the default once it is in its order."""
    defaults = {p.name: np.asarray(p.default) for p in parameters}
    return {k: float(v) for k, v in ordering.invert(defaults).items()}


def _span(p: Parameter, start: float) -> tuple[float, float, float, float, float]:
    """Bounds on the scale of learning, the logit of the start between them, and the bounds themselves."""
    lower, upper, begin = (math.log(v) if p.scale == "log" else v for v in (p.lower, p.upper, start))
    share = (begin - lower) / (upper - lower)
    return lower, upper, math.log(share / (1.0 - share)), p.lower, p.upper
