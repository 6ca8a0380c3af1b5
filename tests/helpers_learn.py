"""A model of a few operations, small worlds and fits that the tests of learning share."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import xarray as xr

import xdpl
from xdpl.models import Flux, Forcing, Model, Parameter, State

# The tensors are tiny: threads would only wait for each other.
torch.set_num_threads(1)

ATTRIBUTES = ["sand", "clay"]


@dataclass(frozen=True)
class Bucket(Model):
    """One leaking store: an epoch takes milliseconds. Also a third-party model."""

    dt: float = 1.0

    name: ClassVar[str] = "bucket"
    forcings = (Forcing("precipitation", "mm d-1"),)
    parameters = (
        Parameter("leak", 0.01, 0.9, "d-1", 0.1, "outflow per storage", "log"),
        Parameter("split", 0.0, 1.0, "1", 0.4, "fraction of rain that runs off at once"),
    )
    states = (State("storage", "mm", initial=5.0),)
    fluxes = (Flux("runoff", "mm d-1", "", "outflow of the bucket"), Flux("wetness", "1"))
    outputs = ("runoff",)

    def step(self, xp: Any, s: Any, f: Any, p: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        quick = p.split * f.precipitation
        full = s.storage + (f.precipitation - quick) * self.dt
        out = p.leak * full
        storage = full - out
        return {"storage": storage}, {"runoff": quick + out / self.dt, "wetness": 0.01 * storage}


@functools.cache
def _world() -> xr.Dataset:
    rng = np.random.default_rng(3)
    coords = {
        "time": xr.date_range("2001-01-01", periods=200),
        "lat": ("lat", [40.0, 41.0], {"units": "degrees_north", "standard_name": "latitude"}),
        "lon": ("lon", [5.0, 6.0, 7.0], {"units": "degrees_east", "standard_name": "longitude"}),
    }
    ds = xr.Dataset(coords=coords)
    ds["sand"] = (("lat", "lon"), rng.uniform(10.0, 90.0, (2, 3)), {"units": "percent"})
    ds["clay"] = (("lat", "lon"), rng.uniform(0.0, 0.4, (2, 3)), {"units": "1"})
    rain = rng.gamma(0.3, 12.0, (200, 2, 3)).astype(np.float32)
    ds["precipitation"] = (("time", "lat", "lon"), rain, {"units": "mm d-1"})
    truth = xr.Dataset({"leak": 0.02 + 0.006 * ds["sand"], "split": 0.1 + 1.5 * ds["clay"]})
    truth["leak"].attrs, truth["split"].attrs = {"units": "d-1"}, {"units": "1"}
    observed = xdpl.simulate(ds, Bucket(), truth)["runoff"]
    seen = rng.random(observed.shape) > 0.3
    ds["runoff"] = observed.where(seen).assign_attrs(observed.attrs)
    return ds


def world() -> xr.Dataset:
    """Two by three sites, 200 days, runoff of `Bucket` observed on 70 % of the days."""
    return _world().copy(deep=True)


def quick(ds: xr.Dataset | None = None, **options: Any) -> xdpl.Fit:
    """A fit of `Bucket` in a fraction of a second."""
    defaults: dict[str, Any] = {
        "target": "runoff",
        "attributes": ATTRIBUTES,
        "network": xdpl.networks.MLP(hidden=(8,)),
        "train": slice("2001-02-01", "2001-04-30"),
        "epochs": 3,
        "batch": 4,
        "window": 30,
        "warmup": 10,
        "learning_rate": 0.02,
        "progress": False,
    }
    model = options.pop("model", Bucket())
    return xdpl.learn(world() if ds is None else ds, model, **(defaults | options))


#: Of `Stores`.
ORDER = [("slow", "fast")]


@dataclass(frozen=True)
class Stores(Model):
    """Two stores, of which the first alone is seen: the other stays at its default without an order."""

    name: ClassVar[str] = "stores"
    forcings = (Forcing("precipitation", "mm d-1"),)
    parameters = (
        Parameter("slow", 0.01, 0.9, "d-1", 0.2, scale="log"),
        Parameter("fast", 0.01, 0.9, "d-1", 0.22, scale="log"),
    )
    states = (State("left", "mm", initial=5.0), State("right", "mm", initial=5.0))
    fluxes = (Flux("runoff", "mm d-1"),)
    outputs = ("runoff",)

    def step(self, xp: Any, s: Any, f: Any, p: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        left, right = s.left + f.precipitation, s.right + f.precipitation
        out = p.slow * left
        return {"left": left - p.slow * left, "right": right - p.fast * right}, {"runoff": out}


def stores(**options: Any) -> tuple[xdpl.Fit, xr.Dataset]:
    """Taught by a world in which what is called slow is faster than the default of the other."""
    ds = world()
    truth = xr.Dataset({"slow": 0.25 + 0.006 * ds["sand"], "fast": 0.22 + 0.0 * ds["sand"]})
    for p in truth.data_vars.values():
        p.attrs["units"] = "d-1"
    ds["runoff"] = xdpl.simulate(ds, Stores(), truth)["runoff"]
    return quick(ds, model=Stores(), **{"epochs": 40} | options), ds


@functools.cache
def _twin() -> xr.Dataset:
    return xdpl.data.twin(shape=(5, 6), years=1)


def twin() -> xr.Dataset:
    """The synthetic world of the package, small: the model `vic` is the truth."""
    return _twin().copy(deep=True)


@functools.cache
def fitted() -> xdpl.Fit:
    """`vic` learned on the twin: 22 sites, February to August; eight sites held out."""
    ds = _twin()
    return xdpl.learn(
        ds,
        "vic",
        target="soil_moisture",
        attributes=["sand", "clay", "ndvi", "elevation"],
        train=slice("2001-02", "2001-08"),
        validate=slice("2001-09", "2001-10"),
        sites=training_sites(ds),
        epochs=8,
        window=60,
        warmup=15,
        batch=48,
        learning_rate=0.02,
        progress=False,
    )


def training_sites(ds: xr.Dataset) -> xr.DataArray:
    """All but every fourth along the diagonals."""
    return ((2 * (ds["lat"] + ds["lon"])).astype(int) % 4 != 0).transpose("lat", "lon")


def weights(fit: xdpl.Fit) -> np.ndarray:
    """All weights of a fit in one vector."""
    return np.concatenate([v.numpy().ravel() for v in fit.network.state_dict().values()])


def assert_same_fit(a: xdpl.Fit, b: xdpl.Fit) -> None:
    """Bit for bit the same weights, statistics and losses."""
    np.testing.assert_array_equal(weights(a), weights(b))
    assert_same_scaling(a, b)
    one, other = (f.history.drop_vars(["seconds", "round_seconds"], errors="ignore") for f in (a, b))
    xr.testing.assert_identical(one, other)


def assert_same_scaling(a: xdpl.Fit, b: xdpl.Fit) -> None:
    """Bit for bit the same statistics."""
    for kind in ("attributes", "forcings", "responses"):
        for moment in ("mean", "std"):
            one, other = (getattr(getattr(fit.scaling, kind), moment) for fit in (a, b))
            np.testing.assert_array_equal(one, other)


def problems(raised: Any) -> dict[str, str]:
    """The problems of an `InputErrors` by subject, as text."""
    return {e.subject: str(e) for e in raised.value.exceptions}
