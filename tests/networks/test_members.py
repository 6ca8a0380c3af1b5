"""Several parameter sets of each site, over which simulations are averaged."""

import numpy as np
import pytest
import torch
import xarray as xr
from helpers_learn import Bucket, assert_same_fit, problems, quick, weights, world

import xdpl
from xdpl.errors import InputErrors
from xdpl.models.hbv import HBV
from xdpl.networks import LSTM, MLP
from xdpl.networks.base import Inputs, Sizes
from xdpl.networks.bounded import ParameterNetwork
from xdpl.networks.columns import Columns

LEAK, SPLIT = Bucket().parameters


@pytest.fixture(scope="module")
def fit():
    return quick(members=4, learning_rate=0.05)


def hydrological():
    ds = xdpl.data.twin(shape=(2, 2), years=1)
    rain = ds["precipitation"]
    ds["streamflow"] = (0.5 * rain).assign_attrs(units="mm d-1")
    return ds


@pytest.fixture(scope="module")
def hbv():
    return quick(
        hydrological(),
        model=HBV(),
        target="streamflow",
        members=3,
        train=slice("2001-03", "2001-08"),
        learning_rate=0.02,
    )


def test_a_dim_and_sets_that_differ(fit):
    theta = fit.parameters(world())
    for name in theta:
        assert theta[name].dims == ("member", "lat", "lon") and theta.sizes["member"] == 4
        assert len(np.unique(theta[name].isel(lat=0, lon=0))) == 4
    assert theta["leak"].attrs["units"] == "d-1"
    assert "member" not in theta.coords


def test_simulations_are_the_mean_of_single_runs(fit):
    ds, theta = world(), fit.parameters(world())
    single = [xdpl.simulate(ds, Bucket(), theta.isel(member=i))["runoff"] for i in range(4)]
    np.testing.assert_allclose(fit.simulate(ds)["runoff"], sum(single) / 4.0, rtol=1e-5)
    assert fit.simulate(ds)["runoff"].dims == ("time", "lat", "lon")
    each = fit.simulate(ds, average=None)["runoff"]
    assert each.sizes["member"] == 4
    np.testing.assert_allclose(each.isel(member=2), single[2], rtol=1e-5)


def test_scores_are_those_of_the_mean(fit):
    ds = world()
    error = fit.simulate(ds)["runoff"] - ds["runoff"]
    scores = fit.evaluate(ds)
    np.testing.assert_allclose(scores["rmse"], np.sqrt((error**2).mean("time")), rtol=1e-5)
    assert scores["rmse"].dims == ("lat", "lon")


def test_training_minimises_the_error_of_the_mean(fit):
    """The loss of a fit, by hand: one window that is the whole period, before the first update."""
    ds = world()
    one = quick(ds, members=4, epochs=1, window=89, batch=6, loss="rmse", learning_rate=1e-9, warmup=31)
    error = (one.simulate(ds)["runoff"] - ds["runoff"]).sel(time=slice("2001-02-01", "2001-04-30"))
    assert float(one.history["loss"][0]) == pytest.approx(float(np.sqrt((error**2).mean())), rel=1e-4)


def test_fresh_members_scatter_around_the_defaults():
    torch.manual_seed(0)
    columns = Columns.of(Bucket(), 4000)
    body = MLP(hidden=(4,)).build(Sizes(("a",), columns=columns.names))
    with torch.no_grad():
        theta = ParameterNetwork(body, columns)(Inputs(torch.randn(2, 1)))
    split = theta["split"][:, 0].double()
    logit = torch.log(split / (1.0 - split))
    assert float(logit.mean()) == pytest.approx(np.log(0.4 / 0.6), abs=0.03)
    assert float(logit.std()) == pytest.approx(0.5, abs=0.02)
    low, high = np.log(LEAK.lower), np.log(LEAK.upper)
    share = (torch.log(theta["leak"][:, 1].double()) - low) / (high - low)
    start = (np.log(LEAK.default) - low) / (high - low)
    assert float(torch.log(share / (1 - share)).mean()) == pytest.approx(
        np.log(start / (1 - start)), abs=0.03
    )
    # Every site starts with the same sets.
    assert torch.equal(theta["split"][:, 0], theta["split"][:, 1])


def test_one_member_is_as_none():
    assert_same_fit(quick(members=1), quick())
    assert "start" not in quick(members=1).network.state_dict()
    assert quick(members=1).parameters(world())["leak"].dims == ("lat", "lon")


def test_same_seed_same_fit(fit):
    assert_same_fit(quick(members=4, learning_rate=0.05), fit)
    assert not np.array_equal(weights(fit), weights(quick(members=4, learning_rate=0.05, seed=1)))


def test_parameters_of_routes_are_shared(hbv):
    ds = hydrological()
    theta = hbv.parameters(ds)
    assert theta["route_a"].dims == theta["route_b"].dims == ("lat", "lon")
    assert all(theta[p.name].dims == ("member", "lat", "lon") for p in HBV().step_parameters)
    assert len(hbv.network.columns.names) == 3 * len(HBV().step_parameters) + 2
    single = [xdpl.simulate(ds, HBV(), theta.isel(member=i))["streamflow"] for i in range(3)]
    np.testing.assert_allclose(hbv.simulate(ds)["streamflow"], sum(single) / 3.0, rtol=1e-3, atol=1e-5)


def test_shared_parameters_start_at_the_default():
    fit = quick(
        hydrological(), model=HBV(), target="streamflow", members=3, train=None, epochs=1, learning_rate=1e-9
    )
    theta = fit.parameters(hydrological())
    np.testing.assert_allclose(theta["route_a"], 0.9, rtol=0.01)
    assert float(theta["beta"].std("member").min()) > 0


@pytest.mark.parametrize("chunks", [{"lat": 1, "lon": 1}, {"lon": 2}])
def test_lazy_is_eager(fit, chunks):
    ds = world()
    lazy = fit.parameters(ds.chunk(chunks))
    assert lazy["leak"].chunks is not None
    xr.testing.assert_equal(lazy.compute(), fit.parameters(ds))
    simulated = fit.simulate(ds.chunk(chunks))["runoff"]
    assert simulated.chunks is not None
    np.testing.assert_allclose(simulated, fit.simulate(ds)["runoff"], rtol=1e-5)


def test_dynamic_members():
    ds = world()
    fit = quick(network=LSTM(hidden=4), members=2, dynamic=["leak"], dynamic_dropout=0.3, learning_rate=0.05)
    theta = fit.parameters(ds)
    assert theta["leak"].dims == ("time", "member", "lat", "lon")
    assert theta["split"].dims == ("member", "lat", "lon")
    single = [xdpl.simulate(ds, Bucket(), theta.isel(member=i))["runoff"] for i in range(2)]
    np.testing.assert_allclose(fit.simulate(ds)["runoff"], sum(single) / 2.0, rtol=1e-5)


def test_saved_and_loaded(fit, tmp_path):
    fit.save(tmp_path / "fit")
    loaded = xdpl.load(tmp_path / "fit", model=Bucket())
    assert_same_fit(loaded, fit)
    xr.testing.assert_equal(loaded.parameters(world()), fit.parameters(world()))


def test_final_states_are_those_of_each_member(fit):
    ds = world()
    _, states = fit.simulate(ds.isel(time=slice(100)), return_states=True)
    assert states["storage"].sizes["member"] == 4
    theta = fit.parameters(ds)
    rest = xdpl.simulate(ds.isel(time=slice(100, None)), Bucket(), theta, initial=states, average="member")
    xr.testing.assert_equal(rest["runoff"], fit.simulate(ds)["runoff"].isel(time=slice(100, None)))


def test_report(fit):
    lines = {line.split()[0]: line for line in repr(fit).splitlines()[1:]}
    assert lines["members"].split() == ["members", "4,", "averaged"]
    assert "mlp 2 → 8 → 8" in lines["network"]


@pytest.mark.parametrize("members", [0, -1, 2.0, True, "2"])
def test_bad_numbers(members):
    with pytest.raises(InputErrors) as raised:
        quick(members=members)
    assert "an integer of at least 1" in problems(raised)["members"]
