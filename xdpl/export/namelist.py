"""Tables as a Fortran namelist: an array for each parameter."""

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

# Within what old compilers read of a line.
_WIDTH = 78
_UNITS = re.compile(r"^!\s*units of (\w+): (.*)$")
_COORDINATES = re.compile(r"^!\s*coordinates of cells: (.*)$")
_ASSIGNED = re.compile(r"^(\w+)\s*=\s*(.*)$")
_NO_COMMENT = re.compile(r"(?:[^'\"!]|'[^']*'|\"[^\"]*\")*")
_REPEATED = re.compile(r"^(\d+)\*(.+)$")


def text(table: Table, title: str, name: str) -> str:
    """The file: a title as a comment and one group, with comments that say units."""
    lines = [f"! {title}", f"&{name}"]
    coordinates = [k for k in table.labels if k not in (CLASS, CLASS_NAME)]
    if coordinates:
        lines.append(f"  ! coordinates of cells: {', '.join(coordinates)}")
    for key, values in table.labels.items():
        numeric = values.dtype.kind in "fiu"
        lines += _array(key, [str(v) if numeric else quoted(str(v)) for v in values])
    for key, values in table.columns.items():
        lines.append(f"  ! units of {key}: {table.units[key]}")
        lines += _array(key, [number(v) for v in values])
    return "\n".join([*lines, "/", ""])


def _array(name: str, values: list[str]) -> list[str]:
    lines, line = [], f"  {name} ="
    for i, value in enumerate(values):
        item = f" {value}" + ("," if i + 1 < len(values) else "")
        if len(line) + len(item) > _WIDTH:
            lines.append(line)
            line = "   "
        line += item
    return [*lines, line]


def parsed(content: str, name: str | None) -> Table:
    """Read one group, that of a name or the only one; columns without units are left to the caller.

    Raises
    ------
    Malformed
        If there is no such group, or it is no table.
    """
    groups = _groups(content)
    if name is None and len(groups) == 1:
        name = next(iter(groups))
    if name is None or name.lower() not in groups:
        there = ", ".join(groups) or "none"
        raise Malformed(expected="one group" if name is None else f"a group {name!r}", got=f"groups: {there}")
    units, coordinates, arrays = _assigned(groups[name.lower()])
    sizes = {k: len(v) for k, v in arrays.items()}
    if len(set(sizes.values())) != 1 or 0 in sizes.values():
        raise Malformed(
            expected="arrays of one length", got=", ".join(f"{k} {n}" for k, n in sizes.items()) or "none"
        )
    labels = {}
    for key in (CLASS, CLASS_NAME, *coordinates):
        if key not in arrays:
            continue
        plain = [unquoted(v) for v in arrays[key]]
        text_like = key == CLASS_NAME or any(v[:1] in "'\"" for v in arrays[key])
        labels[key] = np.array(plain, np.str_) if text_like else as_labels(plain)
    columns = {k: np.array([real(v) for v in values]) for k, values in arrays.items() if k not in labels}
    return Table(labels, columns, units)


def _groups(content: str) -> dict[str, list[str]]:
    """Lines of each group, by its name in small letters."""
    groups: dict[str, list[str]] = {}
    inside: list[str] | None = None
    for line in (raw.strip() for raw in content.splitlines()):
        if inside is None and line.startswith("&"):
            inside = groups.setdefault(line[1:].split()[0].lower() if line[1:].split() else "", [])
        elif inside is not None and line in ("/", "&end"):
            inside = None
        elif inside is not None and line:
            inside.append(line)
    if inside is not None:
        raise Malformed(expected="a / at the end of the group", got="the end of the file")
    return groups


def _assigned(lines: list[str]) -> tuple[dict[str, str], list[str], dict[str, list[str]]]:
    """Units and coordinates that comments say, and the values of each name."""
    units: dict[str, str] = {}
    coordinates: list[str] = []
    arrays: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in lines:
        if line.startswith("!"):
            if match := _UNITS.match(line):
                units[match[1]] = match[2]
            elif match := _COORDINATES.match(line):
                coordinates = match[1].split(", ")
            continue
        match = _ASSIGNED.match(line)
        if match is not None and match[1] in arrays:
            raise Malformed(expected="each name once", got=f"{match[1]!r} twice")
        if match is not None:
            current = arrays.setdefault(match[1], [])
        elif current is None:
            raise Malformed(expected="name = values", got=repr(line))
        for token in tokens(_without_comment(match[2] if match else line)):
            repeated = _REPEATED.match(token)
            current += [repeated[2]] * int(repeated[1]) if repeated else [token]
    return units, coordinates, arrays


def _without_comment(line: str) -> str:
    before = _NO_COMMENT.match(line)
    end = before.end() if before else 0
    # What stops at a quote is no comment, but a quote that is not closed.
    return line[:end] if line[end : end + 1] == "!" else line
