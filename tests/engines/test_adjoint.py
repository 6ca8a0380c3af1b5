"""Adjoints of steps: the gradients of eager PyTorch, also where functions have a kink."""

import array_api_compat.torch as xp
import numpy as np
import pytest
import torch
from model_cases import STEPS, random_inputs

from xdpl.engines.tracing.adjoint import adjoint
from xdpl.engines.tracing.graph import Builder
from xdpl.engines.tracing.replay import replay
from xdpl.engines.tracing.symbols import Namespace, Symbol
from xdpl.engines.tracing.trace import Step, trace

INPUTS = ("states.x", "states.y", "forcings.f", "parameters.p")


def step(*functions):
    """A step of functions (xp, x, y, f, p): two new states and, if given, series."""
    builder = Builder(INPUTS)
    namespace = Namespace(builder)
    values = [g(namespace, *(Symbol(builder, i) for i in range(4)))._operand for g in functions]
    names = ["next x", "next y", "out 1", "out 2"][: len(values)]
    graph = builder.build([*zip(names, values, strict=True)])
    return Step(graph, ("x", "y"), ("f",), ("p",), tuple(names[2:]))


def eager(step, values, cotangents, wanted):
    leaves = [torch.tensor(v, requires_grad=True) for v in values]
    results = replay(step.graph, xp)(*leaves)
    pairs = [(r, torch.tensor(c)) for r, c in zip(results, cotangents, strict=True) if r.requires_grad]
    found = torch.autograd.grad(
        [r for r, _ in pairs], leaves, [c for _, c in pairs], allow_unused=True, materialize_grads=True
    )
    return [found[i].numpy() for i in wanted]


def pulled(step, values, cotangents, forcings):
    graph = adjoint(step, forcings=forcings)
    names = step.graph.inputs
    assert graph.inputs == (*names, *(f"d {name}" for name, _ in step.graph.outputs))
    kinds = ("states.", "parameters.", "forcings.")[: 3 if forcings else 2]
    order = [n for kind in kinds for n in names if n.startswith(kind)]
    assert [name for name, _ in graph.outputs] == [f"d {n}" for n in order]
    # With the functions of torch, so that nothing but the formulas is compared.
    got = replay(graph, xp)(*map(torch.as_tensor, (*values, *cotangents)))
    return [g.numpy() for g in got], [names.index(n) for n in order]


def assert_adjoint(step, values, exact=False, forcings=True, seed=0):
    rng = np.random.default_rng(seed)
    values = [np.asarray(v, dtype=float) for v in values]
    cotangents = [rng.choice([1.0, -2.0, 0.5], values[0].shape) for _ in step.graph.outputs]
    got, wanted = pulled(step, values, cotangents, forcings)
    for i, g, w in zip(wanted, got, eager(step, values, cotangents, wanted), strict=True):
        name = step.graph.inputs[i]
        if exact:
            np.testing.assert_array_equal(g, w, err_msg=name)
        else:
            assert np.isfinite(w).all()
            np.testing.assert_allclose(g, w, rtol=1e-13, atol=1e-300, err_msg=name)


def random_points(low=0.1, high=2.0, count=200, seed=0):
    return np.random.default_rng(seed).uniform(low, high, (4, count))


def of(function):
    """A step whose states see a function, once with a number and once with another factor."""
    return step(function, lambda xp, x, y, f, p: f * function(xp, x, y, f, p))


ANYWHERE = ("abs", "ceil", "cos", "cosh", "exp", "expm1", "floor", "negative", "positive", "round", "sign")
ANYWHERE += ("sin", "sinh", "square", "tanh", "trunc", "zeros_like", "ones_like")
POSITIVE = ("log", "log10", "log1p", "log2", "sqrt")
BINARY = ("add", "divide", "maximum", "minimum", "multiply", "pow", "subtract")
OPERATORS = {
    "+": lambda xp, x, y, f, p: (x + y) + (x + 2) + (3.0 + y),
    "-": lambda xp, x, y, f, p: (x - y) * (x - 2) * (3.0 - y),
    "*": lambda xp, x, y, f, p: (x * y) + (2 * x) * (y * 3.0),
    "/": lambda xp, x, y, f, p: (x / y) + 2 / x + y / 3.0,
    "**": lambda xp, x, y, f, p: x**y + x**p + y**x,
    "-x": lambda xp, x, y, f, p: -x * abs(y - 1.0) + (+x),
    "where": lambda xp, x, y, f, p: xp.where(x > y, x * p, xp.exp(y)),
    "where of one": lambda xp, x, y, f, p: xp.where(x > y, x * p, 0.0) + xp.where(x < 1.0, 2.0, p),
    "where of numbers": lambda xp, x, y, f, p: xp.where(x > y, 0.25, 0.5) * p * x,
    "conditions": lambda xp, x, y, f, p: xp.where(((x > y) & ~(p < 1.0)) | ((x < 0.5) ^ (y >= p)), x, p * y),
    "logical": lambda xp, x, y, f, p: xp.where(
        xp.logical_or(xp.logical_not(x == y), xp.logical_xor(x != p, x <= p)), x * y, p
    ),
    "tests": lambda xp, x, y, f, p: xp.where(xp.isfinite(x) & ~xp.isnan(y) & ~xp.isinf(p), x * y, p),
    "clip to numbers": lambda xp, x, y, f, p: xp.clip(x, 0.5, 1.5) * xp.clip(y, min=1.0) * xp.clip(p, max=1),
    "clip to arrays": lambda xp, x, y, f, p: xp.clip(x, 0.5 * y, p + y),
    "clip below an array": lambda xp, x, y, f, p: xp.clip(x, max=y) + xp.clip(p, min=y),
    "clip mixed": lambda xp, x, y, f, p: xp.clip(x, 0.5, y + 0.5) + xp.clip(p, 0.5 * y, 3.0),
    "no input": lambda xp, x, y, f, p: xp.full_like(x, 3.0),
    "a process turned off": lambda xp, x, y, f, p: xp.where(xp.zeros_like(x) > 0.0, y, x * p),
}


@pytest.mark.parametrize("name", ANYWHERE)
def test_functions_of_one_anywhere(name):
    function = lambda xp, x, y, f, p: getattr(xp, name)(x) * p + getattr(xp, name)(y - 2.0 * x)  # noqa: E731
    assert_adjoint(of(function), random_points(-1.0, 1.0))


@pytest.mark.parametrize("name", POSITIVE)
def test_functions_of_one_above_zero(name):
    assert_adjoint(
        of(lambda xp, x, y, f, p: getattr(xp, name)(x) * p + getattr(xp, name)(x * y)), random_points()
    )


@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two(name):
    def function(xp, x, y, f, p):
        return getattr(xp, name)(x, y) * p + getattr(xp, name)(y, f + x)

    assert_adjoint(of(function), random_points())


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("forcings", [True, False])
def test_operators_and_choices(name, forcings):
    assert_adjoint(of(OPERATORS[name]), random_points(), forcings=forcings)


GRID = np.array([-1.0, -0.5, 0.0, 0.5, 1.0, 2.0, np.inf, np.nan])
TIES = [v.ravel() for v in np.meshgrid(GRID, GRID, [1.0, -2.0], [0.5, 1.0], indexing="ij")]
KINKS = {
    "minimum": lambda xp, x, y, f, p: xp.minimum(x, y),
    "maximum": lambda xp, x, y, f, p: xp.maximum(x, y),
    "minimum with a number": lambda xp, x, y, f, p: xp.minimum(x, 0.5) + xp.minimum(0.0, y),
    "maximum with a number": lambda xp, x, y, f, p: xp.maximum(x, 0.5) + xp.maximum(0.0, y),
    "minimum of itself": lambda xp, x, y, f, p: xp.minimum(x, x) + xp.maximum(y, y),
    "clip below": lambda xp, x, y, f, p: xp.clip(x, min=0.5),
    "clip above": lambda xp, x, y, f, p: xp.clip(x, max=0.5),
    "clip": lambda xp, x, y, f, p: xp.clip(x, -0.5, 1.0),
    "clip to one value": lambda xp, x, y, f, p: xp.clip(x, 0.5, 0.5),
    "clip the wrong way round": lambda xp, x, y, f, p: xp.clip(x, 1.0, -0.5),
    "clip to arrays": lambda xp, x, y, f, p: xp.clip(x, y, p),
    "clip to an array": lambda xp, x, y, f, p: xp.clip(x, min=y) + xp.clip(y, max=p),
    "abs": lambda xp, x, y, f, p: xp.abs(x) + abs(y - p),
    "sign": lambda xp, x, y, f, p: xp.sign(x) * y,
    "where": lambda xp, x, y, f, p: xp.where(x > y, x, y) + xp.where(x >= p, x, p) + xp.where(x == y, x, f),
    "where of equals": lambda xp, x, y, f, p: xp.where(x != y, x * y, x),
    "round": lambda xp, x, y, f, p: xp.round(x) * y + xp.floor(x) + xp.ceil(y) + xp.trunc(x),
    "square": lambda xp, x, y, f, p: xp.square(x) + y**2,
}


@pytest.mark.parametrize("name", KINKS)
def test_ties_are_those_of_eager_torch(name):
    assert_adjoint(of(KINKS[name]), TIES, exact=True)


def test_ties_are_shared():
    """What torch does at a tie is what is expected here."""
    graph = adjoint(step(KINKS["minimum"], KINKS["clip below"]), forcings=False)
    x = np.full(2, 0.5)
    d_x, d_y, d_p = replay(graph, np)(x, x, x, x, np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    np.testing.assert_array_equal(d_x, [0.5, 1.0])
    np.testing.assert_array_equal(d_y, [0.5, 0.0])
    np.testing.assert_array_equal(d_p, [0.0, 0.0])


EXPONENTS = [-2, -1.0, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3, 4.0]


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_powers_with_a_number(exponent):
    power = of(lambda xp, x, y, f, p: x**exponent * p)
    assert_adjoint(power, random_points())
    at_zero = random_points()
    at_zero[0] = 0.0
    # Where torch has an infinite slope, or none, so have kernels.
    assert_adjoint(power, at_zero[:, :5], exact=True)


@pytest.mark.parametrize("base", [0.5, 2, 10.0, 1.0])
def test_powers_of_a_number(base):
    assert_adjoint(of(lambda xp, x, y, f, p: base**x * p), random_points(-2.0, 2.0))


def test_powers_of_negative_numbers():
    power = step(lambda xp, x, y, f, p: x**3.0, lambda xp, x, y, f, p: x**-1.0 + x**4)
    assert_adjoint(power, -random_points())


@pytest.mark.parametrize("exponent", [3.0, 2.0, 1.5, 1.0, 0.5, 1e-3, 0.0, -0.5])
def test_powers_of_zero(exponent):
    """Both ways to x**(y - 1): directly, and shorter where x**y is known."""
    x = np.zeros(4)
    p = np.full(4, exponent)
    power = step(lambda xp, x, y, f, p: x**p, lambda xp, x, y, f, p: y)
    values = [x, np.ones(4), np.ones(4), p]
    cotangents = [np.array([1.0, -1.0, 0.5, 2.0]), np.zeros(4)]
    got, wanted = pulled(power, values, cotangents, False)
    want = eager(power, values, cotangents, wanted)
    np.testing.assert_array_equal(got[0], want[0])
    np.testing.assert_array_equal(got[2], want[2])


def pows(graph):
    return sum(n.op == "pow" for n in graph.nodes)


def test_a_power_is_taken_once():
    power = step(lambda xp, x, y, f, p: x**p, lambda xp, x, y, f, p: y)
    assert pows(adjoint(power, forcings=False)) == 1
    values = random_points(0.0, 3.0)
    values[0, :50] = 0.0
    values[3] += 1.0
    assert_adjoint(power, values)
    assert_adjoint(power, [[0.0, 0.0, 2.0, 1.0]] * 2 + [[1.0] * 4] + [[1.0, 2.0, 1.0, 0.0]], exact=True)


def test_an_exponent_less_a_state_is_not_less_one():
    """The second input has the number 1, which is not the constant 1."""
    power = step(lambda xp, x, y, f, p: x**p, lambda xp, x, y, f, p: x ** (p - y))
    assert_adjoint(power, random_points(0.5, 2.0))


def test_constants_that_look_like_values():
    """Every number here is also the index of some value of the graph."""

    def function(xp, x, y, f, p):
        chosen = xp.where(x > y, x, p)
        for n in range(1, 60):
            chosen = chosen + xp.where(f * n > p, float(n) * x, y) * float(60 - n)
        return chosen

    assert_adjoint(step(function, lambda xp, x, y, f, p: x - 3.0 * p), random_points())


def test_outputs_alone_and_inputs_that_do_not_matter():
    one = step(lambda xp, x, y, f, p: y, lambda xp, x, y, f, p: x, lambda xp, x, y, f, p: x * y)
    assert_adjoint(one, random_points())
    assert_adjoint(
        Step(one.graph.select(["next x", "next y"]), ("x", "y"), ("f",), ("p",), ()), random_points()
    )


@pytest.fixture(scope="module", params=STEPS)
def model(request):
    return STEPS[request.param]


@pytest.mark.parametrize("forcings", [True, False])
def test_models_at_random_points(model, forcings):
    made = trace(model)
    drivers, theta, start = random_inputs(model, 1, 400, seed=11)
    values = [start[s.name] for s in model.states]
    values += [drivers[f.name][0] for f in model.forcings]
    values += [theta[p.name] for p in model.parameters]
    rng = np.random.default_rng(5)
    cotangents = [rng.normal(size=400) for _ in made.graph.outputs]
    got, wanted = pulled(made, values, cotangents, forcings)
    for i, g, w in zip(wanted, got, eager(made, values, cotangents, wanted), strict=True):
        scale = np.abs(w).max()
        assert np.isfinite(w).all()
        np.testing.assert_allclose(g, w, rtol=1e-13, atol=1e-13 * scale, err_msg=made.graph.inputs[i])


def test_forcings_only_add_outputs(model):
    made = trace(model)
    without, with_them = adjoint(made, forcings=False), adjoint(made, forcings=True)
    names = [name for name, _ in without.outputs]
    assert with_them.select(names) == without
    added = [name for name, _ in with_them.outputs if name not in names]
    assert added == [f"d forcings.{f.name}" for f in model.forcings]


def test_an_unknown_operation_of_torch_says_its_name():
    from torch.fx.experimental.proxy_tensor import make_fx

    from xdpl.engines.tracing.aten import to_graph

    recorded = make_fx(lambda x: (torch.erf(x),))(torch.ones(2))
    with pytest.raises(NotImplementedError, match=r"PyTorch differentiates with aten\.erf"):
        to_graph(recorded, ["x"], ["y"])
