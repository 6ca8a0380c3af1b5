"""What every observation operator is: a specification of plain values that a fit stores."""

from __future__ import annotations

import dataclasses
from abc import ABC
from numbers import Real
from typing import Any, ClassVar

import xarray as xr

from xdpl import units

__all__ = ["Operator", "check_number", "plain_array"]


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

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(self.describe())

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


def plain_array(value: float | xr.DataArray) -> Any:
    """A number as it is, an array as `DataArray.to_dict` has it, with units and labels."""
    if not isinstance(value, xr.DataArray):
        return value
    said = units.read(value)
    bare = units.magnitude(value).reset_coords(drop=True).astype(float)
    bare = bare.drop_vars([k for k in bare.coords if k not in bare.dims])
    bare.attrs = {} if said is None else {"units": said}
    return bare.drop_encoding().to_dict(data="list")


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
