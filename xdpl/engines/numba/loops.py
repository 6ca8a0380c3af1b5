"""The loops around a step: over tiles of sites, time, rows of sites and members.

Plain numba functions. A row is as many sites as the processor computes at once, a tile a few rows; the loop
over rows and members is the inner one, so that independent work hides the latency of the step. What a kernel
works on lies in a scratch buffer: `state0`, `parameter0`... are the places of its parts, counted in numbers.
Functions that may raise, such as `min`, are not called: whoever calls a kernel holds no interpreter lock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from xdpl.engines.numba.shape import Shape

__all__ = ["Functions", "backward_loop", "forward_loop"]


@dataclass(frozen=True)
class Functions:
    """What the loops call: moves of rows (see `moves`) and graphs (see `intrinsics`)."""

    read: Any
    read_moving: Any
    write: Any
    write_moving: Any
    write_still: Any
    clear: Any
    prepare: Any
    step: Any
    pull: Any = None


def forward_loop(shape: Shape, f: Functions) -> Callable[..., None]:
    """Loop of a forward run, storing the series and, every so many steps, the states."""
    S, F, P, Y = shape.states, shape.forcings, shape.parameters, shape.series
    W, R, moving, itemsize = shape.lanes, P + shape.constants, shape.moving, shape.itemsize
    number = np.float32 if itemsize == 4 else np.float64
    read, read_moving, write, clear, prepare, step = (
        *(f.read, f.read_moving, f.write),
        *(f.clear, f.prepare, f.step),
    )

    def forward(begin, end, sites, steps, members, rows, every, average, tables, checkpoints, scratch):  # type: ignore[no-untyped-def]
        forcings, parameters, start, final, series = tables[0], tables[1], tables[2], tables[3], tables[4]
        block = rows * members
        size = block * S * W
        parameter0 = size
        forcing0 = parameter0 + block * R * W
        series0 = forcing0 + F * W
        segments = (steps + every - 1) // every if every > 0 else 0
        weight = number(1.0) / number(members)
        for tile in range(begin, end):
            first = tile * rows * W
            left = (sites - first + W - 1) // W
            used = rows if rows < left else left
            for b in range(used * members):
                site, m = first + b // members * W, b % members
                count = W if site + W < sites else sites - site
                parameter = parameter0 + b * R * W
                read(scratch, b * S * W, start, S, 0, m, site * itemsize, count)
                read(scratch, parameter, parameters, P, 0, m, site * itemsize, count)
                prepare(scratch, (parameter,), (parameter + P * W,))
            for t in range(steps):
                if every > 0 and t % every == 0:
                    place = (tile * segments + t // every) * size
                    for i in range(used * members * S * W):
                        checkpoints[place + i] = scratch[i]
                for r in range(used):
                    site = first + r * W
                    shift, count = site * itemsize, W if site + W < sites else sites - site
                    read(scratch, forcing0, forcings, F, t, 0, shift, count)
                    for m in range(members):
                        b = r * members + m
                        state, parameter = b * S * W, parameter0 + b * R * W
                        if moving:
                            read_moving(scratch, parameter, parameters, P, t, m, shift, count)
                        if m == 0 or not average:
                            clear(scratch, series0, Y * W)
                        step(scratch, (state, forcing0, parameter, parameter + P * W), (state, series0))
                        if not average:
                            write(scratch, series0, series, Y, t, m, shift, count)
                    if average:
                        if members > 1:
                            for i in range(Y * W):
                                scratch[series0 + i] *= weight
                        write(scratch, series0, series, Y, t, 0, shift, count)
            for b in range(used * members):
                site, m = first + b // members * W, b % members
                count = W if site + W < sites else sites - site
                write(scratch, b * S * W, final, S, 0, m, site * itemsize, count)

    return forward


def backward_loop(shape: Shape, f: Functions) -> Callable[..., None]:
    """Loop of the adjoint: backwards in time, from stored states and steps run again between them."""
    S, F, P, Y, K = shape.states, shape.forcings, shape.parameters, shape.series, shape.kept
    W, R, moving, itemsize = shape.lanes, P + shape.constants, shape.moving, shape.itemsize
    number = np.float32 if itemsize == 4 else np.float64
    read, read_moving, write, write_moving, write_still, clear, prepare, step, pull = (
        *(f.read, f.read_moving, f.write, f.write_moving),
        *(f.write_still, f.clear, f.prepare, f.step, f.pull),
    )

    def backward(begin, end, sites, steps, members, rows, every, average, tables, checkpoints, scratch):  # type: ignore[no-untyped-def]
        forcings, parameters, d_series, d_final = tables[0], tables[1], tables[2], tables[3]
        d_start, d_parameters, d_forcings = tables[4], tables[5], tables[6]
        block = rows * members
        size = block * S * W
        kept0 = (every + 1) * size
        parameter0 = kept0 + every * block * K * W
        d_state0 = parameter0 + block * R * W
        d_parameter0 = d_state0 + size
        forcing0 = d_parameter0 + block * P * W
        d_forcing0 = forcing0 + F * W
        d_series0 = d_forcing0 + F * W
        segments = (steps + every - 1) // every
        weight = number(1.0) / number(members)
        for tile in range(begin, end):
            first = tile * rows * W
            left = (sites - first + W - 1) // W
            used = rows if rows < left else left
            clear(scratch, d_parameter0, block * P * W)
            for b in range(used * members):
                site, m = first + b // members * W, b % members
                count = W if site + W < sites else sites - site
                parameter = parameter0 + b * R * W
                read(scratch, d_state0 + b * S * W, d_final, S, 0, m, site * itemsize, count)
                read(scratch, parameter, parameters, P, 0, m, site * itemsize, count)
                prepare(scratch, (parameter,), (parameter + P * W,))
            for segment in range(segments - 1, -1, -1):
                begun = segment * every
                length = every if begun + every < steps else steps - begun
                place = (tile * segments + segment) * size
                for i in range(used * members * S * W):
                    scratch[i] = checkpoints[place + i]
                # Forwards again, keeping states and what is costly; then backwards through them.
                for move in range(2 * length):
                    again = move < length
                    j = move if again else 2 * length - 1 - move
                    t = begun + j
                    for r in range(used):
                        site = first + r * W
                        shift, count = site * itemsize, W if site + W < sites else sites - site
                        read(scratch, forcing0, forcings, F, t, 0, shift, count)
                        clear(scratch, d_forcing0, F * W)
                        for m in range(members):
                            b = r * members + m
                            state, parameter = j * size + b * S * W, parameter0 + b * R * W
                            constant, kept = parameter + P * W, kept0 + (j * block + b) * K * W
                            if moving:
                                read_moving(scratch, parameter, parameters, P, t, m, shift, count)
                            if again:
                                step(scratch, (state, forcing0, parameter, constant), (state + size, kept))
                                continue
                            if m == 0 or not average:
                                read(scratch, d_series0, d_series, Y, t, m, shift, count)
                                if average and members > 1:
                                    for i in range(Y * W):
                                        scratch[d_series0 + i] *= weight
                            d_state, d_parameter = d_state0 + b * S * W, d_parameter0 + b * P * W
                            read_from = (state, forcing0, parameter, d_state, d_series0, kept, constant)
                            pull(scratch, read_from, (d_state, d_parameter, d_forcing0))
                            if moving:
                                write_moving(scratch, d_parameter, d_parameters, P, t, m, shift, count)
                        if not again:
                            write(scratch, d_forcing0, d_forcings, F, t, 0, shift, count)
            for b in range(used * members):
                site, m = first + b // members * W, b % members
                count = W if site + W < sites else sites - site
                write(scratch, d_state0 + b * S * W, d_start, S, 0, m, site * itemsize, count)
                write_still(scratch, d_parameter0 + b * P * W, d_parameters, P, 0, m, site * itemsize, count)

    return backward
