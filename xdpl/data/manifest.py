"""Size and SHA-256 of every prepared and every upstream file, read from manifest.tsv."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import NamedTuple

__all__ = ["Row", "prepared", "upstream"]


class Row(NamedTuple):
    """One file.

    Parameters
    ----------
    dataset : str
        Name of the dataset it belongs to.
    kind : str
        ``"prepared"`` or ``"upstream"``.
    location : str
        File name in a mirror if prepared, public URL if upstream.
    sha256 : str
        Hexadecimal digest.
    bytes : int
        Size in bytes.
    """

    dataset: str
    kind: str
    location: str
    sha256: str
    bytes: int


@cache
def _rows() -> tuple[Row, ...]:
    text = resources.files("xdpl.data").joinpath("manifest.tsv").read_text(encoding="utf-8")
    fields = (line.split("\t") for line in text.splitlines()[1:])
    return tuple(
        Row(dataset, kind, place, digest, int(size)) for dataset, kind, place, digest, size in fields
    )


def prepared(dataset: str) -> Row:
    """Return the prepared file of a dataset."""
    (row,) = (row for row in _rows() if row.dataset == dataset and row.kind == "prepared")
    return row


def upstream(dataset: str) -> tuple[Row, ...]:
    """Return the upstream files that the preparation of a dataset reads."""
    return tuple(row for row in _rows() if row.dataset == dataset and row.kind == "upstream")
