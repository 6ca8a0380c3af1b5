"""`learn(..., order=...)`: parameters keep their order wherever a fit gives them."""

import numpy as np
import pytest
import xarray as xr
from helpers_learn import ORDER, Stores, quick, stores, weights

import xdpl
from xdpl.errors import InputErrors


def assert_in_order(theta):
    assert bool((theta["slow"] <= theta["fast"]).all())
    for name, p in theta.data_vars.items():
        assert float(p.min()) >= 0.01, name
        assert float(p.max()) <= 0.9, name


def test_learned_parameters_keep_their_order(tmp_path):
    fit, ds = stores(order=ORDER)
    theta = fit.parameters(ds)
    assert_in_order(theta)
    free, _ = stores()
    assert bool((free.parameters(ds)["slow"] > free.parameters(ds)["fast"]).all()), "the order does something"
    assert "slow <= fast" in repr(fit)
    fit.save(tmp_path / "fit.zarr")
    xr.testing.assert_identical(
        xdpl.load(tmp_path / "fit.zarr", model=Stores()).parameters(ds).drop_attrs(deep=False),
        theta.drop_attrs(deep=False),
    )


def test_a_fresh_network_gives_the_defaults():
    fit, ds = stores(order=ORDER, epochs=1, learning_rate=1e-9)
    theta = fit.parameters(ds)
    np.testing.assert_allclose(theta["slow"], 0.2, rtol=1e-5)
    np.testing.assert_allclose(theta["fast"], 0.22, rtol=1e-5)


def test_members_and_days_keep_it_too():
    fit, ds = stores(order=ORDER, members=3)
    theta = fit.parameters(ds)
    assert theta["slow"].sizes["member"] == 3
    assert_in_order(theta)
    fit, ds = stores(order=ORDER, dynamic=["slow", "fast"], network=xdpl.networks.LSTM(4), epochs=3)
    theta = fit.parameters(ds)
    assert "time" in theta["slow"].dims
    assert_in_order(theta)


def test_without_an_order_nothing_changes():
    np.testing.assert_array_equal(weights(quick()), weights(quick(order=())))


def test_in_a_chain_all_vary_in_time_or_none():
    with pytest.raises(InputErrors, match="only dynamic or only static"):
        stores(order=ORDER, dynamic=["slow"], network=xdpl.networks.LSTM(4))


def test_what_is_no_order_is_said_with_everything_else():
    with pytest.raises(InputErrors) as caught:
        quick(order=[("leak", "split")], loss="rsme")
    text = str(caught.value)
    assert "split in the units of leak, d-1, got 1" in text
    assert "loss" in text


@pytest.mark.parametrize("method", ["sce-ua", "gradient"])
def test_calibrated_parameters_keep_it(method):
    _, ds = stores(epochs=1)
    call = {"target": "runoff", "method": method, "evaluations": 300, "warmup": 10, "progress": False}
    theta = xdpl.calibrate(ds, Stores(), order=ORDER, **call)
    assert_in_order(theta)
    assert float(theta["objective"].max()) < 0.01
    free = xdpl.calibrate(ds, Stores(), **call)
    assert bool((free["slow"] > free["fast"]).any())
    again = xdpl.calibrate(ds, Stores(), order=ORDER, start=theta[["slow", "fast"]], **call)
    assert bool((again["objective"] <= theta["objective"] + 1e-6).all())


def test_what_calibration_cannot_order():
    _, ds = stores(epochs=1)
    call = {"target": "runoff", "warmup": 10, "progress": False, "order": ORDER}
    with pytest.raises(InputErrors, match="slow among the fixed ones"):
        xdpl.calibrate(ds, Stores(), fixed={"slow": 0.1}, **call)
    with pytest.raises(InputErrors, match="slow of at most fast at every site"):
        xdpl.calibrate(ds, Stores(), start={"slow": 0.5, "fast": 0.1}, **call)
