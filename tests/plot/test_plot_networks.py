"""Pictures of fits with members, dynamic parameters, a history or several targets."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from helpers_learn import problems, quick, world

from xdpl.errors import InputErrors
from xdpl.networks import LSTM, History

mpl.use("agg")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def moving():
    return quick(network=LSTM(hidden=4), dynamic=["leak"], members=2, learning_rate=0.05)


@pytest.fixture(scope="module")
def two():
    ds = world()
    ds["wet"] = (2.0 * ds["runoff"]).assign_attrs(units="percent")
    return quick(ds, target={"runoff": "runoff", "wetness": "wet"}, loss="rmse"), ds


def shown(figure, i=0):
    return np.asarray(figure.axes[i].collections[0].get_array()).reshape(2, 3)


def test_maps_show_means_and_say_so(moving):
    ds = world()
    theta = moving.parameters(ds)
    figure = moving.plot.parameters(ds)
    np.testing.assert_allclose(shown(figure), theta["leak"].mean(["time", "member"]), rtol=1e-5)
    assert {a.get_title() for a in figure.axes} >= {"mean leak (d-1)", "mean split (1)"}


def test_maps_of_one_set_are_as_they_were():
    fit = quick()
    figure = fit.plot.parameters(world(), "leak")
    np.testing.assert_allclose(shown(figure), fit.parameters(world())["leak"], rtol=1e-6)
    assert "leak (d-1)" in {a.get_title() for a in figure.axes}


def test_each_target_has_its_pictures(two):
    fit, ds = two
    site = {"lat": 0, "lon": 1}
    sim = fit.simulate(ds, outputs=["runoff", "wetness"])
    for target in (None, "runoff", "wetness"):
        line = fit.plot.series(ds, site, target=target).lines[0].get_ydata()
        np.testing.assert_allclose(line, sim[target or "runoff"].isel(site), rtol=1e-5)
    assert "(1)" in fit.plot.scatter(ds, target="wetness").get_xlabel()
    fit.plot.cdf(ds, target="wetness")
    fit.plot.hydrograph(ds, site, target="runoff")
    fit.plot.flow_duration(ds, site, target="runoff")


def test_an_unknown_target(two):
    fit, ds = two
    with pytest.raises(InputErrors) as raised:
        fit.plot.scatter(ds, target="storage")
    assert "a target of the fit: runoff, wetness" in problems(raised)["target"]


def test_losses_of_several_targets_have_no_units(two):
    assert two[0].plot.history().get_ylabel() == "loss (rmse)"
    assert quick(loss="rmse").plot.history().get_ylabel() == "loss (rmse, mm d-1)"


def test_pictures_do_not_read_what_they_show():
    ds, fit = world(), quick(network=History(steps=20, hidden=4), learning_rate=0.05)
    site, late = {"lat": 1, "lon": 1}, slice("2001-04-01", None)
    expected = fit.simulate(ds, at="2001-01-01")["runoff"].isel(site)
    np.testing.assert_allclose(fit.plot.series(ds, site).lines[0].get_ydata(), expected, rtol=1e-5)
    expected = fit.simulate(ds, at="2001-04-01")["runoff"].isel(site).sel(time=late)
    simulated = [line.get_ydata() for line in fit.plot.hydrograph(ds, site, time=late).lines]
    assert any(len(y) == expected.size and np.allclose(y, expected, rtol=1e-5) for y in simulated)
