"""Datasets on a GPU, where there is one: they stay there, and give what numpy gives."""

import numpy as np
import pytest
import torch
import xarray as xr
from helpers_learn import quick, world
from model_cases import MODELS, weather

import xdpl

pytest.importorskip("numba_cuda", reason="numba-cuda compiles for GPUs")
cupy = pytest.importorskip("cupy")
pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")


def there(ds):
    return ds.map(lambda a: a.copy(data=cupy.asarray(a.values)))


def assert_same(got, wanted, rtol=1e-9):
    assert all(isinstance(v.data, cupy.ndarray) for v in got.values())
    xr.testing.assert_allclose(got.map(lambda a: a.copy(data=a.data.get())), wanted, rtol=rtol, atol=1e-9)


@pytest.mark.parametrize("name", MODELS)
def test_simulate(name):
    model, ds = MODELS[name], weather(("lat", "lon"), (2, 3))
    ds["precipitation"][:, 0, 1] = np.nan
    theta = xr.Dataset(
        {
            p.name: (("member", "lat"), p.default * np.array([[1.0, 0.99], [1.01, 1.0]]), {"units": p.units})
            for p in model.parameters
        }
    )
    options = {"outputs": list(model.all_outputs()), "return_states": True}
    got = xdpl.simulate(there(ds), model, there(theta), engine="cuda", **options)
    for a, b in zip(got, xdpl.simulate(ds, model, theta, **options), strict=True):
        assert_same(a, b)
        assert a.attrs["parameters_hash"] == b.attrs["parameters_hash"]


@pytest.mark.parametrize("method", ["oudin", "hargreaves"])
def test_pet(method):
    ds = weather(("lat", "lon"), (2, 3))
    low, high = ((ds["air_temperature"] + d).assign_attrs(units="degC") for d in (-4.0, 4.0))
    ds = ds.assign(air_temperature_min=low, air_temperature_max=high)
    ds["lat"].attrs["units"] = "degrees_north"
    assert_same(xdpl.pet(there(ds), method).to_dataset(), xdpl.pet(ds, method).to_dataset())


def test_a_fit():
    fit, ds = quick(), world()
    # The network is one of float32.
    assert_same(fit.parameters(there(ds)), fit.parameters(ds), rtol=1e-5)
    scores, wanted = fit.evaluate(there(ds)), fit.evaluate(ds)
    assert all(isinstance(v.data, np.ndarray) for v in scores.values())
    xr.testing.assert_allclose(scores, wanted, rtol=1e-3)
