"""Pieces of HTML. All text goes through `escape`; what is already HTML comes from here or from `drawing`."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from html import escape as _escape

from xdpl.report.numbers import MISSING

__all__ = ["details", "escape", "figure", "figures", "heading", "items", "paragraph", "table"]


def escape(text: object) -> str:
    """Text for HTML; control characters, which it cannot have, become visible."""
    safe = "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in str(text))
    return _escape(safe, quote=True)


def paragraph(text: str, *, kind: str = "") -> str:
    """A paragraph of text."""
    return f"<p{_class(kind)}>{escape(text)}</p>\n"


def heading(text: str) -> str:
    """A heading inside a section."""
    return f"<h3>{escape(text)}</h3>\n"


def items(texts: Iterable[str], *, kind: str = "") -> str:
    """A list of lines of text."""
    return f"<ul{_class(kind)}>{''.join(f'<li>{escape(t)}</li>' for t in texts)}</ul>\n"


def details(summary: str, inside: str) -> str:
    """What opens on demand; `inside` is HTML."""
    return f"<details><summary>{escape(summary)}</summary>\n{inside}</details>\n"


def table(
    caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, words: Container[int] = ()
) -> str:
    """A table whose first column names the rows.

    Parameters
    ----------
    caption : str
    head : sequence of str
        Of all columns.
    rows : iterable of sequence of str
    words : container of int
        Columns, besides the first, that are not numbers.
    """
    kinds = ["" if i == 0 or i in words else "number" for i in range(len(head))]
    # An exponent torn off is another unit.
    kinds = ["units" if cell == "units" else kind for cell, kind in zip(head, kinds, strict=True)]
    top = "".join(
        f'<th scope="col"{_class(kind)}>{escape(cell)}</th>' for cell, kind in zip(head, kinds, strict=True)
    )
    body = "".join(f"<tr>{_row(row, kinds)}</tr>\n" for row in rows)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="Table: {escape(caption)}">'
        f"<table><caption><span>{escape(caption)}</span></caption><thead><tr>{top}</tr></thead>\n"
        f"<tbody>{body}</tbody></table></div>\n"
    )


def figure(svg: str, caption: str, *, wide: bool = False) -> str:
    """A picture with its caption; a wide one scrolls on a narrow screen, so that its text stays readable."""
    if wide:
        svg = (
            f'<div class="scroll wide" role="region" tabindex="0" aria-label="Picture: {escape(caption)}">'
            f"{svg}</div>"
        )
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>\n"


def figures(parts: Iterable[str]) -> str:
    """Small figures beside each other, as many as there is room for."""
    return f'<div class="figures">{"".join(parts)}</div>\n'


def _row(row: Sequence[str], kinds: Sequence[str]) -> str:
    first, *others = row
    cells = [f'<th scope="row">{escape(first)}</th>']
    for cell, kind in zip(others, kinds[1:], strict=True):
        said = " ".join(part for part in (kind, "missing" if cell == MISSING else "") if part)
        cells.append(f"<td{_class(said)}>{escape(cell)}</td>")
    return "".join(cells)


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
