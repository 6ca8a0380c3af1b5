"""Costly values move from the adjoint to the step, and nothing else changes."""

import numpy as np
import pytest
import torch
from model_cases import STEPS, random_inputs

import xdpl.engines.tracing.order as order_module
from xdpl.engines import fused
from xdpl.engines.tracing.adjoint import adjoint
from xdpl.engines.tracing.keep import keep
from xdpl.engines.tracing.order import Order, graphs
from xdpl.engines.tracing.replay import replay
from xdpl.engines.tracing.trace import step_of

COSTLY = {"pow", "log", "log1p", "exp", "expm1", "divide", "tanh"}


@pytest.fixture(params=STEPS, scope="module")
def parts(request):
    model = STEPS[request.param]
    step = step_of(model, model.outputs[:1])
    return model, step, adjoint(step, forcings=True)


def test_both_parts_together_are_the_adjoint(parts):
    import array_api_compat.torch as xp

    model, step, pull = parts
    plain = step.storing(()).graph
    giving, taking = keep(plain, pull, set())
    forcings, theta, start = random_inputs(model, 1, 50)
    forcings["precipitation"] += 0.1
    groups = [start.values(), [v[0] for v in forcings.values()], theta.values()]
    values = [torch.from_numpy(np.asarray(v)) for g in groups for v in g]
    rng = np.random.default_rng(0)
    cotangents = [torch.from_numpy(rng.normal(size=50)) for _ in range(len(pull.inputs) - len(values))]

    results = replay(giving, xp)(*values)
    states, kept = results[: len(model.states)], results[len(model.states) :]
    assert 0 < len(kept) == len(taking.inputs) - len(pull.inputs)
    for got, want in zip(states, replay(plain, xp)(*values), strict=True):
        assert torch.equal(got, want)
    whole = replay(pull, xp)(*values, *cotangents)
    for got, want in zip(replay(taking, xp)(*values, *cotangents, *kept), whole, strict=True):
        assert torch.equal(got, want)


def test_what_needs_no_cotangent_is_not_computed_twice(parts):
    model, _, pull = parts
    _, taking = keep(step_of(model, ()).graph, pull, set())
    ahead = set(range(len(step_of(model, ()).graph.inputs)))
    for i, node in enumerate(taking.nodes, start=len(taking.inputs)):
        if all(isinstance(a, float) or a in ahead for a in node.args):
            ahead.add(i)
            assert node.op not in COSTLY


def test_constants_are_left_to_be_taken_out(parts):
    _, step, _ = parts
    made = graphs(Order(step, "float64", backward=True), keeping=True)
    still = {i for i, n in enumerate(made.step.inputs) if n.startswith(("parameters.", "constant "))}
    count = len(made.step.inputs)
    assert not any(
        isinstance(value, int) and value < count and value in still
        for name, value in made.step.outputs
        if name.startswith("kept")
    )


def test_gradients_do_not_depend_on_it(monkeypatch, tmp_path):
    model = STEPS["hbv-capillary"]
    forcings, theta, _ = random_inputs(model, 40, 9)

    def gradients(folder):
        monkeypatch.setenv("XDPL_CACHE_DIR", str(tmp_path / folder))
        monkeypatch.setattr("xdpl.engines.numba.kernels._kernels", {})
        leaves = {k: torch.tensor(v, requires_grad=True) for k, v in theta.items()}
        f = {k: torch.tensor(v) for k, v in forcings.items()}
        series, _ = fused.run(model, f, leaves, outputs=("streamflow",))
        return torch.autograd.grad(series["streamflow"].sum(), list(leaves.values()))

    with_it = gradients("with")
    monkeypatch.setattr(order_module, "keep", lambda step, pull, constant: (step, pull))
    for got, want in zip(gradients("without"), with_it, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-10, atol=1e-10 * float(want.abs().max()))
