"""The loops of a convolution over a range of sites: plain numba functions.

Arrays are sliced and loops begin at zero: an index that might be negative keeps the compiler from using
vectors.
"""

from __future__ import annotations

from numba import carray

__all__ = ["backward", "forward"]


def forward(begin, end, sites, steps, length, series, weights, before, routed, _0, _1, _2):  # type: ignore[no-untyped-def]
    """Sum over delays, in the order of `xdpl.routing.convolve`."""
    x, y = carray(series, (steps, sites))[:, begin:end], carray(routed, (steps, sites))[:, begin:end]
    w, b = carray(weights, (length, sites))[:, begin:end], carray(before, (length - 1, sites))[:, begin:end]
    for t in range(steps):
        out = y[t]
        share, row = w[0], x[t]
        for i in range(end - begin):
            out[i] = share[i] * row[i]
        for k in range(1, length):
            share, row = w[k], x[t - k] if t >= k else b[length - 1 + t - k]
            for i in range(end - begin):
                out[i] += share[i] * row[i]


def backward(begin, end, sites, steps, length, series, weights, before, d_routed, d_x, d_w, d_b):  # type: ignore[no-untyped-def]
    """Add to the gradients of the series, the weights and the steps before."""
    x, d_series = carray(series, (steps, sites))[:, begin:end], carray(d_x, (steps, sites))[:, begin:end]
    w, d_weights = carray(weights, (length, sites))[:, begin:end], carray(d_w, (length, sites))[:, begin:end]
    b, d_before = (
        carray(before, (length - 1, sites))[:, begin:end],
        carray(d_b, (length - 1, sites))[:, begin:end],
    )
    g = carray(d_routed, (steps, sites))[:, begin:end]
    for t in range(steps):
        given = g[t]
        for k in range(length):
            early = t < k
            at = length - 1 + t - k if early else t - k
            row, d_row = (b[at], d_before[at]) if early else (x[at], d_series[at])
            share, d_share = w[k], d_weights[k]
            for i in range(end - begin):
                d_row[i] += share[i] * given[i]
            for i in range(end - begin):
                d_share[i] += row[i] * given[i]
