"""A model from outside the package, by instance and through an entry point."""

import json
from dataclasses import dataclass
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from model_cases import weather

import xdpl
from xdpl import models
from xdpl.errors import InputErrors
from xdpl.models import Flux, Forcing, Model, Parameter, State


@dataclass(frozen=True)
class Reservoir(Model):
    """A linear reservoir."""

    dt: float = 1.0
    scale: float = 1.0

    name = "reservoir"
    forcings = (Forcing("inflow", "mm d-1", "lwe_precipitation_rate", "inflow"),)
    parameters = (Parameter("k", 0.01, 0.9, "d-1", 0.2, "recession", "log"),)
    states = (State("storage", "mm", "", "storage", 10.0),)
    fluxes = (Flux("outflow", "mm d-1", "", "outflow"),)
    outputs = ("outflow",)

    def step(self, xp, s, f, p):
        storage = s.storage + self.scale * self.dt * f.inflow
        outflow = storage * -xp.expm1(-p.k * self.dt)
        return {"storage": storage - outflow}, {"outflow": outflow / self.dt}


def inflow():
    ds = weather(days=20)[["precipitation"]]
    ds["precipitation"].attrs["standard_name"] = "lwe_precipitation_rate"
    return ds


def test_runs_by_instance():
    ds = inflow()
    sim = ds.dpl.simulate(Reservoir(scale=2.0), {"k": 0.5}, outputs=["outflow", "storage"])
    storage = np.full(3, 10.0)
    for t in range(20):
        storage = (storage + 2.0 * ds["precipitation"].values[t]) * np.exp(-0.5)
        np.testing.assert_allclose(sim["storage"].values[t], storage, rtol=1e-12)
    assert sim["outflow"].attrs == {"units": "mm d-1", "long_name": "outflow"}
    assert sim.attrs["model"] == "reservoir"
    assert json.loads(sim.attrs["model_options"]) == {"dt": 1.0, "scale": 2.0}


def test_checks_by_instance():
    assert ready(inflow().dpl.check(Reservoir()))
    assert not ready(inflow().drop_vars("precipitation").dpl.check(Reservoir()))


def ready(check):
    return check.ok and "reservoir: ready to run" in repr(check)


def test_bounds_and_names_come_from_the_declarations():
    with pytest.raises(InputErrors) as caught:
        inflow().dpl.simulate(Reservoir(), {"k": 2.0, "kk": 1.0}, outputs=["outflo"])
    text = str(caught.value)
    assert "values in [0.01, 0.9] d-1" in text
    assert "a parameter of 'reservoir': k" in text
    assert "among outflow, storage" in text


def test_known_by_name_through_an_entry_point(monkeypatch):
    entry = EntryPoint("reservoir", f"{__name__}:Reservoir", "xdpl.models")
    monkeypatch.setattr(models, "_found", lambda: {"reservoir": entry, "vic": "xdpl.models.vic:VIC"})
    assert models.available() == ["reservoir", "vic"]
    assert models.get("reservoir") == Reservoir()
    by_name = xdpl.simulate(inflow(), "reservoir")
    np.testing.assert_array_equal(by_name["outflow"], xdpl.simulate(inflow(), Reservoir())["outflow"])


def test_built_in_models_are_known():
    assert {"hbv", "noah", "vic"} <= set(models.available())
    assert models.get("hbv").variant == "plain"
    instance = Reservoir()
    assert models.get(instance) is instance


@pytest.mark.parametrize(
    ("asked", "fix"), [("vik", "use 'vic'"), ("zzz", "pass an instance"), (3, "Model instance")]
)
def test_unknown_model(asked, fix):
    with pytest.raises(InputErrors, match="cannot run") as caught:
        models.get(asked)
    assert fix in str(caught.value)
    assert "'hbv', 'noah', 'vic'" in str(caught.value)


@pytest.mark.parametrize(
    ("bounds", "scale", "says"),
    [
        ((1.0, 2.0, 2.0), "linear", "is not inside"),
        ((1.0, 2.0, 0.5), "linear", "is not inside"),
        ((0.0, 2.0, 1.0), "log", "above 0"),
    ],
)
def test_a_parameter_that_cannot_be_learned_is_refused(bounds, scale, says):
    lower, upper, default = bounds
    with pytest.raises(ValueError, match=says):
        Parameter("k", lower, upper, "1", default, scale=scale)


def test_pack_refuses_what_is_not_declared():
    with pytest.raises(TypeError):
        Reservoir().pack("states", {"storage": 1.0, "snow": 0.0})
    assert Reservoir().pack("states", {"storage": 1.0}).storage == 1.0


def test_output_by_name():
    assert Reservoir().output("storage").units == "mm"
    with pytest.raises(KeyError):
        Reservoir().output("snow")
