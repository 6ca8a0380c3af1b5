"""Responses: of a model without memory exactly, of models and fits as by hand."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import xarray as xr
from helpers_learn import Bucket, quick, world

import xdpl
from xdpl.errors import InputErrors
from xdpl.evaluation import perturbation_response
from xdpl.models import Flux, Forcing, Model, NetworkOnly, Parameter, State


@dataclass(frozen=True)
class Square(Model):
    """y = a x², z = a x + t: elasticities of 2 + change, and of 0 to 1."""

    name: ClassVar[str] = "square"
    forcings = (Forcing("x", "mm d-1"), Forcing("t", "degC"))
    parameters = (Parameter("a", 0.0, 2.0, "1", 1.0),)
    states = (State("clock", "d"),)
    fluxes = (Flux("y", "mm d-1"), Flux("z", "mm d-1"))
    outputs = ("y", "z")

    def step(self, xp, s, f, p):
        return {"clock": s.clock + 1.0}, {"y": p.a * f.x * f.x, "z": p.a * f.x + f.t}


@pytest.fixture
def ds():
    rng = np.random.default_rng(0)
    out = xr.Dataset(coords={"time": xr.date_range("2000-01-01", periods=20), "site": [5, 6]})
    out["x"] = (("time", "site"), rng.uniform(1, 3, (20, 2)), {"units": "mm d-1"})
    out["t"] = (("time", "site"), np.full((20, 2), 280.15), {"units": "K"})
    return out


def test_closed_form(ds):
    found = perturbation_response(ds, Square(), relative={"x": (-0.1, 0.1)}, absolute={"t": 3.0})
    np.testing.assert_allclose(found["y_to_x"], np.broadcast_to([[1.9], [2.1]], (2, 2)), rtol=1e-10)
    mean = ds["x"].mean("time")
    np.testing.assert_allclose(found["z_to_x"].isel(x_change=0), mean / (mean + 7.0))
    np.testing.assert_allclose(found["z_to_t"].isel(t_change=0), 1.0 / (mean + 7.0))
    np.testing.assert_allclose(found["y_to_t"], 0.0, atol=1e-12)
    assert found["y_to_x"].dims == ("x_change", "site") and found["y_to_x"].attrs["units"] == "1"
    assert found["z_to_t"].attrs["units"] == "K-1" and found["t_change"].attrs["units"] == "K"
    assert "elasticity" in found["y_to_x"].attrs["long_name"]


def test_other_names_units_and_periods(ds):
    other = ds.rename(x="rain")
    other["rain"] = (other["rain"] / 1000).assign_attrs(units="m d-1")
    late = slice("2000-01-11", None)
    found = perturbation_response(
        other, Square(), {"a": 2.0}, forcings={"x": "rain"}, absolute={"x": 0.5}, outputs=["y"], time=late
    )
    x = ds["x"].sel(time=late)
    expected = (((x + 0.5) ** 2).mean("time") / (x**2).mean("time") - 1) / 0.5
    np.testing.assert_allclose(found["y_to_x"].isel(x_change=0), expected)
    assert found["y_to_x"].attrs["units"] == "mm-1 d"
    assert list(found.data_vars) == ["y_to_x"]


def test_zero_means_have_no_response(ds):
    found = perturbation_response(ds, Square(), {"a": 0.0}, relative={"x": 0.1}, outputs=["y"])
    assert found["y_to_x"].isnull().all()


def test_of_a_fit_and_of_its_parameters():
    fit, ds = quick(), world()
    ask = {"relative": {"precipitation": (-0.1, 0.1)}, "outputs": ["runoff", "wetness"]}
    found = perturbation_response(ds, fit, **ask)
    same = perturbation_response(ds, Bucket(), fit.parameters(ds), **ask)
    xr.testing.assert_allclose(found, same)
    # The store is linear but for what it begins with.
    assert 0.9 < float(found["runoff_to_precipitation"].min()) < 1.0


def test_of_an_ensemble_and_of_a_network_alone():
    both = quick(seed=[0, 1])
    found = perturbation_response(world(), both, relative={"precipitation": 0.1})
    assert set(found["runoff_to_precipitation"].dims) == {"precipitation_change", "seed", "lat", "lon"}
    alone = quick(model=NetworkOnly(Bucket()), network=xdpl.networks.LSTM(4))
    renamed = world().rename(precipitation="pr")
    found, other = (
        perturbation_response(d, alone, forcings=m, relative={"precipitation": 0.5})
        for d, m in ((world(), None), (renamed, {"precipitation": "pr"}))
    )
    by_hand = world()
    by_hand["precipitation"] = (by_hand["precipitation"] * 1.5).assign_attrs(units="mm d-1")
    after, before = (alone.simulate(d)["runoff"].astype(float).mean("time") for d in (by_hand, world()))
    np.testing.assert_allclose(
        found["runoff_to_precipitation"].isel(precipitation_change=0), (after / before - 1) / 0.5, rtol=1e-3
    )
    xr.testing.assert_allclose(found, other)


def test_lazy(ds, counter):
    found = perturbation_response(ds.chunk(site=1), Square(), relative={"x": 0.1})
    assert counter.calls == 0
    xr.testing.assert_allclose(found.compute(), perturbation_response(ds, Square(), relative={"x": 0.1}))


def test_every_problem_at_once(ds):
    with pytest.raises(InputErrors, match="perturbation_response cannot run") as caught:
        perturbation_response(
            ds.drop_vars("t"),
            Square(),
            relative={"x": (0.0, 0.1), "rain": 0.1},
            absolute={"x": 1.0},
            time=slice("2010", None),
        )
    found = {e.subject for e in caught.value.exceptions}
    assert {"x", "relative['x']", "relative['rain']", "time", "t"} <= found
    with pytest.raises(InputErrors, match="a forcing that changes"):
        perturbation_response(ds, Square())
    with pytest.raises(InputErrors, match="a model, a Fit"):
        perturbation_response(ds, 3, relative={"x": 0.1})
    with pytest.raises(InputErrors, match="the source has its own"):
        perturbation_response(world(), quick(), {"leak": 0.1}, relative={"precipitation": 0.1})
