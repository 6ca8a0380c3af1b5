"""What a network is, as plain values that a fit can store."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

__all__ = ["MLP"]


@dataclasses.dataclass(frozen=True)
class MLP:
    """Fully connected network on the attributes of a site.

    Parameters
    ----------
    hidden : tuple of int
        Width of each hidden layer.
    dropout : float
        Fraction of hidden units dropped while training, 0 to below 1.

    Raises
    ------
    ValueError
        If a width is not positive or the dropout is outside [0, 1).
    """

    hidden: tuple[int, ...] = (64, 64)
    dropout: float = 0.0

    kind: ClassVar[str] = "mlp"

    def __post_init__(self) -> None:
        if not all(isinstance(w, int) and w > 0 for w in self.hidden):
            msg = f"hidden must be positive integers, got {self.hidden}"
            raise ValueError(msg)
        if not 0.0 <= self.dropout < 1.0:
            msg = f"dropout must be in [0, 1), got {self.dropout}"
            raise ValueError(msg)

    def to_dict(self) -> dict[str, Any]:
        """Plain values: ``{"kind": "mlp", "hidden": [...], "dropout": ...}``."""
        return {"kind": self.kind, "hidden": list(self.hidden), "dropout": self.dropout}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> MLP:
        """Inverse of `to_dict`."""
        return cls(hidden=tuple(values["hidden"]), dropout=values["dropout"])
