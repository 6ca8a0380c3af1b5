"""Tables of strings, for terminals and notebooks."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Container, Iterable, Sequence
from html import escape

__all__ = ["html", "listed", "text", "wrapped"]

_GAP = "  "
_NARROWEST = 16
_NO_BREAK = "\u00a0"


def text(rows: Sequence[Sequence[str]], *, indent: str = "", right: Container[int] = ()) -> list[str]:
    """Lines of aligned columns; the last one is wrapped to the width of the terminal.

    Parameters
    ----------
    rows : sequence of rows of str
        Of one length; a head is a row like others.
    indent : str
        Before every line.
    right : container of int
        Columns to align to the right.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    lines = []
    for *cells, last in rows:
        aligned = (
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        start = indent + "".join(cell + _GAP for cell in aligned)
        lines += wrapped(last, start)
    return lines


def wrapped(paragraph: str, start: str = "") -> list[str]:
    """Lines of a paragraph in the width of the terminal, all below the first one's beginning."""
    room = max(shutil.get_terminal_size((100, 24)).columns - len(start), _NARROWEST)
    first, *others = textwrap.wrap(paragraph, room, break_long_words=False, break_on_hyphens=False) or [""]
    lines = [(start + first).rstrip(), *(" " * len(start) + line for line in others)]
    return [line.replace(_NO_BREAK, " ") for line in lines]


def listed(items: Iterable[str]) -> str:
    """Items with commas; none is torn apart when wrapped."""
    return ", ".join(item.replace(" ", _NO_BREAK) for item in items)


def html(rows: Sequence[Sequence[str]], *, head: Sequence[str] = (), right: Container[int] = ()) -> str:
    """An HTML table, escaped; without a head, the first column names the rows.

    Parameters
    ----------
    rows : sequence of rows of str
    head : sequence of str, optional
    right : container of int
        Columns to align to the right.
    """
    top = f"<thead><tr>{_cells(head, range(len(head)), right)}</tr></thead>" if head else ""
    body = "".join(f"<tr>{_cells(row, () if head else (0,), right)}</tr>" for row in rows)
    return f"<table>{top}<tbody>{body}</tbody></table>"


def _cells(cells: Sequence[str], names: Container[int], right: Container[int]) -> str:
    # Notebooks align to the right where no cell says otherwise.
    sides = ("right" if i in right else "left" for i in range(len(cells)))
    tags = ("th" if i in names else "td" for i in range(len(cells)))
    return "".join(
        f'<{tag} style="text-align:{side}">{escape(cell)}</{tag}>'
        for tag, side, cell in zip(tags, sides, cells, strict=True)
    )
