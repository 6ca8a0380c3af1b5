"""The polynomials of the numba engine, made again; run as a script, this file prints them."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from xdpl.engines.numba import coefficients

DIGITS = 50
with mp.workdps(DIGITS):
    LN2 = mp.log(2)
    # (m - 1) / (m + 1) at m = sqrt(2), the far end of the reduced mantissas
    RATIO = (mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)

# Number of coefficients fitted, and the relative error promised for the polynomial with its
# coefficients rounded to the format; rounding in the evaluation comes on top.
SHAPES = {
    "float32": {
        "exp2": (5, 1.1e-7),
        "exp": (5, 1.1e-7),
        "expm1": (5, 2e-8),
        "log2": (3, 1.2e-9),
        "log1p": (3, 3e-8),
    },
    "float64": {
        "exp2": (11, 5e-17),
        "exp": (11, 5e-17),
        "expm1": (10, 5e-17),
        "log2": (7, 1e-17),
        "log1p": (7, 5e-17),
    },
}
NAMES = sorted(SHAPES["float32"])
DTYPES = sorted(SHAPES)
CASES = [(dtype, name) for dtype in DTYPES for name in NAMES]


def exact(dtype, value):
    """The number nearest to `value` in the format."""
    return float(np.float32(float(value))) if dtype == "float32" else float(value)


def split(dtype, value):
    """`value` as the sum of two numbers of the format."""
    high = exact(dtype, value)
    return high, exact(dtype, value - mp.mpf(high))


def split_short(dtype, value):
    """Like `split`, the first part short enough that an exponent times it is exact."""
    bits = 15 if dtype == "float32" else 42
    high = mp.nint(value * 2**bits) / mp.mpf(2) ** bits
    return float(high), exact(dtype, value - high)


def log_ratio(u):
    """log((1 + s) / (1 - s)) / s for s = sqrt(u), at least 2."""
    s = mp.sqrt(u)
    return mp.log((1 + s) / (1 - s)) / s


# name -> (low, high, function approximated, how its polynomial P is used, the part P stands for,
# and the size of P's share in the function)
PROBLEMS = {
    "exp2": (
        0,
        1,
        lambda f: mp.mpf(2) ** f,
        lambda f, p: 1 + f * p,
        lambda f: (mp.mpf(2) ** f - 1) / f,
        lambda f: f / mp.mpf(2) ** f,
    ),
    "exp": (
        0,
        LN2,
        mp.exp,
        lambda f, p: 1 + f * p,
        lambda f: mp.expm1(f) / f,
        lambda f: f / mp.exp(f),
    ),
    "expm1": (
        -LN2 / 2,
        LN2 / 2,
        mp.expm1,
        lambda f, p: f + f * f * p,
        lambda f: (mp.expm1(f) - f) / f**2,
        lambda f: abs(f**2 / mp.expm1(f)),
    ),
    "log2": (
        0,
        RATIO**2,
        lambda u: log_ratio(u) / LN2,
        lambda u, p: 2 / LN2 + u * p,
        lambda u: (log_ratio(u) - 2) / LN2 / u,
        lambda u: u * LN2 / log_ratio(u),
    ),
    "log1p": (
        0,
        RATIO**2,
        log_ratio,
        lambda u, p: 2 + u * p,
        lambda u: (log_ratio(u) - 2) / u,
        lambda u: u / log_ratio(u),
    ),
}


def nodes(low, high, count):
    """Points crowded towards both ends, without 0, where the quotients are undefined."""
    middle, half = (mp.mpf(high) + low) / 2, (mp.mpf(high) - low) / 2
    points = [middle - half * mp.cos(mp.pi * i / (count - 1)) for i in range(count)]
    return [p for p in points if abs(p) > half / 10**8]


def remez(target, weight, points, count, rounds=20):
    """The `count` coefficients that minimise max |weight (target - polynomial)| over `points`."""
    wanted, weights = [target(p) for p in points], [weight(p) for p in points]
    size = count + 1
    reference = [round((len(points) - 1) * (1 - mp.cos(mp.pi * (i + 0.5) / size)) / 2) for i in range(size)]
    for _ in range(rounds):
        matrix, right = mp.matrix(size, size), mp.matrix(size, 1)
        for row, at in enumerate(reference):
            for k in range(count):
                matrix[row, k] = points[at] ** k
            matrix[row, count] = (-1) ** row / weights[at]
            right[row] = wanted[at]
        solution = list(mp.lu_solve(matrix, right))[:count]
        errors = [
            w * (g - mp.polyval(solution[::-1], p)) for p, g, w in zip(points, wanted, weights, strict=True)
        ]
        extremes = alternating(errors, size)
        if extremes == reference:
            break
        reference = extremes
    return solution


def alternating(errors, size):
    """Where the error is largest within each run of one sign; the `size` runs that matter."""
    runs = []
    for i, error in enumerate(errors):
        if not runs or (errors[runs[-1]] > 0) != (error > 0):
            runs.append(i)
        elif abs(error) > abs(errors[runs[-1]]):
            runs[-1] = i
    while len(runs) > size:
        runs.pop(0 if abs(errors[runs[0]]) < abs(errors[runs[-1]]) else -1)
    return runs


def generate(dtype, name):
    """The coefficients, lowest power first, rounded to the format."""
    low, high, _, _, target, weight = PROBLEMS[name]
    with mp.workdps(DIGITS):
        count = SHAPES[dtype][name][0]
        return tuple(exact(dtype, c) for c in remez(target, weight, nodes(low, high, 401), count))


def generate_constants(dtype):
    with mp.workdps(DIGITS):
        return {"two_over_ln2": split(dtype, 2 / LN2), "ln2": split_short(dtype, LN2)}


def relative_error(dtype, name):
    """The largest relative error of the shipped polynomial, evaluated exactly."""
    low, high, function, use, _, _ = PROBLEMS[name]
    shipped = getattr(coefficients.COEFFICIENTS[dtype], name)
    with mp.workdps(DIGITS):
        pairs = [(function(p), use(p, mp.polyval(shipped[::-1], p))) for p in nodes(low, high, 998)]
        return max(abs(approximate / true - 1) for true, approximate in pairs)


@pytest.mark.parametrize(("dtype", "name"), CASES)
def test_the_shipped_coefficients_are_the_generated_ones(dtype, name):
    shipped = getattr(coefficients.COEFFICIENTS[dtype], name)
    rounding = {"float32": 2.0**-24, "float64": 2.0**-53}[dtype]
    np.testing.assert_allclose(shipped, generate(dtype, name), rtol=2 * rounding, atol=0)


@pytest.mark.parametrize(("dtype", "name"), CASES)
def test_the_polynomials_keep_the_promised_error(dtype, name):
    assert relative_error(dtype, name) < SHAPES[dtype][name][1]


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_number_belongs_to_the_format(dtype):
    for numbers in coefficients.COEFFICIENTS[dtype]:
        assert all(exact(dtype, c) == c for c in numbers)


@pytest.mark.parametrize("dtype", DTYPES)
def test_constants_in_two_parts(dtype):
    for name, parts in generate_constants(dtype).items():
        assert getattr(coefficients.COEFFICIENTS[dtype], name) == parts


if __name__ == "__main__":
    for dtype in DTYPES:
        print(dtype)
        made = {name: generate(dtype, name) for name in NAMES} | generate_constants(dtype)
        for name, numbers in made.items():
            print(f"    {name}=(")
            for c in numbers:
                print(f"        {c!r},")
            print("    ),")
