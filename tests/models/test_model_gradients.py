"""Exact gradients: finite at every corner, equal to finite differences where smooth."""

import functools

import numpy as np
import pytest
import torch
from array_api_compat import torch as xp
from model_cases import MODELS, corner_inputs, random_inputs

from xdpl import engines
from xdpl.models.hbv import HBV
from xdpl.models.numerics import positive, ramp, safe_power

run = functools.partial(engines.run, "array")


VARIANTS = MODELS | {
    "hbv-ramp": HBV(snow_range=2.0),
    "hbv-capillary-ramp": HBV("capillary", snow_range=2.0),
}


@pytest.fixture(params=VARIANTS, scope="module")
def model(request):
    return VARIANTS[request.param]


def names_of(model):
    return [[d.name for d in getattr(model, kind)] for kind in ("forcings", "parameters", "states")]


def as_function(model, days=None):
    """One step, or a run, as a function of a flat list of tensors: forcings, parameters, states."""
    forcing_names, parameter_names, state_names = names_of(model)
    outputs = [d.name for d in (*model.fluxes, *model.states)]

    def function(*values):
        rest = iter(values)
        f, p, s = ({k: next(rest) for k in n} for n in (forcing_names, parameter_names, state_names))
        if days:
            series, final = run(model, f, p, initial=s, outputs=outputs)
            return *series.values(), *final.values()
        packed = model.pack("states", s), model.pack("forcings", f), model.pack("parameters", p)
        after, fluxes = model.step(xp, *packed)
        return *fluxes.values(), *after.values()

    return function


def tensors(model, *groups):
    names = names_of(model)
    arrays = [group[k] for group, n in zip(groups, names, strict=True) for k in n]
    return [torch.tensor(np.array(v, dtype=np.float64), requires_grad=True) for v in arrays]


def assert_finite_gradients(model, values):
    labels = [n for group in names_of(model) for n in group]
    outputs = as_function(model)(*values)
    for declared, output in zip((*model.fluxes, *model.states), outputs, strict=True):
        assert torch.isfinite(output).all(), declared.name
        gradients = torch.autograd.grad(output.sum(), values, retain_graph=True, allow_unused=True)
        for label, gradient in zip(labels, gradients, strict=True):
            if gradient is not None:
                assert torch.isfinite(gradient).all(), f"d {declared.name} / d {label}"


def test_finite_at_corners(model):
    assert_finite_gradients(model, tensors(model, *corner_inputs(model)))


@pytest.mark.parametrize("layer_at", ["residual", "wilting", "critical"])
def test_vic_finite_at_the_knees_of_the_stress(layer_at):
    model = MODELS["vic"]
    forcings, theta, start = corner_inputs(model)
    content = theta["critical_fraction"].copy()
    content *= 1.0 if layer_at == "critical" else theta["wilting_fraction"]
    content *= theta["residual_fraction"] if layer_at == "residual" else 1.0
    for layer, depth in {"w1": "d1", "w2": "d2", "w3": "d3"}.items():
        start[layer] = 1000.0 * theta["porosity"] * theta[depth] * content
    assert_finite_gradients(model, tensors(model, forcings, theta, start))


def test_finite_through_a_dry_year_and_a_flood(model):
    forcings, theta, start = random_inputs(model, 60, 5)
    forcings["precipitation"][:30] = 0.0
    forcings["precipitation"][45:] = 300.0
    forcings["potential_evapotranspiration"][30:] = 0.0
    forcings["air_temperature"][40:] = theta["tt"]
    values = tensors(model, forcings, theta, {k: 0.0 * v for k, v in start.items()})
    outputs = as_function(model, days=60)(*values)
    gradients = torch.autograd.grad(sum(o.sum() for o in outputs), values)
    assert all(torch.isfinite(g).all() for g in gradients)


def test_every_input_has_an_influence(model):
    """No input is detached: each has a nonzero gradient somewhere in a varied run."""
    values = tensors(model, *random_inputs(model, 40, 12, seed=5))
    outputs = as_function(model, days=40)(*values)
    gradients = torch.autograd.grad(sum(o.sum() for o in outputs), values)
    labels = [n for group in names_of(model) for n in group]
    assert [n for n, g in zip(labels, gradients, strict=True) if not (g != 0).any()] == []


@pytest.mark.parametrize("model", [MODELS["vic"], HBV(snow_range=1.5)], ids=["vic", "hbv"])
def test_the_snow_threshold_is_learned_from_snowfall(model):
    """Below the threshold nothing melts: only the split of precipitation can move it."""
    forcings, theta, start = random_inputs(model, 1, 3)
    forcings = {k: v[0] for k, v in forcings.items()} | {"air_temperature": theta["tt"] - 0.4}
    forcings["precipitation"] = forcings["precipitation"] + 5.0
    # Nor is there anything to freeze.
    start = start | {"meltwater": np.zeros(3)}
    values = tensors(model, forcings, theta, start)
    tt = values[len(model.forcings) + names_of(model)[1].index("tt")]
    snowpack = as_function(model)(*values)[len(model.fluxes)]
    (gradient,) = torch.autograd.grad(snowpack.sum(), tt)
    assert torch.allclose(gradient, values[0].detach() / model.snow_range)


@pytest.mark.parametrize("degrees", [-4.0, 2.0])
def test_gradcheck_of_a_step(model, degrees):
    forcings, theta, start = random_inputs(model, 1, 3, seed=6)
    forcings = {
        "precipitation": np.array([8.0, 0.5, 30.0]),
        "air_temperature": theta["tt"] + degrees,
        "potential_evapotranspiration": forcings["potential_evapotranspiration"][0] + 0.5,
    }
    values = tensors(model, forcings, theta, start)
    assert torch.autograd.gradcheck(as_function(model), values, atol=1e-6, rtol=1e-5)


def test_gradcheck_of_a_run(model):
    forcings, theta, start = random_inputs(model, 4, 2, seed=7)
    # No rain at all is a corner: less would be negative.
    forcings["precipitation"] += 0.5
    values = tensors(model, forcings, theta, start)
    assert torch.autograd.gradcheck(as_function(model, days=4), values, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("x", [0.0, 1e-300, 1e-8, 1e-7, 1.0])
@pytest.mark.parametrize("y", [0.3, 1.0, 29.0])
def test_safe_power(x, y):
    base, exponent = torch.tensor([x, y], dtype=torch.float64, requires_grad=True).unbind()
    value = safe_power(xp, base, exponent)
    assert value.item() == pytest.approx(x**y if x > 1e-8 else 0.0, rel=1e-14)
    gradients = torch.autograd.grad(value, (base, exponent))
    assert all(torch.isfinite(g) for g in gradients)
    if x > 1e-8:
        assert gradients[0].item() == pytest.approx(y * x ** (y - 1.0), rel=1e-12)


def test_positive_and_ramp(backend):
    x = backend.array(np.array([-1.0, 0.0, 0.25, 2.0]))
    np.testing.assert_array_equal(backend.numpy(positive(backend.xp, x)), [0.0, 0.0, 0.25, 2.0])
    np.testing.assert_array_equal(backend.numpy(ramp(backend.xp, x, 0.0, 0.5)), [0.0, 0.0, 0.5, 1.0])
