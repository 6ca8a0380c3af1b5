"""Printed source run as plain Python, against the graph on arrays."""

import math

import numpy as np
import pytest
from cuda_everything import Everything
from model_cases import MODELS

from xdpl.engines.cuda.source import literal, print_graph
from xdpl.engines.cuda.words import plain
from xdpl.engines.tracing.adjoint import adjoint
from xdpl.engines.tracing.graph import Builder
from xdpl.engines.tracing.replay import replay
from xdpl.engines.tracing.trace import step_of

VALUES = [-np.inf, -2.5, -1.0, -0.0, 0.0, 0.3, 1.0, 1.5, 7.0, np.inf, np.nan]


def printed(graph, dtype="float64"):
    """The source of a graph as a function of scalars."""
    names = [f"x{i}" for i in range(len(graph.inputs))]
    lines, outputs = print_graph(graph, names, "v", dtype)
    body = [f"def f({', '.join(names)}):", *lines, f"return ({', '.join(outputs)},)"]
    words = plain()
    exec("\n    ".join(body), words)

    def function(*args):
        with np.errstate(all="ignore"):
            return words["f"](*args)

    return function


def same(graph, *columns, tolerance=0.0):
    """Compare over rows of inputs."""
    columns = [np.asarray(c, dtype=float) for c in columns]
    with np.errstate(all="ignore"):
        wanted = np.stack(replay(graph, np)(*columns))
    f = printed(graph)
    got = np.array([f(*row) for row in zip(*columns, strict=True)]).T
    np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance)


def graph_of(build, count=2):
    b = Builder([f"x{i}" for i in range(count)])
    return b.build([("y", build(b))])


@pytest.mark.parametrize(
    "op",
    [
        *("abs", "ceil", "cos", "cosh", "exp", "expm1", "floor", "log", "log10", "log1p", "log2"),
        *("negative", "round", "sin", "sinh", "sqrt", "tanh", "trunc"),
    ],
)
def test_functions(op):
    same(graph_of(lambda b: b.add(op, 0), 1), VALUES)


@pytest.mark.parametrize("op", ["add", "divide", "maximum", "minimum", "multiply", "pow", "subtract"])
def test_operations_of_two(op):
    x, y = (a.ravel() for a in np.meshgrid(VALUES, VALUES))
    same(graph_of(lambda b: b.add(op, 0, 1)), x, y)
    for constant in (-0.5, 0.0, 1.5):
        same(graph_of(lambda b, c=constant: b.add(op, 0, c), 1), VALUES)
        same(graph_of(lambda b, c=constant: b.add(op, c, 0), 1), VALUES)


@pytest.mark.parametrize(
    "op",
    ["equal", "greater", "greater_equal", "less", "less_equal", "not_equal", "isinf", "isnan", "isfinite"],
)
def test_conditions(op):
    x, y = (a.ravel() for a in np.meshgrid(VALUES, VALUES))
    operands = (0,) if op.startswith("is") else (0, 1)
    for other in ("logical_and", "logical_or", "logical_xor"):

        def build(b, other=other):
            mask = b.add(op, *operands)
            mixed = b.add(other, mask, b.add("logical_not", b.add("greater", 1, 0.5)))
            return b.add("where", mixed, 0, b.add("where", mask, 1, 3.0))

        same(graph_of(build), x, y)


@pytest.mark.parametrize("low", [-math.inf, -1.0, 1])
@pytest.mark.parametrize("high", [math.inf, 1.0, 2])
def test_clip(low, high):
    x, y, z = (a.ravel() for a in np.meshgrid(VALUES, VALUES, VALUES))
    same(graph_of(lambda b: b.add("clip", 0, low, high), 3), x, y, z)


@pytest.mark.parametrize("exponent", [-17.0, -16.0, -3.0, -1.0, 3.0, 4.0, 5.0, 7.0, 15.0, 16.0, 17.0, 0.0])
def test_powers(exponent):
    x = np.array([-3.0, -1.5, -0.2, 0.7, 1.1, 2.0, np.nan])
    graph = graph_of(lambda b: b.add("pow", 0, exponent), 1)
    same(graph, x, tolerance=1e-14)
    lines, _ = print_graph(graph, ["x"], "v", "float32")
    assert ("power(" in "".join(lines)) == (abs(exponent) > 16)


@pytest.mark.parametrize("name", MODELS)
def test_steps_and_adjoints_of_models(name):
    model = MODELS[name]
    step = step_of(model, model.outputs)
    rng = np.random.default_rng(0)
    for graph in (step.graph, adjoint(step, forcings=True)):
        same(graph, *rng.uniform(0.1, 0.9, (len(graph.inputs), 4)), tolerance=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_value_has_the_dtype(dtype):
    step = step_of(Everything(), Everything.outputs)
    for graph in (step.graph, adjoint(step, forcings=True)):
        values = np.full(len(graph.inputs), 0.5, dtype)
        assert {v.dtype.name for v in printed(graph, dtype)(*values)} == {dtype}


def test_literals_and_outputs_without_a_node():
    assert literal(0.1, "float32") == "float32(0.1)"
    assert eval(literal(-math.inf, "float64"), plain()) == -math.inf
    b = Builder(["x"])
    lines, outputs = print_graph(b.build([("same", 0), ("one", 1.0)]), ["q"], "v", "float32")
    assert (lines, outputs) == ([], ["q", "float32(1.0)"])


def test_source_of_a_kernel():
    from xdpl.engines.cuda.loops import kernel_source
    from xdpl.engines.tracing.order import Order, graphs

    order = Order(step_of(MODELS["hbv"], ("streamflow",)), "float32", frozenset({"beta"}))
    source, arguments = kernel_source(order, graphs(order))
    assert source.startswith(f"def kernel({', '.join(arguments.names)}):")
    compile(source, "<kernel>", "exec")
    assert "parameter0_time" in arguments.integers
    assert "parameter1_time" not in arguments.integers
