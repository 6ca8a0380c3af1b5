"""From a batch to the simulated targets, of a model whose streamflow is routed."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
import xarray as xr
from helpers_learn import ATTRIBUTES, Bucket, quick, world
from model_cases import random_inputs
from reference_models import route

import xdpl
from xdpl.models import GammaHydrograph
from xdpl.models.hbv import HBV
from xdpl.networks.base import Inputs
from xdpl.networks.columns import Columns
from xdpl.training.forward import Forward
from xdpl.training.samples import Batch

DAYS, SITES, WARMUP = 50, 4, 20


class Given(torch.nn.Module):
    """A network whose parameters are known."""

    def __init__(self, values, columns):
        super().__init__()
        self.columns = columns
        self.values = torch.nn.ParameterDict(values)

    def forward(self, inputs):
        return dict(self.values.items())


def given(members):
    """HBV in double precision, with a recession that varies in time."""
    model = HBV("capillary")
    forcings, theta, _ = random_inputs(model, DAYS, SITES, seed=1)
    rng = np.random.default_rng(2)
    columns = Columns.of(model, members, ["k1"])
    values = {}
    for p in model.parameters:
        shape = (SITES,) if columns.count(p) == 1 else (members, SITES)
        shape = (DAYS, *shape) if p.name in columns.dynamic else shape
        share = np.clip(theta[p.name] / p.upper + 0.2 * rng.uniform(-1, 1, shape), 0.1, 0.9)
        values[p.name] = torch.tensor(p.lower + share * (p.upper - p.lower))
    # Wet enough that all outlets flow from the first days on.
    values["fc"], values["perc"] = 0.1 * values["fc"] + 50.0, 0.1 * values["perc"]
    batch = Batch({k: torch.tensor(v) for k, v in forcings.items()}, Inputs(torch.zeros(SITES, 1)), WARMUP)
    return model, Given(values, columns), batch


@pytest.mark.parametrize("engine", ["array", "numba"])
@pytest.mark.parametrize("members", [1, 3])
def test_water_on_its_way_is_part_of_the_warmup(engine, members):
    """With its gradient or without it the series is the same."""
    model, network, batch = given(members)
    series, slopes = [], []
    for gradient in (True, False):
        flow = Forward(model, network, ("streamflow",), engine, gradient)(batch)["streamflow"]
        assert flow.shape == (DAYS - WARMUP, SITES)
        series.append(flow)
        found = torch.autograd.grad(flow.square().sum(), list(network.parameters()))
        slopes.append(dict(zip(network.values, found, strict=True)))
    torch.testing.assert_close(*series, rtol=1e-12, atol=1e-12)
    for slope in slopes:
        assert all(torch.isfinite(g).all() for g in slope.values())
        assert (slope["route_b"] != 0).all()
    # What ran off in the warm-up has a gradient only with it.
    early = [slope["k1"][:WARMUP] for slope in slopes]
    assert (early[0] != 0).any() and (early[1] == 0).all()
    assert (slopes[1]["k1"][WARMUP:] != 0).any()


def test_the_mean_of_members_is_routed_by_hand():
    model, network, batch = given(3)
    found = Forward(model, network, ("streamflow",), "numba")(batch)["streamflow"].detach().numpy()
    values = {k: v.detach().numpy() for k, v in network.values.items()}
    forcings = {k: v.numpy() for k, v in batch.forcings.items()}
    runoff = np.zeros((DAYS, SITES))
    for member in range(3):
        own = {k: v if k.startswith("route") else v[..., member, :] for k, v in values.items()}
        own = {k: v for k, v in own.items() if not k.startswith("route")}
        series, _ = xdpl.engines.run(
            "array", HBV("capillary", routing=None), forcings, own, outputs=("runoff",)
        )
        runoff += series["runoff"] / 3.0
    for site in range(SITES):
        expected = route(runoff[:, site].tolist(), values["route_a"][site], values["route_b"][site])
        np.testing.assert_allclose(found[:, site], expected[WARMUP:], rtol=1e-11)


@dataclass(frozen=True)
class Catchment(Bucket):
    """The bucket, whose runoff takes days to the outlet."""

    name: ClassVar[str] = "catchment"
    routes = (GammaHydrograph("runoff", length=15),)
    parameters = (*Bucket.parameters, *routes[0].parameters)


def test_delays_of_sites_are_learned():
    """Where runoff arrives late is told by an attribute; what is learned is the mean delay."""
    ds = world()
    truth = {"leak": 0.5, "split": 0.5, "route_a": 1.9, "route_b": 0.2 + 0.05 * ds["sand"]}
    truth["route_b"].attrs["units"] = "d"
    ds["runoff"] = xdpl.simulate(ds, Catchment(), truth)["runoff"]
    fit = quick(ds, model=Catchment(), epochs=60, learning_rate=0.03, batch=12, members=2)

    def delay(theta):
        shape = {"route_a": 0.0 * ds["sand"] + theta["route_a"], "route_b": theta["route_b"]}
        weights = GammaHydrograph().weights(np, *(v.transpose("lat", "lon").values for v in shape.values()))
        return (weights * np.arange(15.0)[:, None, None]).sum(axis=0)

    theta = fit.parameters(ds)
    assert theta["route_b"].dims == ("lat", "lon") and theta["leak"].dims == ("member", "lat", "lon")
    known, found = delay(truth), delay(theta)
    assert known.max() - known.min() > 2.0
    np.testing.assert_allclose(found, known, atol=0.6)
    assert set(fit.attributes) == set(ATTRIBUTES)
    xr.testing.assert_equal(theta["lat"], ds["lat"])
