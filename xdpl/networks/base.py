"""What every network is: a specification of plain values, and a module made of it."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

__all__ = ["Inputs", "Network", "Outputs", "Sizes"]


@dataclass(frozen=True)
class Inputs:
    """What a network reads, normalised.

    Parameters
    ----------
    attributes : Tensor, (site, attribute)
    forcings : Tensor, (time, site, forcing), optional
        Of the run itself, its warm-up included; for networks that read forcings.
    history : Tensor, (time, site, forcing + 2 response), optional
        Of the days before the observations that are to be predicted: forcings, responses,
        and for each response 1 where it was observed, else 0; for networks with a history.
    """

    attributes: Tensor
    forcings: Tensor | None = None
    history: Tensor | None = None


@dataclass(frozen=True)
class Outputs:
    """What a network gives: unbounded numbers, zero standing for the default.

    Parameters
    ----------
    still : Tensor, (site, column)
        One column for each parameter of each member.
    series : Tensor, (time, site, moving column), optional
        The columns that vary in time.
    """

    still: Tensor
    series: Tensor | None = None


@dataclass(frozen=True)
class Sizes:
    """How much goes in and out.

    Parameters
    ----------
    attributes, forcings, responses : tuple of str
        Names of the inputs.
    columns : tuple of str
        The parameter each column of the output belongs to.
    moving : tuple of int
        Columns that vary in time.
    """

    attributes: tuple[str, ...]
    forcings: tuple[str, ...] = ()
    responses: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    moving: tuple[int, ...] = ()


class Network(ABC):
    """A specification: a frozen dataclass of plain values that a fit can store.

    Its `build` makes a torch module that maps `Inputs` to `Outputs`.
    """

    kind: ClassVar[str]
    reads_forcings: ClassVar[bool] = False
    #: Whether static parameters need no forcings, and can be trained before what moves.
    static_first: ClassVar[bool] = False
    #: How attributes are transformed before they are normalised.
    transform: Literal["none", "log"] = "none"
    #: Steps before the prediction that are read; 0 for networks without a history.
    steps: int = 0

    @abstractmethod
    def build(self, sizes: Sizes) -> torch.nn.Module:
        """Make the module, `Inputs` to `Outputs`, whose fresh weights give zeros."""

    def check(self, sizes: Sizes) -> list[tuple[str, str]]:
        """What does not fit between specification and data, as (expected, got)."""
        return []

    def to_dict(self) -> dict[str, Any]:
        """Plain values, such as ``{"kind": "mlp", "hidden": [64, 64], "dropout": 0.0}``."""
        values: dict[str, Any] = dataclasses.asdict(self) if dataclasses.is_dataclass(self) else {}
        return {"kind": self.kind} | {k: _plain(v) for k, v in values.items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Network:
        """Inverse of `to_dict`."""
        return cls(**{k: _frozen(v) for k, v in values.items() if k != "kind"})

    def describe(self, n_attributes: int, n_columns: int) -> str:
        """One line for people, of a network between so many attributes and columns."""
        values = {k: v for k, v in self.to_dict().items() if k != "kind"}
        return ", ".join([self.kind, *(f"{k} {v}" for k, v in values.items())])


def zeroed(layer: torch.nn.Linear) -> torch.nn.Linear:
    """A layer that gives zeros until it is trained, which the bounds turn into the defaults."""
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    return layer


def check_counts(**values: Any) -> None:
    """Raise ValueError for widths and lengths that are not positive integers."""
    for name, given in values.items():
        if not _is_count(given):
            msg = f"{name} must be a positive integer, got {given!r}"
            raise ValueError(msg)


def check_widths(**values: Any) -> None:
    """Raise ValueError for what is no tuple of positive integers."""
    for name, given in values.items():
        if not (isinstance(given, tuple) and all(map(_is_count, given))):
            msg = f"{name} must be positive integers in a tuple, got {given!r}"
            raise ValueError(msg)


def check_fractions(**values: Any) -> None:
    """Raise ValueError for fractions outside [0, 1)."""
    for name, value in values.items():
        if not (isinstance(value, int | float) and 0.0 <= value < 1.0):
            msg = f"{name} must be in [0, 1), got {value!r}"
            raise ValueError(msg)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return {k: _plain(v) for k, v in value.items()} if isinstance(value, dict) else value


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(v) for v in value)
    return {k: _frozen(v) for k, v in value.items()} if isinstance(value, dict) else value
