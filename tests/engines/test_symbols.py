"""Steps traced to graphs: the numbers of a direct call, or an error that names the line."""

import linecache
import math
import operator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
import xarray as xr
from helpers_learn import Bucket, quick, world

from xdpl.engines import fused
from xdpl.engines.tracing.graph import Builder
from xdpl.engines.tracing.replay import replay
from xdpl.engines.tracing.symbols import Namespace, Symbol, UnsupportedOperation
from xdpl.engines.tracing.trace import trace

NUMBERS = np.array([-2.5, -1.5, -1.0, -0.3, 0.0, 0.4, 0.5, 1.0, 1.5, 2.5, 30.0, np.inf, -np.inf, np.nan])
X, Y = (np.ravel(v) for v in np.meshgrid(NUMBERS, NUMBERS))


def traced(function, count=2):
    """The graph of function(xp, x, y)."""
    builder = Builder(("x", "y")[:count])
    result = function(Namespace(builder), *(Symbol(builder, i) for i in range(count)))
    return builder.build([("out", result._operand)])


def assert_same_numbers(function, backend, x=X, y=Y):
    arrays = [backend.array(v) for v in (x, y)]
    with np.errstate(all="ignore"):
        (got,) = replay(traced(function), backend.xp)(*arrays)
        want = function(backend.xp, *arrays)
    assert type(got) is type(want) and got.dtype == want.dtype
    np.testing.assert_allclose(backend.numpy(got), backend.numpy(want), rtol=4e-16, atol=0.0)


UNARY = (
    *("abs", "ceil", "cos", "cosh", "exp", "expm1", "floor", "log", "log10", "log1p", "log2", "negative"),
    *("positive", "round", "sign", "sin", "sinh", "sqrt", "square", "tanh", "trunc", "zeros_like"),
    *("ones_like", "isfinite", "isinf", "isnan"),
)
BINARY = (
    *("add", "divide", "maximum", "minimum", "multiply", "pow", "subtract"),
    *("equal", "greater", "greater_equal", "less", "less_equal", "not_equal"),
)
OPERATORS = ("add", "sub", "mul", "truediv", "pow", "eq", "ne", "lt", "le", "gt", "ge")


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one(name, backend):
    assert_same_numbers(lambda xp, x, y: getattr(xp, name)(x), backend)


@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two(name, backend):
    assert_same_numbers(lambda xp, x, y: getattr(xp, name)(x, y), backend)


@pytest.mark.parametrize("name", ["logical_and", "logical_or", "logical_xor", "logical_not"])
def test_functions_of_conditions(name, backend):
    count = 1 if name == "logical_not" else 2
    assert_same_numbers(lambda xp, x, y: getattr(xp, name)(*(x > 0.2, y <= 0.4)[:count]), backend)


@pytest.mark.parametrize("name", OPERATORS)
def test_operators(name, backend):
    function = getattr(operator, name)
    assert_same_numbers(lambda xp, x, y: function(x, y), backend)
    for number in (2, 0.5, -1, 3.0):
        assert_same_numbers(lambda xp, x, y, n=number: function(x, n), backend)
        assert_same_numbers(lambda xp, x, y, n=number: function(n, x), backend)


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("kind", [np.float64, np.int64, np.float32])
def test_numbers_of_numpy_on_either_side(name, kind):
    function, x = getattr(operator, name), NUMBERS
    for swapped in (False, True):

        def call(xp, x, swapped=swapped):
            return function(kind(3), x) if swapped else function(x, kind(3))

        with np.errstate(all="ignore"):
            (got,) = replay(traced(call, 1), np)(x)
            want = call(np, x)
        np.testing.assert_allclose(got, want, rtol=4e-16)


def test_signs_and_operators_on_conditions(backend):
    assert_same_numbers(lambda xp, x, y: -x + abs(y) - (+x), backend)
    assert_same_numbers(lambda xp, x, y: ~(x > y) & (x < 1.0) | (x == 0.0) ^ (y != y), backend)


@pytest.mark.parametrize(
    "bounds",
    [
        *({"min": 0.0}, {"max": 1.0}, {"min": -1, "max": 1.5}, {}, {"min": -math.inf, "max": 0.5}),
        {"min": -1.0, "max": None},
    ],
)
def test_clip_between_numbers(bounds, backend):
    got = replay(traced(lambda xp, x, y: xp.clip(x, **bounds)), backend.xp)(*map(backend.array, (X, Y)))
    low, high = (bounds.get(k) for k in ("min", "max"))
    want = np.minimum(np.maximum(X, -np.inf if low is None else low), np.inf if high is None else high)
    np.testing.assert_array_equal(backend.numpy(got[0]), want)


def test_clip_between_arrays():
    assert_equal = np.testing.assert_array_equal
    ends = traced(lambda xp, x, y: xp.clip(0.5 * x, x, y))
    assert_equal(replay(ends, np)(X, Y)[0], np.clip(0.5 * X, X, Y))
    lower = traced(lambda xp, x, y: xp.clip(x, min=y))
    assert_equal(replay(lower, np)(X, Y)[0], np.maximum(X, Y))
    upper = traced(lambda xp, x, y: xp.clip(x, -1.0, y))
    assert_equal(replay(upper, np)(X, Y)[0], np.clip(X, -1.0, Y))


def test_where(backend):
    assert_same_numbers(lambda xp, x, y: xp.where(x > y, x, y), backend)
    assert_same_numbers(lambda xp, x, y: xp.where(x > y, x, -1.0), backend)
    assert_same_numbers(lambda xp, x, y: xp.where(x > y, 0.5, y), backend)
    assert_same_numbers(lambda xp, x, y: xp.where(~(x > y), xp.nan, xp.where(y < 0.4, x, xp.inf)), backend)


def test_constants_of_the_namespace(backend):
    assert_same_numbers(lambda xp, x, y: x * xp.pi + xp.e, backend)
    assert_same_numbers(lambda xp, x, y: xp.minimum(x, xp.full_like(x, 0.7)), backend)


@pytest.mark.parametrize(
    "function",
    [
        lambda xp, x, y: xp.where(xp.zeros_like(x) > 0.0, x, y),
        lambda xp, x, y: xp.floor(xp.full_like(x, 2.5)) + x,
        lambda xp, x, y: xp.clip(xp.zeros_like(x) - 0.5, min=0.0) + x,
        lambda xp, x, y: xp.where(x > y, xp.ones_like(x) / xp.zeros_like(x), x),
        lambda xp, x, y: xp.log(xp.zeros_like(x)) * y,
        lambda xp, x, y: xp.cos(xp.ones_like(x)) * y,
        lambda xp, x, y: xp.maximum(xp.full_like(x, xp.inf), xp.ones_like(x)) - y,
        lambda xp, x, y: xp.where(xp.isnan(xp.zeros_like(x)), x, y),
        lambda xp, x, y: (0.0 * xp.zeros_like(x) - 1.0) ** 0.5 + y,
    ],
)
def test_operations_on_constants_alone(function, backend):
    """A process that a variant turns off leaves zeros behind."""
    assert_same_numbers(function, backend)


def at_line(raised, function, what):
    """Whether an error names the operation, the line of a function and what to do."""
    path, line = function.__code__.co_filename, function.__code__.co_firstlineno
    source = linecache.getline(path, line).strip()
    assert str(raised.value) == (
        f'{path}:{line}: {what}, which fused engines do not have: `{source}`; engine="array" runs it'
    )


DECISION = "a decision on the value of an array (if, and, or, not, while)"
REFUSED = [
    ("xp.sort", lambda xp, x: xp.sort(x)),
    ("xp.sum", lambda xp, x: xp.sum(x, axis=0)),
    ("xp.asarray", lambda xp, x: x + xp.asarray(1.0)),
    ("xp.float64", lambda xp, x: xp.zeros_like(x, dtype=xp.float64)),
    ("xp.linalg", lambda xp, x: xp.linalg.vector_norm(x)),
    ("indexing", lambda xp, x: x[0]),
    ("indexing", lambda xp, x: [v for v in x]),
    (DECISION, lambda xp, x: x if x > 0.0 else -x),
    (DECISION, lambda xp, x: max(x, 0.0)),
    (DECISION, lambda xp, x: 0.0 < x < 1.0),
    (DECISION, lambda xp, x: not x),
    (DECISION, lambda xp, x: x in (1.0, 2.0)),
    ("a conversion to a number", lambda xp, x: float(x)),
    ("a conversion to a number", lambda xp, x: int(x)),
    ("a conversion to a number", lambda xp, x: math.exp(x)),
    ("a conversion to numpy", lambda xp, x: np.where(x > 0.0, 1.0, 0.0)),
    ("a conversion to numpy", lambda xp, x: np.asarray(x)),
    ("the operator //", lambda xp, x: x // 2.0),
    ("the operator %", lambda xp, x: x % 2.0),
    ("the operator %", lambda xp, x: 2.0 % x),
    ("the operator @", lambda xp, x: x @ x),
    ("the attribute .shape of an array", lambda xp, x: x.shape),
    ("the attribute .dtype of an array", lambda xp, x: xp.full_like(x, 1.0) * x.dtype.itemsize),
    ("the attribute .sum of an array", lambda xp, x: x.sum()),
    ("xp.where between two conditions", lambda xp, x: xp.where(x > 0.0, x > 1.0, x > 2.0)),
    ("xp.where without an elementwise condition", lambda xp, x: xp.where(True, x, 0.0)),
    ("xp.where without an elementwise condition", lambda xp, x: xp.where(x, x, 0.0)),
    ("True or False as a number", lambda xp, x: x * True),
    ("True or False as a number", lambda xp, x: True & (x > 0.0)),
    ("True or False as a number", lambda xp, x: xp.where(x > 0.0, False, x)),
    ("an operand of type bool", lambda xp, x: np.True_ + x),
    ("an operand of type ndarray", lambda xp, x: np.array([1.0, 2.0]) * x),
    ("an operand of type list", lambda xp, x: [1.0] * x),
    ("an operand of type NoneType", lambda xp, x: x == None),  # noqa: E711
    ("an operand of type complex", lambda xp, x: x * 1j),
    ("a condition where a number is needed", lambda xp, x: (x > 0.0) * x),
    ("a condition where a number is needed", lambda xp, x: xp.exp(x > 0.0)),
    ("a number where a condition is needed", lambda xp, x: x & (x > 0.0)),
    ("a number where a condition is needed", lambda xp, x: ~x),
]


@pytest.mark.parametrize(("what", "function"), REFUSED)
def test_what_kernels_cannot_is_refused_with_its_line(what, function):
    with pytest.raises(UnsupportedOperation) as raised:
        traced(function, 1)
    at_line(raised, function, what)


@pytest.mark.parametrize(
    "function",
    [
        lambda xp, x: np.sin(x),
        lambda xp, x: np.maximum(x, 0.0),
        lambda xp, x: np.add.reduce(x),
    ],
)
def test_functions_of_numpy_are_refused_with_their_line(function):
    with pytest.raises(UnsupportedOperation) as raised:
        traced(function, 1)
    path, line = function.__code__.co_filename, function.__code__.co_firstlineno
    assert str(raised.value).startswith(f"{path}:{line}: ")
    assert 'engine="array"' in str(raised.value)


def test_a_line_of_a_helper_is_that_of_the_helper():
    def helper(x):
        return x.real

    with pytest.raises(UnsupportedOperation, match=r"test_symbols\.py:\d+: .*`return x\.real`"):
        traced(lambda xp, x: 1.0 + helper(x), 1)


def test_symbols_know_their_namespace_and_no_other_protocol():
    import array_api_compat

    builder = Builder(("x",))
    x = Symbol(builder, 0)
    assert isinstance(array_api_compat.array_namespace(x, x + 1.0), Namespace)
    assert {x: 1}[x] == 1
    for name in ("__array_interface__", "__dlpack__", "__no_such__"):
        with pytest.raises(AttributeError):
            getattr(x, name)
    with pytest.raises(AttributeError):
        _ = Namespace(builder).__no_such__


KINDS: list[str] = []


@dataclass(frozen=True)
class Rounding(Bucket):
    """A step with a line that kernels cannot run, whole numbers of storage."""

    name: ClassVar[str] = "rounding"

    def step(self, xp, s, f, p):
        KINDS.append(type(s.storage).__name__)
        states, fluxes = super().step(xp, s, f, p)
        whole = states["storage"] // 1.0
        return states, fluxes | {"wetness": whole}


MESSAGE = (
    r'test_symbols\.py:\d+: the operator //, .*`whole = states\["storage"\] // 1\.0`; engine="array" runs it'
)


@pytest.fixture
def seen():
    KINDS.clear()
    return KINDS


@pytest.mark.parametrize("engine", [None, "numba"])
def test_simulate_with_a_model_kernels_cannot_run(seen, engine):
    with pytest.raises(UnsupportedOperation, match=MESSAGE):
        world().dpl.simulate(Rounding(), engine=engine)
    assert seen == ["Symbol"]


@pytest.mark.parametrize("engine", [None, "numba"])
def test_learn_with_a_model_kernels_cannot_run(seen, engine, tmp_path, capsys):
    with pytest.raises(UnsupportedOperation, match=MESSAGE):
        quick(model=Rounding(), engine=engine, checkpoint=tmp_path / "fit", progress=True)
    assert seen == ["Symbol"]
    assert list(tmp_path.iterdir()) == [] and capsys.readouterr().err == ""


def test_the_engine_array_runs_it(seen):
    ds = world()
    got = ds.dpl.simulate(Rounding(), engine="array", outputs=["runoff", "wetness"])
    want = ds.dpl.simulate(Bucket(), outputs=["runoff", "storage"])
    xr.testing.assert_allclose(got["runoff"], want["runoff"])
    np.testing.assert_array_equal(got["wetness"], np.floor(got["wetness"]))
    fit = quick(model=Rounding(), engine="array")
    assert np.isfinite(fit.history["loss"]).all()
    assert set(seen) == {"ndarray", "Tensor"}


@dataclass(frozen=True)
class Odd(Bucket):
    """Outputs that are constants and inputs."""

    name: ClassVar[str] = "odd"

    def step(self, xp, s, f, p):
        off = xp.zeros_like(s.storage)
        leaking = xp.where(off > 0.0, p.leak, 0.5 * p.leak)
        return {"storage": f.precipitation}, {"runoff": leaking * s.storage, "wetness": off + 0.25}


def test_outputs_that_are_constants_and_inputs():
    rng = np.random.default_rng(0)
    rain, leak, start = rng.random((4, 9)), rng.random(9), rng.random(9)
    arrays = {"precipitation": rain}, {"leak": leak, "split": leak}
    outputs = ("runoff", "wetness", "storage")
    series, final = fused.run(Odd(), *arrays, initial={"storage": start}, outputs=outputs)
    np.testing.assert_array_equal(series["wetness"], np.full((4, 9), 0.25))
    np.testing.assert_array_equal(series["storage"], rain)
    np.testing.assert_array_equal(final["storage"], rain[-1])
    np.testing.assert_allclose(series["runoff"], 0.5 * leak * np.stack([start, *rain[:-1]]), rtol=1e-15)

    groups = [{k: torch.tensor(v, requires_grad=True) for k, v in group.items()} for group in arrays]
    series, _ = fused.run(Odd(), *groups, initial={"storage": torch.tensor(start)}, outputs=outputs)
    series["runoff"].sum().backward()
    want = 0.5 * np.stack([start, *rain[:-1]]).sum(axis=0)
    np.testing.assert_allclose(groups[1]["leak"].grad, want, rtol=1e-14)


def test_a_flux_that_is_a_condition_is_refused():
    @dataclass(frozen=True)
    class Wet(Bucket):
        def step(self, xp, s, f, p):
            states, fluxes = super().step(xp, s, f, p)
            return states, fluxes | {"wetness": s.storage > 1.0}

    with pytest.raises(UnsupportedOperation, match="a condition where a number is needed"):
        trace(Wet())
