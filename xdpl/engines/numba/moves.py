"""Moves between arrays in memory and rows of the scratch buffer.

A table describes arrays of one kind, three integers for each: its address, and what a step in time and a
further member add to it, in bytes. The address 0 stands for zeros to read, and for nothing to write.
"""

from __future__ import annotations

from typing import Any

import numba

from xdpl.engines.numba.intrinsics import row_moves

__all__ = ["moves"]


def moves(dtype: str, lanes: int) -> dict[str, Any]:
    """Functions that move or clear rows.

    Returns
    -------
    dict of str to function
        "read", "read_moving" (only what varies in time), "write", "write_moving"
        (which clears the row), "write_still" and "clear".
    """
    load, store = row_moves(dtype, lanes)
    jit = numba.njit(inline="always", error_model="numpy", boundscheck=False)

    @jit
    def clear(scratch, place, size):  # type: ignore[no-untyped-def]
        for i in range(size):
            scratch[place + i] = 0.0

    @jit
    def read(scratch, place, table, rows, t, m, shift, count):  # type: ignore[no-untyped-def]
        for k in range(rows):
            if table[3 * k] != 0:
                at = table[3 * k] + t * table[3 * k + 1] + m * table[3 * k + 2] + shift
                load(scratch, place + k * lanes, at, count)
            else:
                clear(scratch, place + k * lanes, lanes)

    @jit
    def read_moving(scratch, place, table, rows, t, m, shift, count):  # type: ignore[no-untyped-def]
        for k in range(rows):
            if table[3 * k + 1] != 0:
                at = table[3 * k] + t * table[3 * k + 1] + m * table[3 * k + 2] + shift
                load(scratch, place + k * lanes, at, count)

    @jit
    def write(scratch, place, table, rows, t, m, shift, count):  # type: ignore[no-untyped-def]
        for k in range(rows):
            if table[3 * k] != 0:
                at = table[3 * k] + t * table[3 * k + 1] + m * table[3 * k + 2] + shift
                store(scratch, place + k * lanes, at, count)

    @jit
    def write_moving(scratch, place, table, rows, t, m, shift, count):  # type: ignore[no-untyped-def]
        for k in range(rows):
            if table[3 * k + 1] != 0:
                at = table[3 * k] + t * table[3 * k + 1] + m * table[3 * k + 2] + shift
                store(scratch, place + k * lanes, at, count)
                clear(scratch, place + k * lanes, lanes)

    @jit
    def write_still(scratch, place, table, rows, t, m, shift, count):  # type: ignore[no-untyped-def]
        for k in range(rows):
            if table[3 * k] != 0 and table[3 * k + 1] == 0:
                at = table[3 * k] + m * table[3 * k + 2] + shift
                store(scratch, place + k * lanes, at, count)

    return {
        "clear": clear,
        "read": read,
        "read_moving": read_moving,
        "write": write,
        "write_moving": write_moving,
        "write_still": write_still,
    }
