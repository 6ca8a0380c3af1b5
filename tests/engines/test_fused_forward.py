"""Fused kernels run what the engine `array` runs: the same numbers for any size, shape and subset."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from model_cases import MODELS, corner_inputs, parameters, random_inputs, states

from xdpl.engines import array, choose, fused


@pytest.fixture(params=MODELS, scope="module")
def model(request):
    return MODELS[request.param]


def cast(group, dtype):
    return {k: np.asarray(v, dtype) for k, v in group.items()}


def assert_same(model, forcings, theta, rtol=1e-12, **options):
    """Both engines in float64; stores near zero are compared to the largest of their kind."""
    expected, last = array.run(model, forcings, theta, **options)
    series, final = fused.run(model, forcings, theta, **options)
    assert list(series) == list(expected) and list(final) == list(last)
    for got, want in ((series, expected), (final, last)):
        for name in want:
            assert got[name].shape == want[name].shape and got[name].dtype == want[name].dtype
            scale = np.nanmax(np.abs(want[name]), initial=0.0)
            np.testing.assert_allclose(got[name], want[name], rtol=rtol, atol=1e-13 * scale, err_msg=name)


@pytest.mark.parametrize("sites", [1, 7, 15, 16, 17, 33])
@pytest.mark.parametrize("days", [1, 2, 40])
def test_any_size(model, days, sites):
    forcings, theta, start = random_inputs(model, days, sites)
    assert_same(model, forcings, theta, initial=start, outputs=model.outputs)


def test_all_outputs_and_none(model):
    forcings, theta, _ = random_inputs(model, 20, 5)
    assert_same(model, forcings, theta, outputs=tuple(model.all_outputs()))
    assert_same(model, forcings, theta, outputs=())


def test_own_initial_states(model):
    forcings, theta, _ = random_inputs(model, 20, 5)
    assert_same(model, forcings, theta, outputs=model.outputs)


@pytest.mark.parametrize("shape", [(), (1,), (3, 4), (2, 3, 2)])
def test_any_shape_of_sites(model, shape):
    forcings, theta, _ = random_inputs(model, 12, int(np.prod(shape)))
    forcings = {k: v.reshape(12, *shape) for k, v in forcings.items()}
    theta = {k: v.reshape(shape) for k, v in theta.items()}
    assert_same(model, forcings, theta, outputs=model.outputs)


def test_no_sites():
    model = MODELS["hbv"]
    forcings, theta, _ = random_inputs(model, 12, 0)
    series, final = fused.run(model, forcings, theta, outputs=model.outputs)
    assert {v.shape for v in series.values()} == {(12, 0)} and {v.shape for v in final.values()} == {(0,)}


def test_parameters_that_move(model):
    forcings, theta, _ = random_inputs(model, 25, 19)
    other = random_inputs(model, 25, 19, seed=1)[1]
    weight = np.linspace(0.0, 1.0, 25)[:, None]
    for moving in (model.parameters[:1], model.parameters[3:6], model.parameters):
        mixed = {p.name: (1 - weight) * theta[p.name] + weight * other[p.name] for p in moving}
        assert_same(model, forcings, theta | mixed, outputs=model.outputs)


@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("members", [1, 3])
def test_members(model, members, average):
    forcings, _, _ = random_inputs(model, 15, 21)
    rng = np.random.default_rng(2)
    theta = parameters(model, rng.uniform(0.05, 0.95, (len(model.parameters), members, 21)))
    start = states(model, theta, rng.uniform(0.1, 0.9, (len(model.states), members, 21)))
    for initial in (None, start):
        options = {"members": members, "average": average, "outputs": model.outputs, "initial": initial}
        assert_same(model, forcings, theta, **options)
    name = model.parameters[0].name
    moving = theta | {name: np.broadcast_to(theta[name], (15, members, 21))}
    assert_same(model, forcings, moving, members=members, average=average, outputs=model.outputs)


def test_corners_of_the_bounds(model):
    forcings, theta, start = corner_inputs(model)
    forcings = {k: np.stack([v, v]) for k, v in forcings.items()}
    # Where a store lies within rounding of a threshold, the engines may stand on either side of it.
    expected, last = array.run(model, forcings, theta, initial=start, outputs=model.outputs)
    series, final = fused.run(model, forcings, theta, initial=start, outputs=model.outputs)
    for got, want in ((series, expected), (final, last)):
        for name in want:
            assert np.isfinite(got[name]).all()
            np.testing.assert_allclose(got[name], want[name], rtol=1e-9, atol=1e-9, err_msg=name)


@given(seed=st.integers(0, 2**32 - 1), days=st.integers(1, 9), sites=st.integers(1, 40))
@settings(max_examples=25, deadline=None)
def test_any_inputs(model, seed, days, sites):
    assert_same(model, *random_inputs(model, days, sites, seed)[:2], outputs=model.outputs)


def test_single_precision_is_close(model):
    forcings, theta, start = random_inputs(model, 365, 200)
    exact, _ = array.run(model, forcings, theta, initial=start, outputs=model.outputs)
    series, _ = fused.run(
        model, cast(forcings, "f4"), cast(theta, "f4"), initial=cast(start, "f4"), outputs=model.outputs
    )
    for name, want in exact.items():
        assert series[name].dtype == np.float32
        error = np.abs(series[name] - want) / np.abs(want).max()
        assert np.quantile(error, 0.999) < 2e-5, name


@pytest.mark.parametrize("where", ["forcing", "parameter", "state"])
def test_nan_stays_at_its_site(model, where):
    forcings, theta, start = random_inputs(model, 10, 40)
    clean, _ = fused.run(model, forcings, theta, initial=start, outputs=tuple(model.all_outputs()))
    if where == "forcing":
        for values in forcings.values():
            values[:, 17] = np.nan
    elif where == "parameter":
        for values in theta.values():
            values[17] = np.nan
    else:
        for values in start.values():
            values[17] = np.nan
    series, _ = fused.run(model, forcings, theta, initial=start, outputs=tuple(model.all_outputs()))
    others = np.arange(40) != 17
    for name, values in series.items():
        assert np.isnan(values[:, 17]).all(), name
        np.testing.assert_array_equal(values[:, others], clean[name][:, others])


def test_a_gap_is_that_of_the_engine_array(model):
    forcings, theta, start = random_inputs(model, 12, 5)
    forcings["precipitation"][6, 2] = np.nan
    expected, _ = array.run(model, forcings, theta, initial=start, outputs=tuple(model.all_outputs()))
    series, _ = fused.run(model, forcings, theta, initial=start, outputs=tuple(model.all_outputs()))
    for name, values in series.items():
        np.testing.assert_array_equal(np.isnan(values), np.isnan(expected[name]), err_msg=name)


def test_a_run_cut_in_two_is_the_same_run(model):
    forcings, theta, start = random_inputs(model, 50, 21)
    out = tuple(model.all_outputs())
    whole, last = fused.run(model, forcings, theta, initial=start, outputs=out)
    parts, state = [], start
    for days in (slice(0, 17), slice(17, 18), slice(18, None)):
        cut = {k: v[days] for k, v in forcings.items()}
        series, state = fused.run(model, cut, theta, initial=state, outputs=out)
        parts.append(series)
    for name in out:
        np.testing.assert_array_equal(np.concatenate([p[name] for p in parts]), whole[name])
    for name, value in last.items():
        np.testing.assert_array_equal(state[name], value)


def test_arrays_in_any_memory(model):
    forcings, theta, start = random_inputs(model, 12, 18)
    want, _ = fused.run(model, forcings, theta, initial=start, outputs=model.outputs)
    odd = {k: np.asfortranarray(v) for k, v in forcings.items()}
    for values in odd.values():
        values.flags.writeable = False
    spread = {k: np.repeat(v, 2)[::2] for k, v in theta.items()}
    backwards = {k: v[::-1].copy()[::-1] for k, v in start.items()}
    got, _ = fused.run(model, odd, spread, initial=backwards, outputs=model.outputs)
    for name, values in want.items():
        np.testing.assert_array_equal(got[name], values)


def test_inputs_are_left_as_they_are(model):
    inputs = random_inputs(model, 12, 18)
    before = [{k: v.copy() for k, v in group.items()} for group in inputs]
    fused.run(model, inputs[0], inputs[1], initial=inputs[2], outputs=model.outputs)
    for group, old in zip(inputs, before, strict=True):
        for name, values in group.items():
            np.testing.assert_array_equal(values, old[name])


def test_types_mix_as_in_the_engine_array():
    model = MODELS["hbv"]
    forcings, theta, _ = random_inputs(model, 12, 5)
    assert_same(model, cast(forcings, "f4"), theta, outputs=model.outputs)


def test_the_engine_goes_by_the_array():
    import array_api_strict

    assert choose(np.zeros(2)) == choose(torch.zeros(2)) == choose(np.zeros(2, "f4")) == "numba"
    assert choose(array_api_strict.zeros(2)) == choose(np.zeros(2, "f2")) == "array"
