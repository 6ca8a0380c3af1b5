"""Standard errors: what the bounds give without data, what a linear case gives by hand."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import xarray as xr

import xdpl
from xdpl.evaluation import standard_errors
from xdpl.models import Flux, Forcing, Model, Parameter, State


@dataclass(frozen=True)
class Line(Model):
    """y = a x, with a parameter b that does nothing."""

    name: ClassVar[str] = "line"
    forcings = (Forcing("x", "mm d-1"),)
    parameters = (
        Parameter("a", 0.0, 2.0, "1", 1.0),
        Parameter("b", 1.0, 100.0, "1", 10.0, scale="log"),
    )
    states = (State("clock", "d"),)
    fluxes = (Flux("y", "mm d-1"),)
    outputs = ("y",)

    def step(self, xp, s, f, p):
        return {"clock": s.clock + 1.0}, {"y": p.a * f.x + 0.0 * p.b}


@pytest.fixture
def ds():
    sites, days = 30, 40
    generator = np.random.default_rng(0)
    time = xr.date_range("2000-01-01", periods=days)
    out = xr.Dataset(coords={"time": time, "site": np.arange(sites)})
    out["x"] = (("time", "site"), generator.uniform(1, 3, (days, sites)), {"units": "mm d-1"})
    out["y"] = (out["x"] * 1.0).assign_attrs(units="mm d-1")
    out["soil"] = ("site", np.ones(sites) + np.tile([-1.0, 1.0], sites // 2), {"units": "1"})
    return out


def test_linear_case_by_hand(ds):
    errors = standard_errors(ds, Line(), xr.Dataset(), target="y", noise=0.5, attributes=["soil"])
    # In shares of the bounds, slope is 2 x; an attribute of two values gives terms (1, s, 1) and s² = 1.
    information = (2 * ds["x"].values / 0.5) ** 2
    soil = np.tile([-1.0, 1.0], 15)
    terms = np.stack([np.ones(30), soil, np.ones(30)], axis=1)
    total = np.einsum("sk,sl,s->kl", terms, terms, information.sum(axis=0)) + 12 * 3 * np.eye(3)
    expected = 2 * np.sqrt(np.einsum("sk,sl,kl->s", terms, terms, np.linalg.inv(total)))
    np.testing.assert_allclose(errors["a"], expected, rtol=1e-6)


def test_insensitive_parameter_keeps_what_its_bounds_say(ds):
    errors = standard_errors(ds, Line(), xr.Dataset(), target="y", noise=0.5, attributes=["soil"])
    np.testing.assert_allclose(errors["b"], np.log(100.0) / np.sqrt(12.0), rtol=1e-6)
    assert errors["b"].attrs["units"] == "1"


def test_fewer_observations_tell_less(ds):
    full = standard_errors(ds, Line(), xr.Dataset(), target="y", noise=0.5, attributes=["soil"])
    gappy = ds.assign(y=ds["y"].where(ds["time"].dt.day < 10))
    less = standard_errors(gappy, Line(), xr.Dataset(), target="y", noise=0.5, attributes=["soil"])
    half = standard_errors(
        ds,
        Line(),
        xr.Dataset(),
        target="y",
        noise=0.5,
        attributes=["soil"],
        time=slice("2000-01-01", "2000-01-20"),
    )
    assert (less["a"] > full["a"]).all()
    assert (half["a"] > full["a"]).all()


def test_on_a_grid_keeps_the_site_dims():
    twin = xdpl.data.twin(shape=(3, 4), years=1)
    errors = standard_errors(
        twin,
        "vic",
        xr.Dataset(),
        target="soil_moisture",
        noise=0.02,
        attributes=["sand"],
        time=slice("2001-01", "2001-03"),
    )
    assert errors["porosity"].dims == ("lat", "lon")
    assert bool(np.isfinite(errors["porosity"]).all())


def test_sites_without_observations_are_told_by_the_others():
    twin = xdpl.data.twin(shape=(3, 4), years=1)
    call = {"target": "soil_moisture", "noise": 0.02, "attributes": ["sand"]}
    twin["soil_moisture"] = twin["soil_moisture"].where(twin["lat"] > twin["lat"][0])
    twin["sand"] = twin["sand"].where(twin["lon"] > twin["lon"][0])
    errors = standard_errors(twin, "vic", None, **call)
    assert errors["ksat"].isnull().values.tolist() == [[True, False, False, False]] * 3


def test_one_error_lists_everything(ds):
    with pytest.raises(xdpl.errors.InputErrors) as caught:
        standard_errors(ds, Line(), {"c": 1.0}, target="z", noise=-1.0, attributes=["clay"])
    assert {e.subject for e in caught.value.exceptions} == {"noise", "c", "target", "clay"}
    with pytest.raises(xdpl.errors.InputErrors, match="at least one"):
        standard_errors(ds, Line(), None, target="y", noise=1.0, attributes=[])
