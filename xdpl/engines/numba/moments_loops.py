"""The loop of sums over time for a range of members and sites: a plain numba function."""

from __future__ import annotations

from numba import carray

__all__ = ["moments"]


def moments(begin, end, block, sites, steps, members, whole, series, observed, weight, centre, sums):  # type: ignore[no-untyped-def]
    """Add to sums (4, member, site): squared differences; values above the centre, squares, products."""
    s = carray(series, (steps, members, sites))
    o, w, c = carray(observed, (steps, sites)), carray(weight, (steps, sites)), carray(centre, (sites,))
    total = carray(sums, (4, members, sites))
    blocks = (sites + block - 1) // block
    for task in range(begin, end):
        m, first = task // blocks, (task % blocks) * block
        last = first + block
        if last > sites:
            last = sites
        squares, total_s = total[0, m, first:last], total[1, m, first:last]
        total_ss, total_so = total[2, m, first:last], total[3, m, first:last]
        middle = c[first:last]
        for t in range(steps):
            row, seen, known = s[t, m, first:last], o[t, first:last], w[t, first:last]
            if whole:
                for i in range(last - first):
                    above = (float(row[i]) - middle[i]) * known[i]
                    target = (seen[i] - middle[i]) * known[i]
                    squares[i] += (above - target) * (above - target)
                    total_s[i] += above
                    total_ss[i] += above * above
                    total_so[i] += above * target
            else:
                for i in range(last - first):
                    difference = (float(row[i]) - seen[i]) * known[i]
                    squares[i] += difference * difference
