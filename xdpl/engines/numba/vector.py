"""Typed vector operations on an llvmlite builder."""

from __future__ import annotations

import functools
import math
import platform
from typing import Any, Literal

import llvmlite.binding
import numpy as np
from llvmlite import ir

__all__ = ["Vector", "host_is_fused"]

Value = Any  # llvmlite has no types: an ir.Value
Comparison = Literal["==", "!=", "<", "<=", ">", ">="]

# Products and sums of the model itself may be fused. Nothing else: `reassoc` breaks the rounding
# tricks of the functions, `nnan` and `ninf` their special cases, `arcp` the division.
CONTRACT = ("contract",)


@functools.cache
def host_is_fused() -> bool:
    """Whether this machine's CPU has fused multiply-add.

    Returns
    -------
    bool
        False as well where it cannot be known; results are then as good, but slower.
    """
    if platform.machine().lower() in {"aarch64", "arm64"}:
        return True
    try:
        return bool(llvmlite.binding.get_host_cpu_features().get("fma", False))
    except RuntimeError:
        return False


class Vector:
    """Elementary operations on values of one dtype and number of lanes.

    Values are SSA values of type `floats`, `integers` or `masks`; every method appends to the
    builder's current block and returns a value. Results that functions share (see `memo`) are
    kept, so one object must serve one stretch of straight-line code only.

    Parameters
    ----------
    builder : llvmlite.ir.IRBuilder
    dtype : {"float32", "float64"}
    lanes : int
        Values side by side; 1 means plain scalars.
    fused : bool, optional
        Whether the CPU has fused multiply-add; by default what `host_is_fused` says.

    Attributes
    ----------
    floats, integers, masks : llvmlite.ir.Type
    mantissa, bias : int
        Stored bits of the mantissa, and offset of the exponent.
    memo : dict
        (operation, id of a value) -> (the value, kept alive; results of the operation).
    """

    def __init__(self, builder: Value, dtype: str, lanes: int = 1, fused: bool | None = None) -> None:
        self.builder = builder
        self.dtype = dtype
        self.lanes = lanes
        self.fused = host_is_fused() if fused is None else fused
        single = dtype == "float32"
        self.mantissa, self.bias = (23, 127) if single else (52, 1023)
        self.floats = self._wide(ir.FloatType() if single else ir.DoubleType())
        self.integers = self._wide(ir.IntType(32 if single else 64))
        self.masks = self._wide(ir.IntType(1))
        self._suffix = ("" if lanes == 1 else f"v{lanes}") + ("f32" if single else "f64")
        self.memo: dict[tuple[str, int], tuple[Value, Any]] = {}

    def _wide(self, scalar: Any) -> Any:
        return scalar if self.lanes == 1 else ir.VectorType(scalar, self.lanes)

    def _splat(self, kind: Any, number: float) -> Value:
        return ir.Constant(kind, number if self.lanes == 1 else [number] * self.lanes)

    # Constants

    def constant(self, number: float) -> Value:
        """The number, rounded to the dtype, in every lane."""
        with np.errstate(over="ignore"):
            return self._splat(self.floats, float(np.dtype(self.dtype).type(number)))

    def integer(self, number: int) -> Value:
        """The integer in every lane, as wide as the dtype."""
        return self._splat(self.integers, int(number))

    def number(self, value: Value) -> float | None:
        """The number that a constant holds in every lane, or None if there is no such number."""
        if not isinstance(value, ir.Constant) or value.type != self.floats:
            return None
        content = value.constant
        lanes = [c.constant for c in content] if isinstance(content, (list, tuple)) else [content]
        first = lanes[0]
        if not isinstance(first, (int, float)) or any(c != first for c in lanes if c is not first):
            return None
        return float(first)

    # Arithmetic of the model: may be fused

    def add(self, a: Value, b: Value) -> Value:
        """Sum a + b."""
        return self.builder.fadd(a, b, flags=CONTRACT)

    def sub(self, a: Value, b: Value) -> Value:
        """Difference a - b."""
        return self.builder.fsub(a, b, flags=CONTRACT)

    def mul(self, a: Value, b: Value) -> Value:
        """Product a * b."""
        return self.builder.fmul(a, b, flags=CONTRACT)

    def div(self, a: Value, b: Value) -> Value:
        """Quotient a / b, correctly rounded."""
        return self.builder.fdiv(a, b)

    # Arithmetic of the functions: each operation rounds once, as written

    def plus(self, a: Value, b: Value) -> Value:
        """Sum a + b, never fused with a product."""
        return self.builder.fadd(a, b)

    def minus(self, a: Value, b: Value) -> Value:
        """Difference a - b, never fused with a product."""
        return self.builder.fsub(a, b)

    def times(self, a: Value, b: Value) -> Value:
        """Product a * b, never fused with a sum."""
        return self.builder.fmul(a, b)

    def mad(self, a: Value, b: Value, c: Value) -> Value:
        """Product and sum a * b + c, fused where that is faster."""
        return self.call("fmuladd", a, b, c)

    def fma(self, a: Value, b: Value, c: Value) -> Value:
        """Product and sum a * b + c, rounded once; a library call where the CPU is not `fused`."""
        return self.call("fma", a, b, c)

    def product_error(self, a: Value, b: Value, product: Value) -> Value:
        """Error of the rounded product of a and b: a * b - product, exact but for under- and overflow."""
        if self.fused:
            return self.fma(a, b, self.neg(product))
        a_high, b_high = self._high_half(a), self._high_half(b)
        a_low, b_low = self.minus(a, a_high), self.minus(b, b_high)
        rest = self.minus(self.times(a_high, b_high), product)
        rest = self.plus(self.plus(rest, self.times(a_high, b_low)), self.times(a_low, b_high))
        return self.plus(rest, self.times(a_low, b_low))

    def _high_half(self, a: Value) -> Value:
        """The leading half of the mantissa: products of two such values are exact."""
        keep = -1 << (self.mantissa + 2) // 2
        return self.to_floats(self.builder.and_(self.to_integers(a), self.integer(keep)))

    def neg(self, a: Value) -> Value:
        """-a."""
        return self.builder.fneg(a)

    def polynomial(self, coefficients: tuple[float, ...], x: Value) -> Value:
        """Evaluate the polynomial with these coefficients, lowest power first.

        Horner's rule if short, else in pairs with x**2: half the latency for one more product.
        """
        terms = [self.constant(c) for c in coefficients]
        if len(terms) > 3:
            pairs = [self.mad(b, x, a) for a, b in zip(terms[::2], terms[1::2], strict=False)]
            terms = pairs + terms[len(terms) // 2 * 2 :]
            x = self.times(x, x)
        result = terms[-1]
        for term in terms[-2::-1]:
            result = self.mad(result, x, term)
        return result

    # Parts of a number

    def absolute(self, a: Value) -> Value:
        """|a|."""
        return self.call("fabs", a)

    def copysign(self, a: Value, sign: Value) -> Value:
        """|a| with the sign of `sign`."""
        return self.call("copysign", a, sign)

    def sqrt(self, a: Value) -> Value:
        """Square root, correctly rounded."""
        return self.call("sqrt", a)

    def floor(self, a: Value) -> Value:
        """Largest integer not above a."""
        return self.call("floor", a)

    def ceil(self, a: Value) -> Value:
        """Smallest integer not below a."""
        return self.call("ceil", a)

    def trunc(self, a: Value) -> Value:
        """Integer part."""
        return self.call("trunc", a)

    def round(self, a: Value) -> Value:
        """Nearest integer, halves to even."""
        return self.call("nearbyint", a)

    # Masks

    def compare(self, op: Comparison, a: Value, b: Value) -> Value:
        """Mask of a comparison; with NaN only `!=` holds."""
        compare = self.builder.fcmp_unordered if op == "!=" else self.builder.fcmp_ordered
        return compare(op, a, b)

    def isnan(self, a: Value) -> Value:
        """Mask of NaN."""
        return self.builder.fcmp_unordered("uno", a, a)

    def select(self, mask: Value, a: Value, b: Value) -> Value:
        """Choose a where the mask holds, else b."""
        return self.builder.select(mask, a, b)

    def logical_and(self, a: Value, b: Value) -> Value:
        """Both masks."""
        return self.builder.and_(a, b)

    def logical_or(self, a: Value, b: Value) -> Value:
        """Either mask."""
        return self.builder.or_(a, b)

    def logical_xor(self, a: Value, b: Value) -> Value:
        """One of the masks, not both."""
        return self.builder.xor(a, b)

    def logical_not(self, a: Value) -> Value:
        """Where the mask does not hold."""
        return self.builder.xor(a, self._splat(self.masks, 1))

    def to_float(self, mask: Value) -> Value:
        """1 where the mask holds, else 0."""
        return self.select(mask, self.constant(1.0), self.constant(0.0))

    def any(self, mask: Value) -> Value:
        """One bit: whether the mask holds in any lane."""
        if self.lanes == 1:
            return mask
        bits = self.builder.bitcast(mask, ir.IntType(self.lanes))
        return self.builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))

    # Extremes

    def minimum(self, a: Value, b: Value) -> Value:
        """The smaller of two, NaN if either is NaN."""
        return self._extreme("<", a, b)

    def maximum(self, a: Value, b: Value) -> Value:
        """The larger of two, NaN if either is NaN."""
        return self._extreme(">", a, b)

    def _extreme(self, op: Comparison, a: Value, b: Value) -> Value:
        if self.number(b) is not None:
            a, b = b, a
        # A select on an ordered comparison answers its last value if one is NaN: x86 has it as one
        # instruction. With b alone possibly NaN that is all; a constant is therefore put first.
        known = self.number(a)
        if known is not None:
            return a if math.isnan(known) else self.select(self.compare(op, a, b), a, b)
        # The sign of zero does not matter, and to mind it would double the instructions.
        return self.call("minimum" if op == "<" else "maximum", a, b, flags=("nsz",))

    # Bits and intrinsics

    def to_integers(self, a: Value) -> Value:
        """The bits of floats as integers."""
        return self.builder.bitcast(a, self.integers)

    def to_floats(self, a: Value) -> Value:
        """The bits of integers as floats."""
        return self.builder.bitcast(a, self.floats)

    def call(self, name: str, *arguments: Value, flags: tuple[str, ...] = ()) -> Value:
        """The LLVM intrinsic `llvm.<name>` from floats to floats."""
        module = self.builder.module
        full = f"llvm.{name}.{self._suffix}"
        function = module.globals.get(full)
        if function is None:
            kind = ir.FunctionType(self.floats, [self.floats] * len(arguments))
            function = ir.Function(module, kind, full)
        return self.builder.call(function, arguments, fastmath=flags)
