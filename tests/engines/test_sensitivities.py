"""Tangents of runs are the central differences of the series, and the transpose of the adjoint."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from model_cases import MODELS, random_inputs

from xdpl import engines
from xdpl.engines.sensitivities import Sensitivities
from xdpl.models import Flux, Forcing, Model, Parameter, State

torch.set_num_threads(1)

CASES = [
    ("vic", "soil_moisture"),
    ("vic", "w3"),
    ("hbv-capillary", "streamflow"),
]


@dataclass(frozen=True)
class Decay(Model):
    """A store that begins as full as `size` says and loses a share a step: s_t = size (1 - k)^t."""

    name: ClassVar[str] = "decay"
    forcings = (Forcing("rain", "mm"),)
    parameters = (Parameter("size", 1.0, 9.0, "mm", 5.0), Parameter("k", 0.1, 0.9, "1", 0.5))
    states = (State("store", "mm"), State("clock", "d"))
    fluxes = (Flux("same", "1"),)
    outputs = ("same",)

    def initial_states(self, xp, p):
        return {"store": p.size, "clock": 0.0 * p.size}

    def step(self, xp, s, f, p):
        return {"store": (1.0 - p.k) * s.store + 0.0 * f.rain, "clock": s.clock + 1.0}, {"same": 3.0}


def inputs(model, days=50, sites=6):
    forcings, theta, _ = random_inputs(model, days, sites)
    width = {p.name: np.full(sites, p.upper - p.lower) for p in model.parameters}
    return forcings, theta, width


@pytest.mark.parametrize(("name", "output"), CASES)
def test_equal_central_differences(name, output):
    model = MODELS[name]
    forcings, theta, width = inputs(model)
    found = Sensitivities(model, output)(forcings, theta, width)
    step = 1e-6
    for i, p in enumerate(model.parameters):
        runs = []
        for sign in (1, -1):
            moved = theta | {p.name: theta[p.name] + sign * step * width[p.name]}
            runs.append(engines.run("numba", model, forcings, moved, outputs=(output,))[0][output])
        expected = (runs[0] - runs[1]) / (2.0 * step)
        scale = max(1.0, np.abs(expected).max(), np.abs(runs[0]).max())
        # The difference rounds at 1e-16 / 1e-6, and bends with the square of the step.
        np.testing.assert_allclose(found[i], expected, atol=1e-7 * scale, rtol=1e-5, err_msg=p.name)


@pytest.mark.parametrize(("name", "output"), CASES)
def test_are_the_transpose_of_the_adjoint(name, output):
    model = MODELS[name]
    forcings, theta, width = inputs(model)
    found = Sensitivities(model, output)(forcings, theta, width)
    leaves = {k: torch.tensor(v, requires_grad=True) for k, v in theta.items()}
    series, _ = engines.run(
        "numba", model, {k: torch.from_numpy(v) for k, v in forcings.items()}, leaves, outputs=(output,)
    )
    weight = np.random.default_rng(3).normal(size=series[output].shape)
    total = (series[output] * torch.from_numpy(weight)).sum()
    gradients = torch.autograd.grad(total, list(leaves.values()), allow_unused=True, materialize_grads=True)
    for i, (p, gradient) in enumerate(zip(model.parameters, gradients, strict=True)):
        expected = gradient.numpy() * width[p.name]
        scale = np.abs(found[i] * weight).sum(axis=0).max() + 1e-300
        np.testing.assert_allclose((found[i] * weight).sum(axis=0), expected, atol=1e-11 * scale)


@pytest.mark.parametrize(("name", "output"), CASES)
def test_engines_agree(name, output):
    model = MODELS[name]
    case = inputs(model, days=20, sites=3)
    fused = Sensitivities(model, output)(*case)
    eager = Sensitivities(model, output, engine="array")(*case)
    np.testing.assert_allclose(fused, eager, atol=1e-12 * np.abs(eager).max(), rtol=1e-10)


@pytest.mark.parametrize("engine", [None, "array"])
def test_begin_with_states_that_follow_parameters(engine):
    size, k, days = np.array([4.0]), np.array([0.25]), np.arange(1, 6)
    case = ({"rain": np.zeros((5, 1))}, {"size": size, "k": k}, {"size": np.ones(1), "k": np.ones(1)})
    found = Sensitivities(Decay(), "store", engine=engine)(*case)
    np.testing.assert_allclose(found[0, :, 0], 0.75**days)
    np.testing.assert_allclose(found[1, :, 0], -4.0 * days * 0.75 ** (days - 1))
    assert not Sensitivities(Decay(), "same", engine=engine)(*case).any()
