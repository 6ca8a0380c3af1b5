"""Graphs: built without repetition, shortened without a change of value, divided in two."""

import json
import math
import os
import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_cases import MODELS, random_inputs

from xdpl.engines.tracing.adjoint import adjoint
from xdpl.engines.tracing.graph import CONDITIONS, Builder, Graph, Node
from xdpl.engines.tracing.replay import replay
from xdpl.engines.tracing.split import split
from xdpl.engines.tracing.trace import step_of

INPUTS = ("a", "b", "c")
A, B, C = 0, 1, 2
SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, 2.0, -2.5, 3.0, 0.3, 1e300, -1e-300, np.inf, -np.inf, np.nan])


def points(count, seed=0, size=97):
    return np.random.default_rng(seed).choice(SPECIAL, (count, size))


def evaluate(graph, values):
    with np.errstate(all="ignore"):
        return replay(graph, np)(*values)


def assert_same_values(graph, other, seed=0):
    values = points(len(graph.inputs), seed)
    for got, want in zip(evaluate(graph, values), evaluate(other, values), strict=True):
        np.testing.assert_array_equal(got, want)


def test_the_same_operation_is_one_node():
    b = Builder(INPUTS)
    first = b.add("exp", b.add("add", A, B))
    assert b.add("exp", b.add("add", A, B)) == first
    assert str(b.build([("x", first), ("y", first)])) == (
        "inputs a, b, c\nv0 = add(a, b)\nv1 = exp(v0)\nx <- v1\ny <- v1"
    )


@pytest.mark.parametrize("op", ["add", "multiply", "minimum", "maximum", "equal", "not_equal"])
def test_order_does_not_count_where_it_does_not_matter(op):
    b = Builder(INPUTS)
    assert b.add(op, A, B) == b.add(op, B, A)
    assert b.add(op, A, 5.0) == b.add(op, 5.0, A)


@pytest.mark.parametrize("op", ["subtract", "divide", "pow", "less", "greater_equal"])
def test_order_counts_where_it_matters(op):
    b = Builder(INPUTS)
    assert b.add(op, A, B) != b.add(op, B, A)


@pytest.mark.parametrize(("op", "expected"), [("subtract", (-6.0, 3.0)), ("maximum", (11.0, 5.0))])
def test_a_constant_is_not_the_value_of_that_number(op, expected):
    b = Builder(INPUTS)
    graph = b.build([("value", b.add(op, A, C)), ("constant", b.add(op, A, 2.0))])
    assert evaluate(graph, [np.array([v]) for v in (5.0, 7.0, 11.0)]) == expected


def test_what_no_output_needs_is_left_out():
    b = Builder(INPUTS)
    kept = b.add("exp", A)
    b.add("log", kept)
    graph = b.build([("x", b.add("subtract", kept, C))])
    assert [n.op for n in graph.nodes] == ["exp", "subtract"]
    assert graph.inputs == INPUTS


def test_outputs_may_be_inputs_and_constants():
    graph = Builder(INPUTS).build([("x", B), ("y", 2.5)])
    got = evaluate(graph, points(3))
    np.testing.assert_array_equal(got[0], points(3)[1])
    np.testing.assert_array_equal(got[1], np.full(97, 2.5))


FOLDED = {
    **{"add": (0.1, 0.2), "subtract": (0.1, 0.3), "multiply": (0.1, 3.0), "divide": (1.0, 3.0)},
    **{"pow": (1.7, -2.5), "negative": (0.1,), "abs": (-0.1,), "exp": (0.7,), "expm1": (1e-9,)},
    **{"log": (0.7,), "log1p": (1e-9,), "sqrt": (0.3,), "minimum": (0.1, -2.0), "maximum": (0.1, -2.0)},
}


@pytest.mark.parametrize("op", FOLDED)
def test_operations_on_constants_are_done_at_once(op):
    got = Builder(INPUTS).add(op, *FOLDED[op])
    function = {"abs": np.abs, "pow": np.power}.get(op) or getattr(np, op)
    assert isinstance(got, float)
    assert got == pytest.approx(float(function(*FOLDED[op])), rel=4e-16, abs=0.0)


@pytest.mark.parametrize(
    ("op", "args"),
    [
        *(
            ("divide", (1.0, 0.0)),
            ("pow", (-1.0, 0.5)),
            ("pow", (0.0, -1.0)),
            ("exp", (1e4,)),
            ("log", (-1.0,)),
        ),
        *(("log", (0.0,)), ("sqrt", (-1.0,)), ("pow", (1e300, 2.5)), ("add", (math.inf, 1.0))),
        *(("minimum", (math.nan, 1.0)), ("multiply", (math.inf, 0.0))),
    ],
)
def test_what_has_no_finite_value_stays_an_operation(op, args):
    b = Builder(INPUTS)
    got = b.add(op, *args)
    assert isinstance(got, int)
    with np.errstate(all="ignore"):
        want = {"pow": np.power}.get(op, getattr(np, op, None))(*(np.float64(a) for a in args))
    graph = b.build([("x", got)])
    np.testing.assert_array_equal(evaluate(graph, [np.zeros(2)] * 3)[0], np.full(2, want))


def negative(b, x):
    return b.add("negative", x)


def nested(b, *args):
    return b.add("where", b.add("less", A, B), *args)


RULES = {
    "add zero": (lambda b: b.add("add", A, 0.0), "a"),
    "zero plus": (lambda b: b.add("add", 0.0, A), "a"),
    "add negative": (lambda b: b.add("add", A, negative(b, B)), "subtract(a, b)"),
    "negative plus": (lambda b: b.add("add", negative(b, A), B), "subtract(b, a)"),
    "subtract zero": (lambda b: b.add("subtract", A, 0.0), "a"),
    "zero minus": (lambda b: b.add("subtract", 0.0, A), "negative(a)"),
    "subtract negative": (lambda b: b.add("subtract", A, negative(b, B)), "add(a, b)"),
    "times one": (lambda b: b.add("multiply", A, 1.0), "a"),
    "one times": (lambda b: b.add("multiply", 1.0, A), "a"),
    "times minus one": (lambda b: b.add("multiply", -1.0, A), "negative(a)"),
    "over four": (lambda b: b.add("divide", A, 4.0), "multiply(a, 0.25)"),
    "over one": (lambda b: b.add("divide", A, 1.0), "a"),
    "over infinity": (lambda b: b.add("divide", A, math.inf), "multiply(a, 0.0)"),
    "negative twice": (lambda b: negative(b, negative(b, A)), "a"),
    "negative difference": (lambda b: negative(b, b.add("subtract", A, B)), "subtract(b, a)"),
    "power one": (lambda b: b.add("pow", A, 1.0), "a"),
    "square": (lambda b: b.add("pow", A, 2.0), "multiply(a, a)"),
    "choice of one": (lambda b: nested(b, C, C), "c"),
    "choice of one number": (lambda b: nested(b, 3.0, 3.0), "3.0"),
    "not": (
        lambda b: b.add("where", b.add("logical_not", b.add("less", A, B)), A, C),
        "where(less(a, b), c, a)",
    ),
    "choice within": (lambda b: nested(b, nested(b, A, B), C), "where(less(a, b), a, c)"),
    "choice without": (lambda b: nested(b, A, nested(b, B, C)), "where(less(a, b), a, c)"),
    "choice within one": (lambda b: nested(b, nested(b, A, B), A), "a"),
}


class Plain(Builder):
    """Every operation as it is asked for."""

    def add(self, op, *args):
        self._nodes.append(Node(op, args))
        return len(self.inputs) + len(self._nodes) - 1


def words(graph):
    def word(a):
        if isinstance(a, float):
            return repr(a)
        if a < len(graph.inputs):
            return graph.inputs[a]
        node = graph.nodes[a - len(graph.inputs)]
        return f"{node.op}({', '.join(map(word, node.args))})"

    return word(graph.outputs[0][1])


@pytest.mark.parametrize("name", RULES)
def test_each_rule(name):
    build, expected = RULES[name]
    simple, plain = Builder(INPUTS), Plain(INPUTS)
    graph, whole = (b.build([("x", build(b))]) for b in (simple, plain))
    assert words(graph) == expected != words(whole)
    assert_same_values(graph, whole)


@pytest.mark.parametrize(
    "build",
    [
        lambda b: b.add("multiply", A, 0.0),
        lambda b: b.add("subtract", A, A),
        lambda b: b.add("divide", A, A),
        lambda b: b.add("divide", 0.0, A),
        lambda b: b.add("pow", A, 0.0),
        lambda b: b.add("divide", A, 0.0),
        lambda b: b.add("divide", A, math.nan),
        lambda b: b.add("divide", A, 5e-324),
        lambda b: b.add("equal", A, A),
        lambda b: b.add("minimum", A, math.inf),
        lambda b: nested(b, math.nan, math.nan),
        lambda b: nested(b, b.add("where", b.add("less", B, A), A, B), C),
    ],
)
def test_what_nan_or_infinity_would_change_stays(build):
    simple, plain = Builder(INPUTS), Plain(INPUTS)
    graph, whole = (b.build([("x", build(b))]) for b in (simple, plain))
    assert len(graph.nodes) == len(whole.nodes)
    assert_same_values(graph, whole)


def test_a_division_by_a_constant_is_off_by_a_bit_at_most():
    b = Builder(INPUTS)
    graph = b.build([("x", b.add("divide", A, 3.0))])
    values = np.random.default_rng(0).normal(0.0, 1e3, (3, 1000))
    np.testing.assert_array_max_ulp(evaluate(graph, values)[0], values[0] / 3.0, maxulp=1)


# Zeros may change their sign, and folded functions their last bit: with these it does not show.
UNARY = ("negative", "abs", "sqrt", "negative")
BINARY = ("add", "subtract", "multiply", "minimum", "maximum")
COMPARE = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")
NUMBERS = (0.0, 1.0, -1.0, 2.0, 3.0, 4.0, 5.0, 0.5, -8.0, math.inf, -math.inf, math.nan)


def program(builder, seed, length=30):
    """Random operations, the same for every builder; two outputs."""
    rng = random.Random(seed)
    reals, masks = list(range(len(builder.inputs))), []

    def real():
        return reals[rng.randrange(len(reals))]

    def number():
        return rng.choice(NUMBERS) if rng.random() < 0.4 else real()

    def compared():
        return builder.add(rng.choice(COMPARE), real(), number())

    for _ in range(length):
        kind = rng.choice(("unary", "binary", "binary", "power", "over", "mask", "where", "where", "clip"))
        if kind == "unary":
            reals.append(builder.add(rng.choice(UNARY), real()))
        elif kind == "binary":
            args = [real(), number()]
            rng.shuffle(args)
            reals.append(builder.add(rng.choice(BINARY), *args))
        elif kind == "power":
            reals.append(builder.add("pow", builder.add("abs", real()), rng.choice((0.0, 1.0, 2.0))))
        elif kind == "over":
            divisor = builder.add("add", builder.add("abs", real()), 0.5)
            reals.append(builder.add("divide", number(), rng.choice((divisor, 4.0, -0.5, 1.0, math.inf))))
        elif kind == "mask" or not masks:
            masks.append(compared())
            if rng.random() < 0.5:
                masks.append(builder.add("logical_not", rng.choice(masks)))
            if rng.random() < 0.5:
                op = rng.choice(("logical_and", "logical_or", "logical_xor"))
                masks.append(builder.add(op, rng.choice(masks), rng.choice(masks)))
        elif kind == "where":
            reals.append(builder.add("where", rng.choice(masks), number(), number()))
        else:
            reals.append(builder.add("clip", real(), -2.0, 3.0))
    return builder.build(
        [("x", reals[-1]), ("y", reals[-2]), ("m", builder.add("where", compared(), 1.0, 0.0))]
    )


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=300)
def test_simplified_graphs_compute_the_same(seed):
    graph, whole = program(Builder(INPUTS), seed), program(Plain(INPUTS), seed)
    assert len(graph.nodes) <= len(whole.nodes)
    assert_same_values(graph, whole, seed)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=50)
def test_simplifying_again_changes_nothing(seed):
    graph = program(Builder(INPUTS), seed)
    again = Builder(INPUTS)
    places = list(range(3))
    for node in graph.nodes:
        places.append(again.add(node.op, *(places[a] if isinstance(a, int) else a for a in node.args)))
    outputs = [(name, places[a] if isinstance(a, int) else a) for name, a in graph.outputs]
    assert len(again.build(outputs).nodes) <= len(graph.nodes)
    assert_same_values(again.build(outputs), graph, seed)


def test_select_takes_outputs_in_the_order_asked_for():
    graph = program(Builder(INPUTS), 3)
    part = graph.select(["m", "x"])
    assert [name for name, _ in part.outputs] == ["m", "x"] and part.inputs == graph.inputs
    values = points(3)
    x, _, m = evaluate(graph, values)
    for got, want in zip(evaluate(part, values), (m, x), strict=True):
        np.testing.assert_array_equal(got, want)
    assert graph.select([]).nodes == ()
    with pytest.raises(KeyError):
        graph.select(["z"])


def test_over_takes_more_inputs_in_any_order():
    graph = program(Builder(INPUTS), 4)
    wide = graph.over(["z", "c", "a", "y", "b"])
    values = points(3)
    a, b, c = values
    nothing = np.full(97, np.nan)
    got = evaluate(wide, [nothing, c, a, nothing, b])
    for g, w in zip(got, evaluate(graph, values), strict=True):
        np.testing.assert_array_equal(g, w)
    assert wide.over(wide.inputs) == wide != graph


def test_equal_graphs_are_those_that_say_the_same():
    def graph(op="subtract", args=(A, 2.0), name="x", inputs=INPUTS):
        return Graph(inputs, (Node(op, args),), ((name, 3),))

    same = graph()
    assert same == graph() and hash(same) == hash(graph()) and same.digest == graph().digest
    others = [
        *(graph("add"), graph(args=(A, C)), graph(args=(2.0, A)), graph(args=(A, 2.0000000000000004))),
        *(graph(name="y"), graph(inputs=("a", "b", "d")), graph(args=(A, -2.0))),
        Graph(INPUTS, same.nodes, (("x", A),)),
        Graph(INPUTS, same.nodes, (("x", 3.0),)),
    ]
    assert len({g.digest for g in [same, *others]}) == 1 + len(others)
    assert all(same != g for g in others)
    assert graph(args=(A, 0.0)) != graph(args=(A, -0.0))
    assert same != str(same)


def test_digests_are_those_of_another_process():
    code = (
        "import json, model_cases\n"
        "from xdpl.engines.tracing.trace import trace\n"
        "print(json.dumps({k: trace(m).graph.digest for k, m in model_cases.MODELS.items()}))"
    )
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True, timeout=60
    )
    here = {k: step_of(m, tuple(m.all_outputs())).graph.digest for k, m in MODELS.items()}
    assert json.loads(done.stdout) == here and len(set(here.values())) == len(here)


@pytest.fixture(scope="module", params=MODELS)
def both(request):
    """Step and adjoint of a model, and numbers for all their inputs."""
    model = MODELS[request.param]
    step = step_of(model, tuple(model.all_outputs()))
    pull = adjoint(step, forcings=True)
    forcings, theta, start = random_inputs(model, 1, 50)
    values = {f"forcings.{k}": v[0] for k, v in forcings.items()}
    values |= {f"parameters.{k}": v for k, v in theta.items()} | {f"states.{k}": v for k, v in start.items()}
    rng = np.random.default_rng(1)
    values |= {name: rng.normal(size=50) for name in pull.inputs if name not in values}
    return model, [step.graph, pull], values


@pytest.mark.parametrize(("share", "seed"), [(0.0, 0), (1.0, 0), (0.6, 1), (0.6, 2), (0.3, 3)])
def test_before_and_during_are_the_whole(both, share, seed):
    model, graphs, values = both
    declared = [f"parameters.{p.name}" for p in model.parameters]
    rng = np.random.default_rng(seed)
    constant = [name for name in declared if rng.random() < share]
    before, during = split(graphs, constant)
    assert before.inputs == tuple(constant)
    kept = evaluate(before, [values[n] for n in constant]) if constant else ()
    for graph, rest in zip(graphs, during, strict=True):
        assert rest.inputs == (*graph.inputs, *(name for name, _ in before.outputs))
        numbers = [values[n] for n in graph.inputs]
        got = evaluate(rest, [*numbers, *kept])
        for (name, _), g, w in zip(graph.outputs, got, evaluate(graph, numbers), strict=True):
            # Divisions by constants are off by a bit, which some gradients enlarge.
            np.testing.assert_allclose(g, w, rtol=1e-9, atol=1e-10 * np.abs(w).max(), err_msg=name)
        # Nothing that could have been computed before is left.
        still = {i for i, n in enumerate(rest.inputs) if n in constant or n not in graph.inputs}
        for node in rest.nodes:
            assert node.op in CONDITIONS or any(isinstance(a, int) and a not in still for a in node.args)


def test_constants_are_stored_once_and_never_conditions(both):
    model, graphs, _ = both
    before, _ = split(graphs, [f"parameters.{p.name}" for p in model.parameters])
    stored = [value for _, value in before.outputs]
    first = len(before.inputs)
    assert stored and len(set(stored)) == len(stored)
    assert all(isinstance(a, int) and a >= first for a in stored)
    assert not any(before.nodes[a - first].op in CONDITIONS for a in stored)


def test_values_that_two_graphs_share_are_stored_once():
    def graph(inputs, op):
        b = Builder(inputs)
        p = inputs.index("p")
        still = b.add("exp", b.add("multiply", p, 3.0))
        return b.build([("out", b.add(op, inputs.index("x"), still)), ("same", still), ("p", p)])

    before, during = split([graph(("x", "p"), "add"), graph(("p", "y", "x"), "multiply")], ["p"])
    assert [n.op for n in before.nodes] == ["multiply", "exp"]
    assert before.outputs == (("constant 0", 2),)
    assert [[n.op for n in g.nodes] for g in during] == [["add"], ["multiply"]]
    assert [dict(g.outputs)["same"] for g in during] == [2, 3]
    assert [dict(g.outputs)["p"] for g in during] == [1, 0]


def test_a_division_by_a_constant_is_a_multiplication_by_its_reciprocal():
    b = Builder(("x", "p", "q"))
    root = b.add("sqrt", 1)
    outputs = [b.add("divide", 0, root), b.add("divide", 2.0, root), b.add("divide", 1, root)]
    outputs += [b.add("divide", root, 0), b.add("divide", b.add("exp", 0), root), b.add("divide", 2, 1)]
    graph = b.build([(f"out {i}", a) for i, a in enumerate(outputs)])
    before, (during,) = split([graph], ["p", "q"])
    # Where both are constant the division is done before, as it is written; by 1/p it is done once.
    assert sorted(n.op for n in before.nodes) == [*["divide"] * 4, "sqrt"]
    assert sorted(n.op for n in during.nodes) == ["divide", "exp", "multiply", "multiply"]
    values = points(3)
    want = evaluate(graph, values)
    got = evaluate(during, [*values, *evaluate(before, values[1:])])
    for i, (g, w) in enumerate(zip(got, want, strict=True)):
        np.testing.assert_allclose(g, w, rtol=4e-16, err_msg=str(i))


def test_a_condition_on_constants_is_decided_in_each_step():
    b = Builder(("x", "p"))
    big = b.add("greater", b.add("exp", 1), 2.0)
    graph = b.build([("out", b.add("where", big, b.add("sqrt", 1), 0))])
    before, (during,) = split([graph], ["p"])
    assert sorted(before.nodes[a - 1].op for _, a in before.outputs) == ["exp", "sqrt"]
    assert [n.op for n in during.nodes] == ["greater", "where"]
