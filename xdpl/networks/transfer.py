"""Transfer functions: few coefficients between attributes and parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from xdpl.networks.base import Inputs, Network, Outputs, Sizes

__all__ = ["TransferFunction"]


@dataclass(frozen=True)
class TransferFunction(Network):
    """Linear or power relations, the classical form of regionalisation.

    The odds of a parameter within its bounds, (θ - lower) / (upper - θ), of logarithms for
    parameters with a log scale, are exp(c₀ + Σ cᵢ xᵢ) of normalised attributes x, or
    exp(c₀) Π xᵢ^cᵢ of the attributes themselves. `Fit.coefficients` gives the c.

    Parameters
    ----------
    form : {"linear", "power"}
        Power relations need attributes above zero.
    predictors : mapping of str to sequence of str, optional
        For each parameter the attributes it depends on; a parameter that is not named
        has one value everywhere. All attributes for all parameters if not given.

    Raises
    ------
    ValueError
        If the form is another one.

    References
    ----------
    Samaniego et al. (2010), doi:10.1029/2008WR007327.
    """

    form: Literal["linear", "power"] = "linear"
    predictors: Mapping[str, Sequence[str]] | None = None

    kind: ClassVar[str] = "transfer"

    def __post_init__(self) -> None:
        if self.form not in ("linear", "power"):
            msg = f"form must be 'linear' or 'power', got {self.form!r}"
            raise ValueError(msg)
        if self.predictors is not None:
            each = {k: (v,) if isinstance(v, str) else tuple(v) for k, v in self.predictors.items()}
            object.__setattr__(self, "predictors", each)

    @property
    def transform(self) -> Literal["none", "log"]:  # type: ignore[override]
        """A power relation is a linear one of logarithms."""
        return "log" if self.form == "power" else "none"

    def check(self, sizes: Sizes) -> list[tuple[str, str]]:
        """Names in `predictors` that are no parameter, or not among the attributes."""
        named = dict(self.predictors or {})
        found = [
            (f"a parameter that is learned: {', '.join(dict.fromkeys(sizes.columns))}", repr(name))
            for name in named
            if name not in sizes.columns
        ]
        unknown = dict.fromkeys(a for names in named.values() for a in names if a not in sizes.attributes)
        return found + [(f"predictors among attributes={list(sizes.attributes)}", repr(a)) for a in unknown]

    def build(self, sizes: Sizes) -> torch.nn.Module:
        """One coefficient per parameter and predictor, and a constant."""
        return _Relations(self._mask(sizes))

    def _mask(self, sizes: Sizes) -> Tensor:
        if self.predictors is None:
            return torch.ones(len(sizes.columns), len(sizes.attributes))
        rows = [self.predictors.get(column, ()) for column in sizes.columns]
        return torch.tensor([[float(a in row) for a in sizes.attributes] for row in rows])


class _Relations(torch.nn.Module):
    mask: Tensor

    def __init__(self, mask: Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", mask, persistent=False)
        self.constant = torch.nn.Parameter(torch.zeros(mask.shape[0]))
        self.coefficients = torch.nn.Parameter(torch.zeros_like(mask))

    def forward(self, inputs: Inputs) -> Outputs:
        weights = self.coefficients * self.mask
        return Outputs(torch.nn.functional.linear(inputs.attributes, weights, self.constant))
