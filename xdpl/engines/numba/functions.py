"""Elementary functions as inlined vector instructions.

Every function takes a `Vector` and values made by it. Largest relative errors, over all results that
are normal numbers: 2e-7 in float32 (pow 5e-7), 4e-16 in float64 (pow 5e-15). Smaller
results may be flushed to zero. Logarithms and powers count a subnormal argument as a number between
half the smallest normal one and that one.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from xdpl.engines.numba.coefficients import COEFFICIENTS, Coefficients
from xdpl.engines.numba.vector import Vector

__all__ = [
    "cos",
    "cosh",
    "exp",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "pow",
    "sin",
    "sinh",
    "tanh",
]

Value = Any

LN2 = math.log(2.0)
INFINITY = math.inf


def _coefficients(v: Vector) -> Coefficients:
    return COEFFICIENTS[v.dtype]


def _clamp(v: Vector, x: Value, low: float, high: float) -> Value:
    """Keep x within bounds; NaN stays NaN."""
    return v.maximum(v.minimum(x, v.constant(high)), v.constant(low))


def _polynomial_from(v: Vector, first: Value, coefficients: tuple[float, ...], x: Value) -> Value:
    """Evaluate first + x * polynomial(x)."""
    return v.mad(x, v.polynomial(coefficients, x), first)


# Exponentials. x is split into an integer n and a rest f; 2**n is built from bits, by a rounding
# trick: in the sum with 1.5 * 2**mantissa + bias the last bits are n + bias, and shifting them to
# the exponent's place gives 2**n, 0 for n = -bias and infinity for n = bias + 1. Multiplying by it
# (rather than adding to the exponent) gives overflow, underflow and NaN without further selects.


def _round_magic(v: Vector, bias: int) -> Value:
    return v.constant(1.5 * 2.0**v.mantissa + bias)


def _almost_half(v: Vector) -> float:
    """One half less one unit in the last place of the largest exponents.

    Rounding x - 1/2 makes n the floor of x, so that 2**n overflows exactly when the result does;
    the tie at the smallest normal result would go the wrong way with an exact half.
    """
    return 0.5 - 2.0 ** (v.bias.bit_length() - 1 - v.mantissa)


def _power_of_two(v: Vector, rounded: Value) -> Value:
    """2**n from the bits of n + magic."""
    return v.to_floats(v.builder.shl(v.to_integers(rounded), v.integer(v.mantissa)))


def _exp2(v: Vector, x: Value, correction: Value, corrected: Value) -> Value:
    """2**(x + correction) where x is within range and equal to `corrected`, else 2**x."""
    magic = _round_magic(v, v.bias)
    bounded = _clamp(v, x, 0.5 - v.bias, 1.5 + v.bias)
    rounded = v.plus(v.minus(bounded, v.constant(_almost_half(v))), magic)
    rest = v.minus(bounded, v.minus(rounded, magic))
    sound = v.compare("==", bounded, corrected)
    rest = v.select(sound, v.plus(rest, correction), rest)
    mantissa = _polynomial_from(v, v.constant(1.0), _coefficients(v).exp2, rest)
    return v.times(mantissa, _power_of_two(v, rounded))


def exp(v: Vector, x: Value) -> Value:
    """e**x."""
    return _exp(v, x, v.bias)


def _exp(v: Vector, x: Value, bias: int) -> Value:
    """e**x * 2**(bias - v.bias)."""
    magic = _round_magic(v, bias)
    bounded = _clamp(v, x, (0.25 - bias) * LN2, (2 * v.bias - bias + 1.25) * LN2)
    shifted = v.mad(bounded, v.constant(1 / LN2), v.constant(-_almost_half(v)))
    rounded = v.plus(shifted, magic)
    rest = _less_exponent(v, bounded, v.minus(rounded, magic))
    mantissa = _polynomial_from(v, v.constant(1.0), _coefficients(v).exp, rest)
    return v.times(mantissa, _power_of_two(v, rounded))


def _less_exponent(v: Vector, x: Value, n: Value) -> Value:
    """Subtract: x - n log(2), the logarithm in two parts, of which the first times n is exact."""
    high, low = _coefficients(v).ln2
    return v.mad(n, v.constant(-low), v.mad(n, v.constant(-high), x))


def _expm1_parts(v: Vector, x: Value, bias: int) -> tuple[Value, Value]:
    """Return r and s with e**x = (1 + r) s 2**(v.bias - bias); n is rounded to nearest, so 0 near x = 0."""
    magic = _round_magic(v, bias)
    rounded = v.mad(x, v.constant(1 / LN2), magic)
    rest = _less_exponent(v, x, v.minus(rounded, magic))
    curve = v.polynomial(_coefficients(v).expm1, rest)
    return v.mad(v.times(rest, rest), curve, rest), _power_of_two(v, rounded)


def _scaled_expm1(v: Vector, x: Value, halvings: int) -> Value:
    """(e**x - 1) / 2**halvings: scaled, because 2**n alone may overflow before the result does."""
    # Below -40 e**x is lost in both formats; at the upper bound 2**n is infinite and r positive.
    bounded = _clamp(v, x, -40.0, (v.bias + halvings + 1.1) * LN2)
    part, scale = _expm1_parts(v, bounded, v.bias - halvings)
    return v.mad(part, scale, v.minus(scale, v.constant(0.5**halvings)))


def expm1(v: Vector, x: Value) -> Value:
    """e**x - 1, accurate near 0."""
    half = _scaled_expm1(v, x, 1)
    return v.plus(half, half)


def tanh(v: Vector, x: Value) -> Value:
    """Hyperbolic tangent, accurate near 0."""
    bounded = _clamp(v, x, -20.0, 20.0)
    part, scale = _expm1_parts(v, v.plus(bounded, bounded), v.bias)
    grown = v.mad(part, scale, v.minus(scale, v.constant(1.0)))
    return v.div(grown, v.plus(grown, v.constant(2.0)))


def sinh(v: Vector, x: Value) -> Value:
    """Hyperbolic sine, accurate near 0."""
    quarter = _scaled_expm1(v, v.absolute(x), 2)
    half = v.plus(quarter, quarter)
    bounded = v.minimum(half, v.constant(1e30))  # infinity / infinity would be NaN
    ratio = v.div(bounded, v.plus(v.plus(bounded, bounded), v.constant(1.0)))
    return v.copysign(v.plus(half, ratio), x)


def cosh(v: Vector, x: Value) -> Value:
    """Hyperbolic cosine."""
    half = _exp(v, v.absolute(x), v.bias - 1)
    return v.plus(half, v.div(v.constant(0.25), half))


# Logarithms. x = 2**e m with m from sqrt(1/2) to sqrt(2), t = m - 1, s = t / (t + 2), and
# log(m) = log((1 + s) / (1 - s)) is an odd series in s. pow multiplies the logarithm by up to 128
# (1024), so it is carried as a sum of two numbers.


class LogParts(NamedTuple):
    """log2(|x|) as high + low; low has no meaning where high is infinite or NaN."""

    magnitude: Value
    high: Value
    low: Value


def _exponent_and_mantissa(v: Vector, x: Value) -> tuple[Value, Value]:
    """Return e and m of a positive normal x."""
    b = v.builder
    root = 0x3F3504F3 if v.dtype == "float32" else 0x3FE6A09E667F3BCD  # bits of sqrt(1/2)
    offset = (v.bias << v.mantissa) - root
    bits = v.to_integers(x)
    if v.dtype == "float32":
        moved = b.sub(bits, v.integer(root))
        exponent = b.sitofp(b.ashr(moved, v.integer(v.mantissa)), v.floats)
    else:  # AVX2 can neither shift 64-bit integers with their sign nor convert them
        moved = b.add(bits, v.integer(offset))
        magic = 2.0**v.mantissa
        biased = b.or_(b.lshr(moved, v.integer(v.mantissa)), v.to_integers(v.constant(magic)))
        exponent = v.minus(v.to_floats(biased), v.constant(magic + v.bias))
    fraction = b.and_(moved, v.integer((1 << v.mantissa) - 1))
    return exponent, v.to_floats(b.add(fraction, v.integer(root)))


def _ratio(v: Vector, m: Value) -> tuple[Value, Value]:
    """Return s = (m - 1) / (m + 1) and the error of its rounding."""
    one = v.constant(1.0)
    t = v.minus(m, one)
    inverse = v.div(one, v.plus(m, one))
    s = v.times(t, inverse)
    rest = v.mad(s, v.constant(-2.0), t)  # exact, as t is nearly 2 s
    if v.fused:
        rest = v.fma(v.neg(s), t, rest)
    else:
        product = v.times(s, t)
        rest = v.minus(v.minus(rest, product), v.product_error(s, t, product))
    return s, v.times(rest, inverse)


def _leading(v: Vector, exponent: Value, s: Value, factor: Value) -> tuple[Value, Value]:
    """Return exponent + s * factor as a sum of two numbers; the exponent is 0 or the larger one."""
    if v.fused:
        high = v.fma(s, factor, exponent)
        return high, v.fma(s, factor, v.minus(exponent, high))
    product = v.times(s, factor)
    high = v.plus(exponent, product)
    low = v.minus(product, v.minus(high, exponent))
    return high, v.plus(low, v.product_error(s, factor, product))


def _log2_parts(v: Vector, x: Value) -> LogParts:
    """log2(|x|) in two parts, computed once for each value."""
    key = ("log2", id(x))
    if key not in v.memo:
        v.memo[key] = (x, _new_log2_parts(v, x))
    parts: LogParts = v.memo[key][1]
    return parts


def _new_log2_parts(v: Vector, x: Value) -> LogParts:
    magnitude = v.absolute(x)
    exponent, mantissa = _exponent_and_mantissa(v, magnitude)
    s, s_error = _ratio(v, mantissa)
    first, first_error = (v.constant(c) for c in _coefficients(v).two_over_ln2)
    high, low = _leading(v, exponent, s, first)
    series = _polynomial_from(v, first_error, _coefficients(v).log2, v.times(s, s))
    low = v.mad(s, series, v.mad(s_error, first, low))
    total = v.plus(high, low)
    low = v.plus(v.minus(high, total), low)
    # infinity and NaN are their own logarithms
    special = v.select(v.compare("<", magnitude, v.constant(INFINITY)), total, magnitude)
    zero = v.compare("==", x, v.constant(0.0))
    return LogParts(magnitude, v.select(zero, v.constant(-INFINITY), special), low)


def _logarithm(v: Vector, x: Value, factor: float) -> Value:
    scaled = v.times(_log2_parts(v, x).high, v.constant(factor))
    return v.select(v.compare("<", x, v.constant(0.0)), v.constant(math.nan), scaled)


def log(v: Vector, x: Value) -> Value:
    """Natural logarithm."""
    return _logarithm(v, x, LN2)


def log2(v: Vector, x: Value) -> Value:
    """Logarithm to base 2."""
    return _logarithm(v, x, 1.0)


def log10(v: Vector, x: Value) -> Value:
    """Logarithm to base 10."""
    return _logarithm(v, x, math.log10(2.0))


def log1p(v: Vector, x: Value) -> Value:
    """log(1 + x), accurate near 0."""
    one = v.constant(1.0)
    total = v.plus(x, one)
    lost = v.minus(x, v.minus(total, one))
    exponent, mantissa = _exponent_and_mantissa(v, total)
    # What 1 + x lost in rounding, divided by 2**exponent, still belongs to t. Nothing is lost of a
    # large x, and the power of the largest exponent could not be built.
    small = v.minimum(exponent, v.constant(100.0))
    scale = _power_of_two(v, v.minus(_round_magic(v, v.bias), small))
    t = v.mad(lost, scale, v.minus(mantissa, one))
    s = v.div(t, v.plus(t, v.constant(2.0)))
    square = v.times(s, s)
    # s (2 + u P(u)) = t - s (t - u P(u)): the first term is exact
    curve = v.minus(t, v.times(square, v.polynomial(_coefficients(v).log1p, square)))
    result = v.mad(exponent, v.constant(LN2), v.minus(t, v.times(s, curve)))
    result = v.select(v.compare("<", x, v.constant(INFINITY)), result, x)
    edge = v.select(v.compare("==", total, v.constant(0.0)), v.constant(-INFINITY), v.constant(math.nan))
    return v.select(v.compare("<=", total, v.constant(0.0)), edge, result)


# Powers


def pow(v: Vector, x: Value, y: Value) -> Value:
    """x**y as in C, except that a zero base counts as positive.

    Constant integer exponents up to 8 become multiplications, 1/2 a square root (NaN for -inf).
    """
    exponent = v.number(y)
    if exponent is not None and abs(exponent) <= 8 and exponent == int(exponent):
        return _reciprocal_if(v, exponent < 0, _repeated(v, x, abs(int(exponent))))
    if exponent is not None and abs(exponent) == 0.5:
        return _reciprocal_if(v, exponent < 0, v.sqrt(x))
    return _general_pow(v, x, y)


def _reciprocal_if(v: Vector, negative: bool, x: Value) -> Value:
    return v.div(v.constant(1.0), x) if negative else x


def _repeated(v: Vector, x: Value, count: int) -> Value:
    """Multiply `count` times x."""
    if count < 2:
        return x if count else v.constant(1.0)
    root = _repeated(v, x, count // 2)
    square = v.mul(root, root)
    return v.mul(square, x) if count % 2 else square


def _general_pow(v: Vector, x: Value, y: Value) -> Value:
    parts = _log2_parts(v, x)
    # 1**y and x**0 are 1 even if the other is NaN or infinite, and so the product NaN
    scaling = v.compare("!=", parts.magnitude, v.constant(1.0))
    plain = v.logical_and(scaling, v.compare("!=", y, v.constant(0.0)))
    product = v.times(y, parts.high)
    correction = v.mad(y, parts.low, v.product_error(y, parts.high, product))
    effective = v.select(plain, product, v.constant(0.0))
    return _with_sign(v, x, y, _exp2(v, effective, correction, product))


def _with_sign(v: Vector, x: Value, y: Value, power: Value) -> Value:
    """|x|**y made x**y, in a branch of its own: negative bases are rare and the test is cheap."""
    negative = v.compare("<", x, v.constant(0.0))
    before = v.builder.block
    with v.builder.if_then(v.any(negative), likely=False):
        signed = v.select(negative, _negative_base(v, x, y, power), power)
        branch = v.builder.block
    result = v.builder.phi(v.floats)
    result.add_incoming(power, before)
    result.add_incoming(signed, branch)
    return result


def _negative_base(v: Vector, x: Value, y: Value, power: Value) -> Value:
    """x**y for x < 0, given |x|**y."""
    half = v.times(y, v.constant(0.5))
    whole = v.compare("==", v.round(y), y)
    odd = v.logical_and(whole, v.compare("!=", v.round(half), half))
    # (-inf)**y is infinite or 0 for any y
    real = v.logical_or(whole, v.compare("==", x, v.constant(-INFINITY)))
    return v.select(real, v.select(odd, v.neg(power), power), v.constant(math.nan))


# Trigonometric functions: the C library's, lane by lane


def sin(v: Vector, x: Value) -> Value:
    """Sine."""
    return v.call("sin", x)


def cos(v: Vector, x: Value) -> Value:
    """Cosine."""
    return v.call("cos", x)
