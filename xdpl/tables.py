"""Tables of strings, for terminals and notebooks."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Container, Iterable, Sequence
from html import escape

__all__ = ["html", "listed", "text"]

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
    before = len(indent) + sum(width + len(_GAP) for width in widths)
    room = max(shutil.get_terminal_size((100, 24)).columns - before, _NARROWEST)
    lines = []
    for *cells, last in rows:
        aligned = (
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        start = indent + "".join(cell + _GAP for cell in aligned)
        wrapped = textwrap.wrap(last, room, break_long_words=False, break_on_hyphens=False) or [""]
        lines += [(start + wrapped[0]).rstrip(), *(" " * before + more for more in wrapped[1:])]
    return [line.replace(_NO_BREAK, " ") for line in lines]


def listed(items: Iterable[str]) -> str:
    """Items with commas; when `text` wraps them, none is torn apart."""
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

    def line(cells: Sequence[str], names: Container[int]) -> str:
        tagged = (("th" if i in names else "td", i, cell) for i, cell in enumerate(cells))
        # Notebooks align to the right and leave no blanks as they are: say so for every cell.
        return "".join(
            f'<{tag} style="text-align:{"right" if i in right else "left"}">{escape(cell)}</{tag}>'
            for tag, i, cell in tagged
        )

    top = f"<thead><tr>{line(head, range(len(head)))}</tr></thead>" if head else ""
    body = "".join(f"<tr>{line(row, () if head else (0,))}</tr>" for row in rows)
    return f"<table>{top}<tbody>{body}</tbody></table>"
