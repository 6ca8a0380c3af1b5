"""Tables in the manner of SOILPARM.TBL and VEGPARM.TBL of Noah."""

from __future__ import annotations

import re

import numpy as np

from xdpl.export.table import (
    CLASS,
    CLASS_NAME,
    Malformed,
    Table,
    as_labels,
    number,
    quoted,
    real,
    tokens,
    unquoted,
)

__all__ = ["parsed", "text"]

# Of rows and columns; Noah reads the count, the first index and nothing else of this line.
_HEAD = re.compile(r"^\s*(\d+)\s*,\s*\d+\s*,?\s*'([^']*)'")
# At the end of the title, which Noah skips: what labels the rows, and units.
_SAID = re.compile(r"\(rows: ([^;()]*)((?:; \w+: [^;]*)*)\)\s*$")


def text(table: Table, title: str, name: str) -> str:
    """The file: title, name of the classification, count and columns, then a row of each class."""
    words = _words(table)
    numeric = {} if table.of_classes else {k: v for k, v in table.labels.items() if k != words}
    index = table.labels[CLASS] if table.of_classes else np.arange(1, table.size + 1)
    cells = {k: [str(v) for v in values] for k, values in numeric.items()}
    cells |= {k: [number(v) for v in values] for k, values in table.columns.items()}
    widths = {k: max(len(k), *map(len, values)) for k, values in cells.items()}
    rows = ", ".join([CLASS] if table.of_classes else table.labels)
    said = "; ".join([f"rows: {rows}", *(f"{k}: {table.units[k]}" for k in table.columns)])
    names = " ".join(k.ljust(widths[k] + 1) for k in cells).rstrip()
    lines = [f"{title} ({said})", name, f"{table.size},1 {quoted(names)}"]
    wide = len(str(index[-1]))
    for i, label in enumerate(index):
        values = ", ".join(values[i].rjust(widths[k]) for k, values in cells.items())
        end = f", {quoted(str(table.labels[words][i]))}" if words else ""
        lines.append(f"{label!s:>{wide}}, {values}{end}")
    return "\n".join([*lines, ""])


def _words(table: Table) -> str | None:
    """The label that is written at the end of a row: the one that is text."""
    if table.of_classes:
        return CLASS_NAME if CLASS_NAME in table.labels else None
    return next((k for k, v in table.labels.items() if v.dtype.kind not in "fiu"), None)


def parsed(content: str, name: str | None) -> Table:
    """Read one table, that of a name or the only one; columns without units are left to the caller.

    Raises
    ------
    Malformed
        If there is no such table, or it is none.
    """
    lines = content.splitlines()
    heads = {i: match for i, line in enumerate(lines) if i > 1 and (match := _HEAD.match(line))}
    there = [lines[i - 1].strip().strip("'\"") for i in heads]
    chosen = [i for i, t in zip(heads, there, strict=True) if name is None or t == name]
    if len(chosen) != 1:
        raise Malformed(
            expected="one table" if name is None else f"a table {name!r}",
            got=f"tables: {', '.join(there) or 'none'}",
        )
    (place,) = chosen
    count, columns = int(heads[place][1]), heads[place][2].split()
    said = _SAID.search(lines[place - 2])
    rows = said[1].split(", ") if said else [CLASS]
    units = dict(part.split(": ", 1) for part in said[2].split("; ")[1:]) if said else {}
    if len(set(columns)) < len(columns):
        raise Malformed(expected="columns of distinct names", got=" ".join(columns))
    table = [tokens(line) for line in lines[place + 1 : place + 1 + count]]
    return _table(table, count, columns, rows, units)


def _table(
    table: list[list[str]], count: int, columns: list[str], rows: list[str], units: dict[str, str]
) -> Table:
    if len(table) != count or count == 0:
        raise Malformed(expected=f"{max(count, 1)} rows", got=str(len(table)))
    width = {len(row) for row in table}
    if not width <= {1 + len(columns), 2 + len(columns)} or len(width) != 1:
        raise Malformed(
            expected=f"an index, {len(columns)} values and perhaps a name in each row",
            got=f"{sorted(width)} values",
        )
    ends = [unquoted(row[-1]) for row in table] if width == {2 + len(columns)} else None
    by_name = {k: [row[1 + j] for row in table] for j, k in enumerate(columns)}
    if rows == [CLASS]:
        labels = {CLASS: as_labels([row[0] for row in table])}
        last: str | None = CLASS_NAME
    else:
        labels = {k: as_labels(by_name[k]) for k in rows if k in by_name}
        last = next((k for k in rows if k and k not in by_name), None)
    if ends is not None and last is not None:
        labels[last] = np.array(ends, np.str_)
    found = {k: np.array([real(v) for v in values]) for k, values in by_name.items() if k not in labels}
    return Table(labels, found, units)
