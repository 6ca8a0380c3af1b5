"""What is in a table: rows of classes or cells, columns of parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

__all__ = [
    "CLASS",
    "CLASS_NAME",
    "Malformed",
    "Table",
    "as_labels",
    "number",
    "quoted",
    "real",
    "tokens",
    "unquoted",
]

#: Labels of rows that are classes; other labels are coordinates of cells.
CLASS, CLASS_NAME = "class", "class_name"

_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[^\s,'\"]+|,")


class Malformed(ValueError):
    """A file that is no table of its format: what was expected and what is there.

    Parameters
    ----------
    expected, got : str
    """

    def __init__(self, expected: str, got: str) -> None:
        self.expected = expected
        self.got = got
        super().__init__(f"expected {expected}, got {got}")


@dataclass(frozen=True)
class Table:
    """Rows by their labels, with values.

    Parameters
    ----------
    labels : dict of str to array
        ``class`` (int) and ``class_name`` (str), or coordinates of cells.
    columns : dict of str to array of float32
        Parameters, in the order of the file.
    units : dict of str to str
        Of the columns that say them.
    """

    labels: dict[str, np.ndarray]
    columns: dict[str, np.ndarray]
    units: dict[str, str]

    @property
    def of_classes(self) -> bool:
        """Whether rows are classes."""
        return CLASS in self.labels

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(next(iter({**self.labels, **self.columns}.values())))


def number(value: np.float32) -> str:
    """The shortest digits that give a float32 back."""
    return str(np.float32(value))


def real(text: str) -> np.float32:
    """A number as Fortran or Python write it.

    Raises
    ------
    Malformed
        If it is none.
    """
    try:
        return np.float32(float(re.sub("[dD]", "e", text)))
    except ValueError as error:
        raise Malformed(expected="a number", got=repr(text)) from error


def tokens(line: str) -> list[str]:
    """Values of a line as Fortran reads a list: between commas or blanks, or quoted.

    Raises
    ------
    Malformed
        If there is nothing between two commas, or a quote is not closed.
    """
    found = _TOKEN.findall(line)
    if re.sub(_TOKEN, "", line).strip():
        raise Malformed(expected="quotes that are closed", got=repr(line))
    if any(a == b == "," for a, b in pairwise(found)) or found[:1] == [","]:
        raise Malformed(expected="a value between two commas", got=repr(line))
    return [token for token in found if token != ","]


def quoted(text: str) -> str:
    """A text as Fortran reads it."""
    return "'" + text.replace("'", "''") + "'"


def as_labels(texts: list[str]) -> np.ndarray:
    """Whole numbers, numbers or texts, whichever all of them are; with leading zeros a number is a text."""
    if all(re.fullmatch(r"-?(0|[1-9]\d*)", text) for text in texts):
        return np.array(texts, dtype=np.int64)
    try:
        if not any(re.match(r"0\d", text) for text in texts):
            return np.array([float(text) for text in texts])
    except ValueError:
        pass
    return np.array(texts, dtype=np.str_)


def unquoted(token: str) -> str:
    """A text without its quotes."""
    quote = token[:1]
    return token[1:-1].replace(2 * quote, quote) if quote in ("'", '"') and len(token) > 1 else token
