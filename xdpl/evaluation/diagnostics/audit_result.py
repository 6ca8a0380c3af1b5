"""The result of a gradient audit: what to look at first, then the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import xarray as xr

from xdpl import tables

__all__ = ["Audit"]

_COLUMNS = {
    "relative_error": "error",
    "mismatch": "mismatch",
    "zero": "zero",
    "not_finite": "not finite",
    "at_bound": "at bound",
    "sign_agreement": "sign kept",
    "remaining": "remaining",
}


@dataclass(frozen=True, repr=False)
class Audit:
    """Whether gradients can be trusted, and what they are asked for.

    Prints its flags first, then a table.

    Parameters
    ----------
    flags : tuple of str
        What to look at, in words; empty if nothing was found.
    parameters : Dataset
        Over ``parameter``: medians and fractions of sites.
    sites : Dataset
        Over the site dims and ``parameter``: what these are made of.
    title : str
    """

    flags: tuple[str, ...]
    parameters: xr.Dataset
    sites: xr.Dataset
    title: str

    def __repr__(self) -> str:
        lines = [f"{self.title}: {self._verdict}"]
        for flag in self.flags:
            lines += tables.wrapped(flag, "! ")
        return "\n".join([*lines, *tables.text([self._head, *self._rows], right=range(1, 10))])

    def _repr_html_(self) -> str:
        flags = "".join(f"<li>{escape(flag)}</li>" for flag in self.flags)
        listed = f"<ul>{flags}</ul>" if flags else ""
        table = tables.html(self._rows, head=self._head, right=range(1, 10))
        return f"<b>{escape(self.title)}</b>: {escape(self._verdict)}{listed}{table}"

    @property
    def _verdict(self) -> str:
        count = len(self.flags)
        return f"{count} flag{'s' * (count > 1)}" if count else "nothing to flag"

    @property
    def _head(self) -> list[str]:
        return ["parameter", *_COLUMNS.values()]

    @property
    def _rows(self) -> list[list[str]]:
        columns = [self.parameters[name].values for name in _COLUMNS]
        names = self.parameters["parameter"].values
        cells = zip(names, *columns, strict=True)
        return [[str(name), f"{error:.0e}", *map(_cell, rest)] for name, error, *rest in cells]


def _cell(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.2f}"
