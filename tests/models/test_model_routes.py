"""The gamma unit hydrograph: its shares, its bounds, and what a model must declare of it."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from array_api_compat import torch as xp
from model_cases import weather

import xdpl
from xdpl.models import Flux, Forcing, GammaHydrograph, Model, Parameter, State
from xdpl.models.hbv import HBV

CORNERS = [(a, b) for a in (0.0, 0.9, 2.9) for b in (0.0, 1e-9, 6.5)]


def gamma_shares(a, b, length=15, dt=1.0):
    """With the density of the gamma distribution itself, at the middle of each step."""
    t = [(k + 0.5) * dt for k in range(length)]
    density = [
        x ** (a + 0.1 - 1.0) * math.exp(-x / (b + 0.5)) / math.gamma(a + 0.1) / (b + 0.5) ** (a + 0.1)
        for x in t
    ]
    return [d / sum(density) for d in density]


@pytest.mark.parametrize(("a", "b"), CORNERS)
@pytest.mark.parametrize(("length", "dt"), [(15, 1.0), (360, 1.0 / 24.0), (2, 10.0)])
def test_shares_are_those_of_the_gamma_distribution(backend, a, b, length, dt):
    weights = GammaHydrograph(length=length, dt=dt).weights(
        backend.xp, backend.array(np.array([a])), backend.array(np.array([b]))
    )
    assert weights.shape == (length, 1)
    shares = backend.numpy(weights)[:, 0]
    np.testing.assert_allclose(shares, gamma_shares(a, b, length, dt), rtol=1e-12, atol=1e-300)
    assert shares.sum() == pytest.approx(1.0, abs=1e-14)
    assert (shares >= 0.0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shares_do_not_depend_on_the_number_of_sites(dtype):
    rng = np.random.default_rng(0)
    a, b = rng.uniform(0.0, 2.9, 37).astype(dtype), rng.uniform(0.0, 6.5, 37).astype(dtype)
    together = GammaHydrograph().weights(np, a, b)
    assert together.dtype == dtype
    np.testing.assert_allclose(together.sum(axis=0), 1.0, rtol=4 * np.finfo(dtype).eps)
    for i in range(37):
        alone = GammaHydrograph().weights(np, a[i : i + 1], b[i : i + 1])
        np.testing.assert_array_equal(alone[:, 0], together[:, i])


def test_the_default_delay_is_about_a_day():
    a, b = (np.asarray(p.default) for p in GammaHydrograph().parameters)
    assert GammaHydrograph().weights(np, a, b) @ np.arange(15.0) == pytest.approx(1.0, abs=0.05)


def test_a_longer_scale_and_a_larger_shape_delay_more():
    def delay(a, b):
        return GammaHydrograph().weights(np, np.asarray(a), np.asarray(b)) @ np.arange(15.0)

    assert delay(0.5, 1.0) < delay(0.5, 3.0) < delay(2.0, 3.0)


@pytest.mark.parametrize(("a", "b"), CORNERS)
def test_gradients_of_the_shares(a, b):
    values = [torch.tensor([v], dtype=torch.float64, requires_grad=True) for v in (a, b)]
    assert torch.autograd.gradcheck(lambda a, b: GammaHydrograph().weights(xp, a, b), values)
    for row in GammaHydrograph().weights(xp, *values)[:, 0]:
        gradients = torch.autograd.grad(row, values, retain_graph=True)
        assert all(torch.isfinite(g).all() for g in gradients)


def test_a_hydrograph_has_two_steps_at_least():
    with pytest.raises(ValueError, match="at least 2 steps, got length=1"):
        GammaHydrograph(length=1)


@pytest.mark.parametrize(("dt", "length"), [(1.0, 15), (1.0 / 24.0, 360), (0.5, 30), (4.0, 4), (30.0, 2)])
def test_the_hydrograph_of_hbv_takes_15_days(dt, length):
    (route,) = HBV(dt=dt).routes
    assert (route.length, route.dt, route.flux) == (length, dt, "streamflow")
    assert HBV(dt=dt).route_states[0].lags == length - 1


def test_the_step_of_hbv_knows_nothing_of_routes():
    model = HBV()
    assert [p.name for p in model.parameters[-2:]] == ["route_a", "route_b"]
    assert model.step_parameters == HBV(routing=None).parameters == model.parameters[:-2]
    assert [s.name for s in model.route_states] == ["unrouted_streamflow"]
    assert model.pack("parameters", model.defaults())._fields[-1] == "cwh"
    assert HBV(routing=None).routes == HBV(routing=None).route_states == ()


@dataclass(frozen=True)
class Tank(Model):
    """A linear reservoir with routes that a test chooses."""

    routes: tuple = (GammaHydrograph("outflow"),)
    route_parameters: tuple = GammaHydrograph().parameters

    name = "tank"
    forcings = (Forcing("precipitation", "mm d-1"),)
    states = (State("storage", "mm"),)
    fluxes = (Flux("outflow", "mm d-1"), Flux("unrouted_loss", "mm d-1"), Flux("loss", "mm d-1"))
    outputs = ("outflow",)

    @property
    def parameters(self):
        return (Parameter("k", 0.0, 1.0, "d-1", 0.5), *self.route_parameters)

    def step(self, xp, s, f, p):
        storage = s.storage + f.precipitation
        out = p.k * storage
        return {"storage": storage - out}, {"outflow": out, "unrouted_loss": 0.0 * out, "loss": 0.0 * out}


def test_a_third_party_has_a_route():
    ds = weather()
    sim, states = ds.dpl.simulate(Tank(), {"k": 0.3, "route_b": 4.0}, return_states=True)
    assert list(states) == ["storage", "unrouted_outflow"]
    plain = ds.dpl.simulate(Tank((), ()), {"k": 0.3})["outflow"].values
    expected = [np.convolve(v, gamma_shares(0.9, 4.0))[: len(v)] for v in plain.T]
    np.testing.assert_allclose(sim["outflow"].values.T, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("routes", "parameters", "message"),
    [
        ((GammaHydrograph("flow"),), 2, "the route of 'flow' needs it among the fluxes: outflow"),
        ((GammaHydrograph("outflow"),), 0, "needs route_a, route_b among the parameters: k"),
        ((GammaHydrograph("outflow"),), 1, "needs route_b among the parameters: k, route_a"),
        (
            (GammaHydrograph("outflow"), GammaHydrograph("outflow")),
            2,
            "the route of 'outflow' is there twice",
        ),
        ((GammaHydrograph("outflow"), GammaHydrograph("loss", 20)), 2, "'loss' has 20 steps, another has 15"),
        ((GammaHydrograph("loss"),), 2, "keeps a state 'unrouted_loss', which the model has already"),
    ],
)
@pytest.mark.parametrize("engine", ["array", "numba"])
def test_what_a_route_names_must_be_declared(routes, parameters, message, engine):
    model = Tank(routes, GammaHydrograph().parameters[:parameters])
    forcings = {"precipitation": np.ones((3, 1))}
    theta = {k: np.full(1, v) for k, v in model.defaults().items()}
    with pytest.raises(ValueError, match=f"tank: .*{message}"):
        xdpl.engines.run(engine, model, forcings, theta)
    with pytest.raises(ValueError, match=f"tank: .*{message}"):
        weather().dpl.simulate(model)
