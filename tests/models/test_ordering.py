"""Parameters that keep an order: reached by construction, with gradients, in any array library."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xdpl import models
from xdpl.errors import InputErrors, Problems
from xdpl.models import Parameter
from xdpl.models.ordering import Ordering

A = Parameter("a", 0.001, 0.2, "d-1", 0.03, scale="log")
B = Parameter("b", 0.01, 0.5, "d-1", 0.1)
C = Parameter("c", 0.05, 0.9, "d-1", 0.3)
CHAIN = Ordering(((A, B, C),))
PARAMETERS = (A, B, C)


def random(shape, seed=0):
    generator = np.random.default_rng(seed)
    return {p.name: p.lower + (p.upper - p.lower) * generator.random(shape) for p in PARAMETERS}


def test_in_order_and_within_bounds(backend):
    values = {k: backend.array(v) for k, v in random((50, 4)).items()}
    found = {k: backend.numpy(v) for k, v in CHAIN.apply(values).items()}
    assert (found["a"] <= found["b"]).all()
    assert (found["b"] <= found["c"]).all()
    for p in PARAMETERS:
        assert found[p.name].min() >= p.lower
        assert found[p.name].max() <= p.upper
    back = CHAIN.invert({k: backend.array(v) for k, v in found.items()})
    for name, v in values.items():
        np.testing.assert_allclose(backend.numpy(back[name]), backend.numpy(v), rtol=1e-6)


@given(st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3))
def test_in_order_in_single_precision(shares):
    values = {
        p.name: torch.tensor(p.lower + (p.upper - p.lower) * s, dtype=torch.float32)
        for p, s in zip(PARAMETERS, shares, strict=True)
    }
    found = CHAIN.apply(values)
    assert found["a"] <= found["b"] <= found["c"]
    assert all(np.float32(p.lower) <= found[p.name] <= np.float32(p.upper) for p in PARAMETERS)


def test_every_order_can_be_reached():
    """What is in order stays reachable up to the ends of all bounds."""
    for wanted in (
        (0.001, 0.01, 0.05),
        (0.2, 0.5, 0.9),
        (0.2, 0.2, 0.2),
        (0.001, 0.5, 0.5),
        (0.1, 0.11, 0.12),
    ):
        values = {p.name: np.array([v]) for p, v in zip(PARAMETERS, wanted, strict=True)}
        again = CHAIN.apply(CHAIN.invert(values))
        np.testing.assert_allclose([again[p.name][0] for p in PARAMETERS], wanted, rtol=1e-12)


def test_the_largest_bounds_what_is_smaller():
    high = Parameter("high", 0.0, 10.0, "1", 1.0)
    low = Parameter("low", 0.0, 2.0, "1", 1.5)
    found = Ordering(((high, low),)).apply({"high": np.array([10.0]), "low": np.array([0.0])})
    assert found["high"][0] == 2.0
    assert found["low"][0] == 2.0


def test_one_parameter_above_two_others():
    d = Parameter("d", 0.0, 1.0, "d-1", 0.4)
    both = Ordering(((A, C), (B, C), (C, d)))
    found = both.apply(random(200) | {"d": np.zeros(200)})
    assert (np.maximum(found["a"], found["b"]) <= found["c"]).all()
    assert (found["c"] <= found["d"]).all()


def test_gradients_reach_all_of_a_chain():
    leaves = {k: torch.tensor(v, requires_grad=True) for k, v in random(20).items()}
    found = CHAIN.apply(leaves)
    (slope,) = torch.autograd.grad(found["c"].sum(), leaves["a"], retain_graph=True)
    assert torch.isfinite(slope).all()
    assert (slope > 0).any()
    assert torch.autograd.gradcheck(
        lambda *v: tuple(CHAIN.apply(dict(zip(leaves, v, strict=True))).values()),
        tuple(v.detach().clone().requires_grad_() for v in leaves.values()),
    )


def test_others_are_untouched():
    values = random(3) | {"other": np.ones(3)}
    assert CHAIN.apply(values)["other"] is values["other"]
    assert not Ordering()
    assert Ordering().apply(values) == values


def test_a_pair_that_is_the_other_way_round():
    values = {"a": np.array([0.1, 0.2]), "b": np.array([0.1, 0.1]), "c": np.array([0.3, 0.3])}
    assert CHAIN.broken(values) == [(A, B)]


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ([("k2",)], "chains of two or more parameters"),
        ([3], "chains of two or more parameters"),
        ([("k2", "k9")], "parameters of the model: .* got 'k9'"),
        ([("k2", "k1", "k2")], "each parameter once"),
        ([("k2", "fc")], "fc in the units of k2, d-1, got mm"),
        ([("k0", "k1")], "a default of k1 above that of k0, 0.3, got 0.1"),
    ],
)
def test_what_is_no_order(order, said):
    problems = Problems("learn")
    Ordering.of(models.get("hbv"), order, problems)
    with pytest.raises(InputErrors, match=said):
        problems.raise_if_any()


def test_a_single_chain_by_itself():
    problems = Problems("learn")
    assert Ordering.of(models.get("hbv"), ("k2", "k1", "k0"), problems).names == [["k2", "k1", "k0"]]
    assert not problems.found
