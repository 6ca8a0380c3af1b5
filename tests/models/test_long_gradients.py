"""Gradients through years of days stay bounded, in float32, at stiff corners of the bounds."""

import itertools

import numpy as np
import pytest
import torch

from xdpl import engines
from xdpl.models.hbv import HBV
from xdpl.models.noah import Noah
from xdpl.models.vic import VIC

FORCINGS = ("precipitation", "air_temperature", "potential_evapotranspiration")
MODELS = [VIC(), Noah(), HBV(), HBV(variant="capillary")]


def weather(days, sites, seed=0):
    generator = np.random.default_rng(seed)
    season = np.sin(np.arange(days) / 58.0)[:, None]
    values = {
        "precipitation": generator.gamma(0.25, 14.0, (days, sites)),
        "air_temperature": 8.0 + 14.0 * season + generator.normal(0, 4, (days, sites)),
        "potential_evapotranspiration": np.maximum(3.5 + 4.0 * season, 0.0) * np.ones((1, sites)),
    }
    return {k: torch.tensor(v, dtype=torch.float32) for k, v in values.items()}


def corners(model, sites, seed=0):
    """Parameters at or next to their bounds, in all combinations a seed brings."""
    generator = np.random.default_rng(seed)
    share = generator.choice([0.0, 0.01, 0.5, 0.99, 1.0], size=(len(model.parameters), sites))
    return {
        p.name: torch.tensor(p.lower + s * (p.upper - p.lower), dtype=torch.float32, requires_grad=True)
        for p, s in zip(model.parameters, share, strict=True)
    }


@pytest.mark.parametrize("engine", ["array", "numba"])
@pytest.mark.parametrize("model", MODELS, ids=["vic", "noah", "hbv", "hbv-capillary"])
def test_two_years_at_stiff_corners(model, engine):
    sites = 400
    theta = corners(model, sites)
    start = {
        k: v.detach().requires_grad_()
        for k, v in model.initial_states(torch, model.pack("parameters", theta)).items()
    }
    series, final = engines.run(
        engine, model, weather(730, sites), theta, initial=start, outputs=model.outputs
    )
    total = sum(v.mean(dim=0).sum() for v in itertools.chain(series.values())) + sum(
        v.sum() for v in final.values()
    )
    total.backward()
    for name, parameter in theta.items():
        assert torch.isfinite(parameter.grad).all(), name
    for name, state in start.items():
        # No store may amplify a disturbance from one day to the next, over and over.
        assert float(state.grad.abs().max()) < 20.0, name


@pytest.mark.parametrize("engine", ["array", "numba"])
@pytest.mark.parametrize("below", [0, 1, 2])
def test_a_full_soil_above_a_full_lower_zone(engine, below):
    """Winter: nothing moves, and a disturbance of the soil must not grow from day to day.

    Full is as near to fc as single precision tells apart: kernels multiply by 1 / fc, which makes
    the last number below it a wetness of one at some sites.
    """
    model, days, sites = HBV(variant="capillary", routing=None), 60, 200
    fc = np.random.default_rng(0).uniform(50.0, 200.0, sites).astype(np.float32)
    soil = fc.copy()
    for _ in range(below):
        soil = np.nextafter(soil, np.float32(0.0))
    forcings = {k: torch.full((days, sites), v) for k, v in zip(FORCINGS, (0.0, -9.0, 0.0), strict=True)}
    theta = {k: torch.full((sites,), v) for k, v in (model.defaults() | {"c": 0.9, "k2": 0.001}).items()}
    start = {s.name: torch.zeros(sites) for s in model.states} | {"lower_zone": torch.full((sites,), 700.0)}
    theta["fc"], start["soil_moisture"] = (torch.tensor(v, requires_grad=True) for v in (fc, soil))
    _, final = engines.run(engine, model, forcings, theta, initial=start)
    torch.testing.assert_close(final["soil_moisture"], theta["fc"], rtol=2e-7, atol=0.0)
    final["soil_moisture"].sum().backward()
    # Water rises until the soil is full: it ends at fc, wherever it began.
    torch.testing.assert_close(start["soil_moisture"].grad, torch.zeros(sites), rtol=0.0, atol=1e-3)
    torch.testing.assert_close(theta["fc"].grad, torch.ones(sites), rtol=0.0, atol=1e-3)
