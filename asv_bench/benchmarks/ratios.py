"""Time two ways of doing the same in one run, and compare."""

import time


def seconds(function, repeat=3):
    """Best of a few runs, after one to warm up."""
    function()
    best = float("inf")
    for _ in range(repeat):
        started = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - started)
    return best


def ratio(ours, other):
    """Time of `other` over time of `ours`: above one means ours is faster."""
    return seconds(other) / seconds(ours)
