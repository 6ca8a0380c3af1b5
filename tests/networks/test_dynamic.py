"""Parameters that vary in time."""

import numpy as np
import pytest
import torch
import xarray as xr
from helpers_learn import Bucket, problems, quick, world

import xdpl
from xdpl.errors import InputErrors
from xdpl.networks import LSTM
from xdpl.networks.assemble import sizes
from xdpl.networks.base import Inputs, Outputs
from xdpl.networks.bounded import ParameterNetwork
from xdpl.networks.columns import Columns
from xdpl.training.forward import Forward
from xdpl.training.samples import Batch

STEPS, SITES = 9, 4000


class Walk(torch.nn.Module):
    """Series that are known; the last step of them stands still."""

    def __init__(self, series, other):
        super().__init__()
        self.series, self.other = series, other

    def forward(self, inputs):
        return Outputs(torch.cat([self.series[-1], self.other], dim=1), self.series)


def network(dropout, members=1):
    columns = Columns.of(Bucket(), members, ["leak"])
    generator = torch.Generator().manual_seed(0)
    series = torch.randn(STEPS, SITES, members, generator=generator, requires_grad=True)
    other = torch.randn(SITES, members, generator=generator)
    made = ParameterNetwork(Walk(series, other), columns, dropout=dropout, spread=0.0)
    return made, series


def test_held_at_the_last_step_for_a_share_of_sites():
    made, _ = network(0.3)
    torch.manual_seed(5)
    leak = made.train()(Inputs(torch.zeros(SITES, 1)))["leak"].detach()
    free = made.eval()(Inputs(torch.zeros(SITES, 1)))["leak"].detach()
    held = (leak == leak[-1]).all(dim=0)
    # Three standard deviations of a share of 0.3 of 4000.
    assert float(held.float().mean()) == pytest.approx(0.3, abs=0.022)
    torch.testing.assert_close(leak[:, held], free[-1][held].expand(STEPS, -1), rtol=0, atol=0)
    torch.testing.assert_close(leak[:, ~held], free[:, ~held], rtol=0, atol=0)
    assert not (free == free[-1]).all(dim=0).any()


def test_members_are_held_each_on_their_own():
    made, _ = network(0.5, members=2)
    leak = made.train()(Inputs(torch.zeros(SITES, 1)))["leak"].detach()
    assert leak.shape == (STEPS, 2, SITES)
    held = (leak == leak[-1]).all(dim=0).float()
    assert float((held[0] * held[1]).mean()) == pytest.approx(0.25, abs=0.03)


def test_gradients_reach_every_step_that_is_free():
    made, series = network(0.3)
    leak = made.train()(Inputs(torch.zeros(SITES, 1)))["leak"]
    leak.sum().backward()
    held = (leak == leak[-1]).all(dim=0).detach()
    assert (series.grad[:, ~held] != 0).all()
    assert (series.grad[:-1, held] == 0).all() and (series.grad[-1, held] != 0).all()


def batch(warmup):
    generator = torch.Generator().manual_seed(2)
    rain = torch.rand(30, 3, generator=generator) * 10.0
    return Batch({"precipitation": rain}, Inputs(torch.randn(3, 2), rain[..., None] / 5.0), warmup)


@pytest.mark.parametrize("engine", ["array", "numba"])
@pytest.mark.parametrize("members", [1, 3])
def test_warmup_with_and_without_gradient(engine, members):
    torch.manual_seed(1)
    columns = Columns.of(Bucket(), members, ["leak"])
    body = LSTM(hidden=4).build(sizes(Bucket(), columns, ["a", "b"], ["runoff"]))
    torch.nn.init.normal_(body.head.weight)
    whole = ParameterNetwork(body, columns)
    given = batch(12)
    series, slopes = {}, {}
    for gradient in (True, False):
        whole.zero_grad()
        found = Forward(Bucket(), whole, ["runoff"], engine, gradient)(given)["runoff"]
        assert found.shape == (18, 3)
        found.square().mean().backward()
        series[gradient], slopes[gradient] = found.detach(), body.head.weight.grad.clone()
    torch.testing.assert_close(series[True], series[False], rtol=1e-5, atol=1e-6)
    assert not torch.allclose(slopes[True], slopes[False], rtol=1e-3)
    assert all(torch.isfinite(s).all() and (s != 0).any() for s in slopes.values())


def test_engines_agree_with_a_loop_by_hand():
    torch.manual_seed(1)
    columns = Columns.of(Bucket(), 1, ["leak"])
    body = LSTM(hidden=4).build(sizes(Bucket(), columns, ["a", "b"], ["runoff"]))
    torch.nn.init.normal_(body.head.weight)
    whole, given = ParameterNetwork(body, columns), batch(5)
    with torch.no_grad():
        values = {k: v.double().numpy() for k, v in whole(given.inputs).items()}
        found = Forward(Bucket(), whole, ["runoff"], "numba")(given)["runoff"]
    storage, rows = np.full(3, 5.0), []
    for day, rain in enumerate(given.forcings["precipitation"].double().numpy()):
        at_once = values["split"] * rain
        full = storage + rain - at_once
        storage = full - values["leak"][day] * full
        rows.append(at_once + values["leak"][day] * full)
    np.testing.assert_allclose(found, np.stack(rows)[5:], rtol=1e-4)


def test_a_fit_runs_the_model_with_its_series():
    ds = world()
    fit = quick(network=LSTM(hidden=6), dynamic=["leak"], learning_rate=0.05)
    theta = fit.parameters(ds)
    expected = xdpl.simulate(ds, Bucket(), theta)["runoff"]
    xr.testing.assert_equal(fit.simulate(ds)["runoff"], expected)
    still = theta.assign(leak=theta["leak"].isel(time=-1, drop=True).assign_attrs(units="d-1"))
    assert float(abs(xdpl.simulate(ds, Bucket(), still)["runoff"] - expected).max()) > 0.01
    lazy = fit.simulate(ds.chunk(lat=1, lon=2))["runoff"]
    assert lazy.chunks is not None
    np.testing.assert_allclose(lazy, expected, rtol=1e-5)


def bad(**options):
    with pytest.raises(InputErrors) as raised:
        quick(**options)
    return problems(raised)


def test_unknown_names_and_still_networks_are_listed_together():
    found = bad(dynamic=["leek", "split"], epochs=0)
    assert set(found) == {"dynamic", "epochs"}
    with pytest.raises(InputErrors) as raised:
        quick(dynamic=["leek", "split"])
    texts = [str(e) for e in raised.value.exceptions]
    assert any("parameters of the step of 'bucket': leak, split" in t and "'leek'" in t for t in texts)
    assert any("a network that gives a series" in t and "network 'mlp'" in t for t in texts)


def test_parameters_of_routes_stay_still():
    ds = xdpl.data.twin(shape=(1, 2), years=1).rename(soil_moisture="observed")
    ds["streamflow"] = ds["precipitation"]
    found = bad(
        ds=ds,
        model=xdpl.models.get("hbv"),
        target="streamflow",
        attributes=["sand"],
        network="lstm",
        dynamic=["route_a", "beta"],
    )
    assert "'route_a'" in found["dynamic"] and "route_a" not in found["dynamic"].split("got")[0]


def test_a_name_alone_and_twice():
    fit = quick(network=LSTM(hidden=3), dynamic="leak", epochs=1)
    assert fit.settings["dynamic"] == ["leak"]
    assert quick(network=LSTM(hidden=3), dynamic=["leak", "leak"], epochs=1).settings["dynamic"] == ["leak"]


def test_dropout_of_nothing():
    assert "0 without dynamic parameters" in bad(network="lstm", dynamic_dropout=0.2)["dynamic_dropout"]
    assert (
        "from 0 to below 1" in bad(network="lstm", dynamic=["leak"], dynamic_dropout=1.0)["dynamic_dropout"]
    )
