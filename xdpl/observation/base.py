"""What every observation operator is: a specification of plain values that a fit stores."""

from __future__ import annotations

import dataclasses
from abc import ABC
from numbers import Real
from typing import Any, ClassVar

__all__ = ["Operator", "check_number"]


class Operator(ABC):
    """How a simulated target becomes what is compared with its observations.

    A specification: a frozen dataclass of plain values. What it learns belongs to a fit, as
    `Fit.observation`.
    """

    kind: ClassVar[str]
    #: Whether both series are compared as departures from their own means.
    centred: ClassVar[bool] = False
    #: Whether scale and offset are trained, and whether each training site has its own.
    trained: ClassVar[bool] = False
    per_site: ClassVar[bool] = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values, such as ``{"kind": "site_affine", "penalty": 1.0, "rate": 10.0}``."""
        this: Any = self
        return {"kind": self.kind} | {f.name: getattr(this, f.name) for f in dataclasses.fields(this)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Operator:
        """Inverse of `to_dict`."""
        return cls(**{k: v for k, v in values.items() if k != "kind"})

    def describe(self) -> str:
        """One line for people."""
        values = {k: v for k, v in self.to_dict().items() if k != "kind"}
        return ", ".join([self.kind, *(f"{k} {v}" for k, v in values.items())])


def check_number(name: str, value: Any, *, above: bool = True) -> float:
    """The value as a float of Python; at least zero, or above it.

    Raises
    ------
    ValueError
        If it is no finite number in that range.
    """
    sound = isinstance(value, Real) and not isinstance(value, bool)
    if not sound or not (value > 0 if above else value >= 0) or value == float("inf"):
        msg = f"{name} must be a finite number {'above' if above else 'of at least'} 0, got {value!r}"
        raise ValueError(msg)
    return float(value)
