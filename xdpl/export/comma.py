"""Tables as CSV: one head line with names and units."""

from __future__ import annotations

import csv
import io
import re

import numpy as np

from xdpl.export.table import CLASS, CLASS_NAME, Malformed, Table, as_labels, number, real

__all__ = ["parsed", "text"]

# After the name of a label that is a coordinate, in the place of units.
_COORDINATE = "(coordinate)"
_HEAD = re.compile(r"^(\S+)(?: \[(.*)\]| (\(coordinate\)))?$")


def text(table: Table) -> str:
    """The file: labels first, then parameters as ``name [units]``."""
    marks = {k: k if k in (CLASS, CLASS_NAME) else f"{k} {_COORDINATE}" for k in table.labels}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*marks.values(), *(f"{k} [{table.units[k]}]" for k in table.columns)])
    for i in range(table.size):
        labels = [str(v[i]) for v in table.labels.values()]
        writer.writerow([*labels, *(number(v[i]) for v in table.columns.values())])
    return out.getvalue()


def parsed(content: str, name: str | None) -> Table:
    """Read it; columns without units are left to the caller.

    Raises
    ------
    Malformed
        If it is no table.
    """
    head, *rows = [row for row in csv.reader(io.StringIO(content)) if row] or [[]]
    found = [_HEAD.match(cell.strip()) for cell in head]
    names = [match[1] for match in found if match]
    if not rows or len(names) < len(head) or len(set(names)) < len(names):
        raise Malformed(
            expected="a head of distinct names with units in brackets, and rows",
            got=f"{head} and {len(rows)} rows",
        )
    for i, row in enumerate(rows):
        if len(row) != len(head):
            raise Malformed(expected=f"{len(head)} values in row {i + 1}", got=str(len(row)))
    by_name = {key: [row[i].strip() for row in rows] for i, key in enumerate(names)}
    coordinates = [m[1] for m in found if m and (m[3] or m[1] in (CLASS, CLASS_NAME))]
    labels = {
        key: np.array(by_name[key], np.str_) if key == CLASS_NAME else as_labels(by_name[key])
        for key in coordinates
    }
    columns = {k: np.array([real(v) for v in values]) for k, values in by_name.items() if k not in labels}
    return Table(labels, columns, {m[1]: m[2] for m in found if m and m[2] is not None})
