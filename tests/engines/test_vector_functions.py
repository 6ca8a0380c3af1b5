"""The inlined functions of the numba engine against wider arithmetic."""

from __future__ import annotations

import math
import re

import numba
import numpy as np
import pytest
from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic

from xdpl.engines.numba import functions as f
from xdpl.engines.numba.vector import Vector

# dtype, lanes, whether fused multiply-add is used
KINDS = [
    ("float32", 16, None),
    ("float32", 1, None),
    ("float32", 8, False),
    ("float64", 8, None),
    ("float64", 4, False),
]
NAN, INF = math.nan, math.inf
COUNT = 16 * 2048

# name -> (function of (v, x, y), the same in wide numpy)
FUNCTIONS = {
    "exp": (lambda v, x, y: f.exp(v, x), np.exp),
    "expm1": (lambda v, x, y: f.expm1(v, x), np.expm1),
    "log": (lambda v, x, y: f.log(v, x), np.log),
    "log2": (lambda v, x, y: f.log2(v, x), np.log2),
    "log10": (lambda v, x, y: f.log10(v, x), np.log10),
    "log1p": (lambda v, x, y: f.log1p(v, x), np.log1p),
    "pow": (f.pow, np.power),
    "tanh": (lambda v, x, y: f.tanh(v, x), np.tanh),
    "sin": (lambda v, x, y: f.sin(v, x), np.sin),
    "cos": (lambda v, x, y: f.cos(v, x), np.cos),
    "sinh": (lambda v, x, y: f.sinh(v, x), np.sinh),
    "cosh": (lambda v, x, y: f.cosh(v, x), np.cosh),
}
EXPONENTS = [-8, -3, -2, -1, 0, 1, 2, 3, 5, 7, 8, 0.5, -0.5]
POWERS = {c: lambda v, x, y, c=c: f.pow(v, x, v.constant(c)) for c in [*EXPONENTS, 9, -11, 1.7]}

OPERATIONS = {
    "minimum": lambda v, x, y: v.minimum(x, y),
    "maximum": lambda v, x, y: v.maximum(x, y),
    "minimum of constant": lambda v, x, y: v.minimum(x, v.constant(1.0)),
    "maximum of constant": lambda v, x, y: v.maximum(v.constant(1.0), y),
    "minimum of NaN": lambda v, x, y: v.minimum(x, v.constant(NAN)),
    "add": lambda v, x, y: v.add(x, y),
    "sub": lambda v, x, y: v.sub(x, y),
    "mul": lambda v, x, y: v.mul(x, y),
    "div": lambda v, x, y: v.div(x, y),
    "mad": lambda v, x, y: v.mad(x, y, v.constant(0.0)),
    "neg": lambda v, x, y: v.neg(x),
    "absolute": lambda v, x, y: v.absolute(x),
    "copysign": lambda v, x, y: v.copysign(x, y),
    "sqrt": lambda v, x, y: v.sqrt(x),
    "floor": lambda v, x, y: v.floor(x),
    "ceil": lambda v, x, y: v.ceil(x),
    "trunc": lambda v, x, y: v.trunc(x),
    "round": lambda v, x, y: v.round(x),
    "isnan": lambda v, x, y: v.to_float(v.isnan(x)),
    "==": lambda v, x, y: v.to_float(v.compare("==", x, y)),
    "!=": lambda v, x, y: v.to_float(v.compare("!=", x, y)),
    "<": lambda v, x, y: v.to_float(v.compare("<", x, y)),
    "<=": lambda v, x, y: v.to_float(v.compare("<=", x, y)),
    ">": lambda v, x, y: v.to_float(v.compare(">", x, y)),
    ">=": lambda v, x, y: v.to_float(v.compare(">=", x, y)),
    "and": lambda v, x, y: v.to_float(v.logical_and(*_signs(v, x, y))),
    "or": lambda v, x, y: v.to_float(v.logical_or(*_signs(v, x, y))),
    "xor": lambda v, x, y: v.to_float(v.logical_xor(*_signs(v, x, y))),
    "not": lambda v, x, y: v.to_float(v.logical_not(_signs(v, x, y)[0])),
}
WANTED = {
    "minimum": np.minimum,
    "maximum": np.maximum,
    "minimum of constant": lambda x, y: np.minimum(x, 1),
    "maximum of constant": lambda x, y: np.maximum(y, 1),
    "minimum of NaN": lambda x, y: x + NAN,
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "mad": lambda x, y: x * y + 0,
    "neg": lambda x, y: -x,
    "absolute": lambda x, y: np.abs(x),
    "copysign": np.copysign,
    "sqrt": lambda x, y: np.sqrt(x),
    "floor": lambda x, y: np.floor(x),
    "ceil": lambda x, y: np.ceil(x),
    "trunc": lambda x, y: np.trunc(x),
    "round": lambda x, y: np.round(x),
    "isnan": lambda x, y: np.isnan(x),
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "and": lambda x, y: (x < 0) & (y < 0),
    "or": lambda x, y: (x < 0) | (y < 0),
    "xor": lambda x, y: (x < 0) ^ (y < 0),
    "not": lambda x, y: ~(x < 0),
}


def _signs(v, x, y):
    zero = v.constant(0.0)
    return v.compare("<", x, zero), v.compare("<", y, zero)


def compile_all(makers, dtype, lanes, fused=None):
    """Compile a function (x, y, out): one row of `out` for each maker."""

    def codegen(context, builder, signature, arguments):
        *arrays, index = arguments
        pointers = [
            cgutils.create_struct_proxy(kind)(context, builder, value).data
            for kind, value in zip(signature.args, arrays, strict=False)
        ]
        length = context.make_array(signature.args[0])(context, builder, arrays[0]).nitems
        v = Vector(builder, dtype, lanes, fused)
        align = np.dtype(dtype).itemsize

        def place(pointer, row):
            offset = builder.add(builder.mul(length, ir.Constant(index.type, row)), index)
            return builder.bitcast(builder.gep(pointer, [offset]), v.floats.as_pointer())

        x, y = (builder.load(place(p, 0), align=align, typ=v.floats) for p in pointers[:2])
        for row, maker in enumerate(makers):
            builder.store(maker(v, x, y), place(pointers[2], row), align=align)
        return context.get_dummy_value()

    @intrinsic
    def step(typing, x, y, out, index):
        return numba.void(x, y, out, index), codegen

    array = numba.types.Array(numba.from_dtype(np.dtype(dtype)), 1, "C")

    @numba.njit(numba.void(array, array, array))
    def loop(x, y, out):
        for index in range(0, x.size, lanes):
            step(x, y, out, index)

    return loop


COMPILED = {}


def evaluate(group, kind, x, y=None):
    """Rows of results, by name, of every function in the group."""
    makers = {
        "functions": {k: g[0] for k, g in FUNCTIONS.items()},
        "powers": POWERS,
        "operations": OPERATIONS,
    }[group]
    if (group, kind) not in COMPILED:
        COMPILED[group, kind] = compile_all(list(makers.values()), *kind)
    dtype, lanes, _ = kind
    x = np.asarray(x, dtype)
    y = np.zeros_like(x) if y is None else np.asarray(y, dtype)
    padding = -x.size % lanes
    out = np.zeros((len(makers), x.size + padding), dtype)
    COMPILED[group, kind](np.pad(x, (0, padding)), np.pad(y, (0, padding)), out.reshape(-1))
    return dict(zip(makers, out[:, : x.size], strict=True))


def wide(dtype):
    return np.float64 if dtype == "float32" else np.longdouble


def error(dtype, got, true):
    """The largest relative error where the true result is a normal number."""
    limits = np.finfo(dtype)
    ordinary = (np.abs(true) >= limits.smallest_normal) & (np.abs(true) <= limits.max)
    assert ordinary.sum() > COUNT // 8
    return float(np.max(np.abs(got[ordinary] / true[ordinary] - 1)))


def random_inputs(dtype, name, rng):
    """Inputs over all results that are normal, and crowded where the function is delicate."""
    limits = np.finfo(dtype)
    top = math.log(limits.max)
    any_size = 2 ** rng.uniform(limits.minexp, limits.maxexp - 0.1, COUNT)
    small = rng.choice([-1, 1], COUNT) * 10 ** rng.uniform(-30, 0, COUNT)
    if name in {"exp", "expm1", "sinh", "cosh", "tanh"}:
        return np.concatenate([rng.uniform(-top - 1, top + 1, COUNT), rng.uniform(-2, 2, COUNT), small])
    if name in {"log", "log2", "log10"}:
        return np.concatenate([any_size, rng.uniform(0.5, 2, COUNT), 1 + small * 0.1])
    if name == "log1p":
        return np.concatenate([any_size, rng.uniform(-1, 2, COUNT), small * 0.99])
    return rng.uniform(-100, 100, COUNT)


LIMITS = {"float32": 2e-7, "float64": 4e-16}


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("name", [n for n in FUNCTIONS if n != "pow"])
def test_error_of_functions_of_one_argument(kind, name):
    dtype = kind[0]
    x = random_inputs(dtype, name, np.random.default_rng(1)).astype(dtype)
    with np.errstate(all="ignore"):
        true = FUNCTIONS[name][1](x.astype(wide(dtype)))
    got = evaluate("functions", kind, x)[name]
    measured = error(dtype, got, true)
    print(f"{kind} {name}: {measured:.2e}")
    assert measured < LIMITS[dtype]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_error_of_pow_over_all_results(kind):
    dtype = kind[0]
    rng = np.random.default_rng(2)
    edge = np.finfo(dtype).maxexp
    logs = np.concatenate(
        [rng.uniform(-edge + 2, edge, COUNT), rng.normal(0, 0.3, COUNT), rng.normal(0, 1e-4, COUNT)]
    )
    x = (2**logs).astype(dtype)
    with np.errstate(all="ignore"):
        y = (rng.uniform(-edge, edge, x.size) / np.log2(x.astype(float))).astype(dtype)
    y[::3] = rng.uniform(-5, 5, y[::3].size)
    with np.errstate(all="ignore"):
        true = x.astype(wide(dtype)) ** y.astype(wide(dtype))
    measured = error(dtype, evaluate("functions", kind, x, y)["pow"], true)
    print(f"{kind} pow: {measured:.2e}")
    assert measured < {"float32": 5e-7, "float64": 5e-15}[dtype]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_error_of_constant_powers(kind):
    dtype = kind[0]
    rng = np.random.default_rng(3)
    x = (2 ** rng.uniform(-14, 14, COUNT)).astype(dtype)
    got = evaluate("powers", kind, x)
    for c in POWERS:
        true = x.astype(wide(dtype)) ** wide(dtype)(np.dtype(dtype).type(c))
        assert error(dtype, got[c], true) < {"float32": 4e-7, "float64": 1e-15}[dtype], c


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_constant_integer_powers_of_negative_numbers(kind):
    x = -np.linspace(0.5, 2, 64)
    got = evaluate("powers", kind, x)
    for c in [*EXPONENTS[:-2], 9, -11]:
        np.testing.assert_allclose(got[c], x.astype(kind[0]) ** c, rtol=1e-6)
    assert np.isnan(got[1.7]).all()


SPECIAL = {
    "exp": {-INF: 0, INF: INF, NAN: NAN, 0: 1, -2e4: 0, 2e4: INF},
    "expm1": {-INF: -1, INF: INF, NAN: NAN, 0: 0, -1e3: -1, 2e4: INF},
    "log": {0: -INF, -1: NAN, -INF: NAN, INF: INF, NAN: NAN, 1: 0},
    "log2": {0: -INF, -1: NAN, -INF: NAN, INF: INF, NAN: NAN, 1: 0, 8: 3, 0.25: -2},
    "log10": {0: -INF, -1: NAN, -INF: NAN, INF: INF, NAN: NAN, 1: 0},
    "log1p": {-1: -INF, -2: NAN, -INF: NAN, INF: INF, NAN: NAN, 0: 0},
    "tanh": {-INF: -1, INF: 1, NAN: NAN, 0: 0, 1e3: 1, -1e3: -1},
    "sin": {INF: NAN, NAN: NAN, 0: 0},
    "cos": {INF: NAN, NAN: NAN, 0: 1},
    "sinh": {-INF: -INF, INF: INF, NAN: NAN, 0: 0, 2e4: INF, -2e4: -INF},
    "cosh": {-INF: INF, INF: INF, NAN: NAN, 0: 1, 2e4: INF, -2e4: INF},
}


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("name", SPECIAL)
def test_special_arguments(kind, name):
    cases = [*SPECIAL[name].items(), (-0.0, SPECIAL[name].get(0, NAN))]
    x, wanted = zip(*cases, strict=True)
    np.testing.assert_array_equal(evaluate("functions", kind, x)[name], np.array(wanted, kind[0]))


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_nan_with_a_payload_stays_nan(kind):
    """R marks missing values so; bits of the payload must not leak into an exponent."""
    dtype = np.dtype(kind[0])
    bits = {4: [0x7FC007A2, 0xFFFFFFFF - 0x100], 8: [0x7FF80000000007A2, 0x7FF8000000000FFF]}[dtype.itemsize]
    x = np.array(bits, f"u{dtype.itemsize}").view(dtype)
    for name, got in evaluate("functions", kind, x, np.full(2, 2.5)).items():
        assert np.isnan(got).all(), name


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_ends_of_the_range(kind):
    """No early overflow, and nothing lost down to the smallest normal number."""
    dtype = kind[0]
    limits = np.finfo(dtype)
    low, high = np.log(limits.smallest_normal), np.log(limits.max)
    for name, shift in {"exp": 0, "expm1": 0, "sinh": math.log(2), "cosh": math.log(2)}.items():
        edge = np.array(float(high) + shift, dtype)
        x = np.array([edge - 4 * np.spacing(edge), edge + 4 * np.spacing(edge)])
        got = evaluate("functions", kind, x)[name]
        assert np.isfinite(got[0]) and got[0] > 0.99 * limits.max, name
        assert np.isinf(got[1]), name
    bottom = evaluate("functions", kind, [low + 4 * np.spacing(np.abs(low))])["exp"]
    np.testing.assert_allclose(bottom, limits.smallest_normal, rtol=1e-3 if dtype == "float32" else 1e-11)
    powers = [limits.minexp, np.nextafter(np.array(limits.maxexp, dtype), 0), limits.maxexp]
    got = evaluate("functions", kind, [2.0, 2.0, 2.0], powers)["pow"]
    assert got[0] == limits.smallest_normal
    assert np.isfinite(got[1]) and np.isinf(got[2])


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_special_powers(kind):
    numbers = [0.0, 0.5, 1.0, 2.0, 3.0, 4.5, 1e6, 3e30, INF]
    numbers = np.array([*numbers, *[-n for n in numbers], NAN], kind[0])
    x, y = (g.ravel() for g in np.meshgrid(numbers, numbers))
    kept = ~((x == 0) & np.signbit(x))  # a zero base counts as positive
    x, y = x[kept], y[kept]
    got = evaluate("functions", kind, x, y)["pow"]
    with np.errstate(all="ignore"):
        true = x**y
    smallest = np.finfo(kind[0]).smallest_normal
    np.testing.assert_allclose(got, np.where(np.abs(true) < smallest, 0, true), rtol=1e-6, atol=smallest)
    assert (np.signbit(got) == np.signbit(true))[~np.isnan(true)].all()


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_subnormal_arguments_count_as_about_the_smallest_normal(kind):
    limits = np.finfo(kind[0])
    got = evaluate("functions", kind, [limits.smallest_subnormal, limits.smallest_normal * 0.7])["log2"]
    assert (limits.minexp - 1 <= got).all() and (got <= limits.minexp).all()


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("name", OPERATIONS)
def test_elementary_operations(kind, name):
    numbers = np.array([NAN, 0, 0.5, 1, 1.5, 2.5, 3.7, 1e10, INF], kind[0])
    x, y = (
        g.ravel()
        for g in np.meshgrid(np.concatenate([numbers, -numbers]), np.concatenate([-numbers, numbers]))
    )
    with np.errstate(all="ignore"):
        true = WANTED[name](x, y).astype(kind[0])
    np.testing.assert_array_equal(evaluate("operations", kind, x, y)[name], true)


def test_constants():
    v = Vector(ir.IRBuilder(), "float32", 4)
    assert v.number(v.constant(0.1)) == np.float32(0.1)
    assert v.number(v.constant(1e300)) == INF
    assert v.number(v.integer(3)) is None
    assert v.number(ir.Constant(v.floats, [1.0, 2.0, 1.0, 1.0])) is None
    assert v.number(ir.Constant(v.floats, ir.Undefined)) is None
    assert Vector(ir.IRBuilder(), "float64").number(ir.Constant(ir.DoubleType(), 0.1)) == 0.1


def emit(maker, dtype="float32", lanes=16):
    """The IR of a maker of (v, x, y)."""
    probe = Vector(ir.IRBuilder(), dtype, lanes)
    module = ir.Module()
    function = ir.Function(module, ir.FunctionType(probe.floats, [probe.floats] * 2), "f")
    builder = ir.IRBuilder(function.append_basic_block())
    builder.ret(maker(Vector(builder, dtype, lanes, fused=True), *function.args))
    return str(function)


def test_powers_and_logarithms_of_a_value_share_its_logarithm():
    def both(v, x, y):
        return v.add(v.add(f.pow(v, x, y), f.log(v, x)), f.pow(v, x, v.neg(y)))

    def separate(v, x, y):
        return v.add(f.pow(v, x, y), f.log(v, v.neg(x)))

    assert emit(both).count("fdiv") == emit(f.pow).count("fdiv") == 1
    assert emit(separate).count("fdiv") == 2


def test_flags_allow_fusing_only():
    flags, lines = set(), []
    for maker in [*(g[0] for g in FUNCTIONS.values()), *OPERATIONS.values(), *POWERS.values()]:
        lines += emit(maker).splitlines()
        for line in lines:
            flags |= set(re.findall(r"\b(fast|nnan|ninf|nsz|arcp|contract|afn|reassoc)\b", line))
    # nsz only at minima and maxima, whose zero may have either sign.
    assert flags == {"contract", "nsz"}
    assert all("nsz" not in line or "imum" in line for line in lines)


def test_extremes_with_a_constant_need_one_comparison():
    for maker in (OPERATIONS["minimum of constant"], OPERATIONS["maximum of constant"]):
        text = emit(maker)
        assert text.count("fcmp") == text.count("select") == 1
