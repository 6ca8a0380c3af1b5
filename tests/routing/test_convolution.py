"""Convolution: the sum it says it is, whole or in parts, and compiled."""

import itertools

import numpy as np
import pytest
import torch
from array_api_compat import array_namespace
from hypothesis import given, settings
from hypothesis import strategies as st

from xdpl.engines.convolution import convolve as compiled
from xdpl.routing import convolve

BOTH = pytest.mark.parametrize("function", [convolve, compiled], ids=["plain", "compiled"])


def inputs(steps, length=15, shape=(4,), dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    sizes = ((steps, *shape), (length, *shape), (length - 1, *shape))
    return [rng.gamma(0.5, 5.0, size).astype(dtype) for size in sizes]


def by_hand(series, weights, before):
    whole, n = [*before, *series], len(before)
    routed = [sum(w * whole[n + t - k] for k, w in enumerate(weights)) for t in range(len(series))]
    return routed, whole[len(series) :]


@BOTH
@pytest.mark.parametrize("steps", [0, 1, 3, 14, 15, 40])
@pytest.mark.parametrize("length", [2, 15])
def test_is_the_sum_over_delays(backend, function, steps, length):
    series, weights, before = inputs(steps, length)
    given = [backend.array(v) for v in (series, weights, before)]
    routed, after = function(array_namespace(given[0]), *given)
    assert tuple(routed.shape) == (steps, 4)
    for site in range(4):
        expected, left = by_hand(*(v[:, site].tolist() for v in (series, weights, before)))
        np.testing.assert_allclose(backend.numpy(routed)[:, site], expected, rtol=1e-13)
        np.testing.assert_array_equal(backend.numpy(after)[:, site], left)


@BOTH
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(
    cuts=st.lists(st.integers(1, 59), max_size=6, unique=True),
    shape=st.sampled_from([(), (1,), (3,), (17,), (2, 19), (300,)]),
)
@settings(max_examples=25)
def test_parts_are_the_whole_bit_for_bit(function, dtype, cuts, shape):
    series, weights, before = inputs(60, shape=shape, dtype=dtype)
    whole, end = function(np, series, weights, before)
    parts = []
    for start, stop in itertools.pairwise([0, *sorted(cuts), 60]):
        part, before = function(np, series[start:stop], weights, before)
        parts.append(part)
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    np.testing.assert_array_equal(before, end)
    assert whole.dtype == dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sites", [1, 255, 256, 257, 600])
def test_the_compiled_one_is_the_plain_one_bit_for_bit(dtype, sites):
    given = inputs(33, shape=(sites,), dtype=dtype)
    for got, wanted in zip(compiled(np, *given), convolve(np, *given), strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_what_goes_on_does_not_keep_the_series():
    series, weights, before = inputs(100)
    assert compiled(np, series, weights, before)[1].base is None


@BOTH
def test_members_share_weights_and_what_was_before(function):
    series, weights, before = inputs(20, shape=(3, 4))
    routed, after = function(np, series, weights[:, :1], before[:, :1])
    for member in range(3):
        alone, left = function(np, series[:, member], weights[:, 0], before[:, 0])
        np.testing.assert_array_equal(routed[:, member], alone)
        np.testing.assert_array_equal(after[:, member], left)


def test_two_types_are_not_forced_into_one():
    series, weights, before = inputs(20)
    routed, _ = compiled(np, series.astype(np.float32), weights, before)
    assert routed.dtype == np.float64


@BOTH
@pytest.mark.parametrize("steps", [1, 5, 20])
@pytest.mark.parametrize("shared", [False, True])
def test_gradcheck(function, steps, shared):
    series, weights, before = inputs(steps, 6, shape=(2, 2))
    if shared:
        weights, before = weights[:, :1], before[:, :1]
    values = [torch.tensor(v, requires_grad=True) for v in (series, weights, before)]
    xp = array_namespace(values[0])
    assert torch.autograd.gradcheck(lambda *v: function(xp, *v), values, atol=1e-6)


@pytest.mark.parametrize("wanted", range(3))
def test_only_what_is_asked_for_is_differentiated(wanted):
    values = [torch.tensor(v) for v in inputs(20)]
    values[wanted].requires_grad_()
    xp = array_namespace(values[0])
    gradients = []
    for function in (convolve, compiled):
        routed, _ = function(xp, *values)
        (gradient,) = torch.autograd.grad(routed.square().sum(), values[wanted])
        gradients.append(gradient)
    torch.testing.assert_close(*gradients)


def test_gradients_of_strided_and_expanded_tensors():
    series, weights, before = (torch.tensor(v) for v in inputs(20, shape=(6,)))
    weights = weights[:, :1].clone().requires_grad_()
    wide = series.t().contiguous().requires_grad_()
    xp = array_namespace(series)
    gradients = []
    for function in (convolve, compiled):
        routed, _ = function(xp, wide.t()[:, ::2], weights.expand(15, 3), before[:, ::2])
        gradients.append(torch.autograd.grad((routed[:, 1:] ** 2).sum(), (wide, weights)))
    for got, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(got, expected)


def test_the_compiled_gradient_is_a_first_one():
    values = [torch.tensor(v, requires_grad=True) for v in inputs(20)]
    routed, _ = compiled(array_namespace(values[0]), *values)
    (slope,) = torch.autograd.grad(routed.square().sum(), values[0], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.sum().backward()
