"""When a surrogate cannot be trusted."""

from __future__ import annotations

import xarray as xr

__all__ = ["AuditError"]

_REMEDY = (
    "learned through it, parameters would be wrong. More draws, more updates, a wider network or a longer"
    " warm-up of the emulator make it better (xdpl.surrogate.Loop(draws=..., emulator={...})); a parameter"
    " that the targets hardly feel is best not declared; the limits are in Loop(audit={...});"
    " ds.dpl.calibrate needs no surrogate"
)


class AuditError(RuntimeError):
    """A surrogate does not answer changes of parameters as its model does.

    Parameters
    ----------
    model : str
        Name of the model.
    where : {"range", "estimate"}
        Over the full bounds, or at what was learned.
    audit : Dataset
        As of `xdpl.surrogate.audit`.
    """

    def __init__(self, model: str, where: str, audit: xr.Dataset) -> None:
        self.model = model
        self.where = where
        self.audit = audit
        super().__init__(f"{self.said(model, where, audit)}; {_REMEDY}")

    @staticmethod
    def said(model: str, where: str, audit: xr.Dataset) -> str:
        """What failed, on one line."""
        place = "over the full bounds" if where == "range" else "at what was learned"
        failures = audit.attrs["failures"]
        return (
            f"{place} the surrogate of {model!r} does not answer its parameters as the model does: {failures}"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return AuditError, (self.model, self.where, self.audit)
