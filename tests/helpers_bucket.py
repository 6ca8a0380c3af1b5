"""The bucket of `tests/external/bucket.c`: its declarations, its twin, and data for both."""

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import xdpl
from xdpl.models import BlackBox, Command, Flux, Forcing, Model, Parameter, State

SOURCE = Path(__file__).parent / "external" / "bucket.c"
FORTRAN = SOURCE.with_suffix(".f90")
FORCINGS = (
    Forcing("precipitation", "mm d-1", "lwe_precipitation_rate"),
    Forcing("demand", "mm d-1", "water_potential_evapotranspiration_flux"),
)
PARAMETERS = (
    Parameter("k", 0.001, 0.9, "d-1", 0.1, "recession", "log"),
    Parameter("capacity", 20.0, 400.0, "mm", 100.0),
)
# What makes the program fail, each in its way.
TROUBLE = Parameter("trouble", -1.0, 10.0, "1", 0.0)
FLUXES = (Flux("runoff", "mm d-1", "runoff_flux"), Flux("evaporation", "mm d-1"))
FAILS = {
    1: "exit code 1: bucket: k = 0.1, capacity = 100 | the bucket leaks",
    3: "output 'runoff' is not finite at 30 of 30 steps",
    4: "ended without a file output.csv",
    5: "output.csv is no table",
    6: "ended by signal 6",
    7: "output.csv has 1 lines below its head, not 30",
}


@dataclass(frozen=True)
class Twin(Model):
    """The same arithmetic, as a step."""

    dt: float = 1.0
    name = "twin"
    forcings = FORCINGS
    parameters = PARAMETERS
    states = (State("storage", "mm", initial=20.0),)
    fluxes = FLUXES
    outputs = ("runoff", "evaporation")

    def step(self, xp, s, f, p):
        storage = s.storage + f.precipitation
        filled = xp.where(storage < p.capacity, storage / p.capacity, xp.ones_like(storage))
        evaporation = xp.minimum(f.demand * filled, storage)
        storage = storage - evaporation
        spill = xp.where(storage > p.capacity, storage - p.capacity, xp.zeros_like(storage))
        storage = storage - spill
        outflow = p.k * storage
        return {"storage": storage - outflow}, {"runoff": spill + outflow, "evaporation": evaporation}


def compiled(folder, source=SOURCE):
    """A program of `tests/external`; the one reason to skip is that there is no compiler of its language."""
    if source.suffix == ".c":
        named, known, language = os.environ.get("CC"), ("cc", "gcc", "clang"), "C"
    else:
        named, known, language = os.environ.get("FC"), ("gfortran",), "Fortran"
    compiler = named or next(filter(None, map(shutil.which, known)), None)
    if compiler is None:
        pytest.skip(f"no {language} compiler")
    program = folder / source.stem
    # Fused multiplications would round otherwise than Python.
    args = [compiler, "-O2", "-ffp-contract=off", "-o", str(program), str(source), "-lm"]
    subprocess.run(args, check=True, capture_output=True)
    return program


def bucket(program, **options):
    """The program as a model."""
    args = [str(program), "{forcing}", "{parameters}", "{output}"]
    command = Command(args, **{k: options.pop(k) for k in ("keep_failed",) if k in options})
    given = {"version": "1", "batch": False, "workers": 2} | options
    return BlackBox("bucket", FORCINGS, (*PARAMETERS, TROUBLE), FLUXES, command, **given)


def called(function, **options):
    """A Python function as a model, with the same declarations but for the trouble."""
    given = {"version": "1", "workers": 0} | options
    return BlackBox("bucket", FORCINGS, PARAMETERS, FLUXES, function, **given)


def days(sites=3, length=30, seed=0):
    """Forcings (time, basin)."""
    rng = np.random.default_rng(seed)
    size = (length, sites)
    rain = rng.gamma(0.6, 12.0, size) * (rng.random(size) < 0.6)
    ds = xr.Dataset(
        {
            "precipitation": (("time", "basin"), rain, {"units": "mm d-1"}),
            "demand": (("time", "basin"), rng.uniform(0.0, 6.0, size), {"units": "mm d-1"}),
        }
    )
    when = xr.date_range("2001-01-01", periods=length, use_cftime=False)
    return ds.assign_coords(time=when, basin=[f"b{i}" for i in range(sites)])


def learnable(length, error=0.0):
    """Twelve basins whose recession and capacity follow two attributes, and the true parameters.

    Runoff is observed with an error, as a share of its spread.
    """
    ds = days(sites=12, length=length)
    rng = np.random.default_rng(8)
    for name in ("slope", "soil"):
        ds[name] = ("basin", rng.random(12), {"units": "1"})
    truth = xr.Dataset({"k": 0.02 * np.exp(3.0 * ds["slope"]), "capacity": 40.0 + 200.0 * ds["soil"]})
    truth["k"].attrs, truth["capacity"].attrs = {"units": "d-1"}, {"units": "mm"}
    true = xdpl.simulate(ds, Twin(), truth)["runoff"]
    noise = error * float(true.std()) * rng.normal(size=true.shape)
    ds["runoff"] = (true + noise).assign_attrs(true.attrs)
    return ds, truth


def theta(ds, seed=1):
    """Parameters (basin), in bounds."""
    rng = np.random.default_rng(seed)
    n = ds.sizes["basin"]
    values = {"k": rng.uniform(0.01, 0.5, n), "capacity": rng.uniform(30.0, 300.0, n)}
    units = {"k": "d-1", "capacity": "mm"}
    return xr.Dataset({k: ("basin", v, {"units": units[k]}) for k, v in values.items()}).assign_coords(
        basin=ds["basin"]
    )


def run(forcings, parameters):
    """The same arithmetic on datasets, with or without a dim of sites."""
    twin, storage = Twin(), 20.0 + 0.0 * parameters["k"].values
    fluxes = {"runoff": [], "evaporation": []}
    for t in range(forcings.sizes["time"]):
        row = twin.pack(
            "forcings", {k: np.asarray(forcings[k].values[t]) for k in ("precipitation", "demand")}
        )
        p = twin.pack("parameters", {k: np.asarray(parameters[k].values) for k in ("k", "capacity")})
        state, found = twin.step(np, twin.pack("states", {"storage": np.asarray(storage)}), row, p)
        storage = state["storage"]
        for name in fluxes:
            fluxes[name].append(found[name])
    dims = forcings["demand"].dims
    return xr.Dataset({k: (dims, np.stack(v)) for k, v in fluxes.items()}, coords={"time": forcings["time"]})


def slow(forcings, parameters):
    """Sleeps where the capacity is large."""
    if parameters["capacity"].values.max() > 300.0:
        time.sleep(60.0)
    return run(forcings, parameters)


def dies(forcings, parameters):
    """Ends its process where the capacity is large, without a word to Python."""
    if parameters["capacity"].values.max() > 300.0:
        print("out of memory", flush=True)
        os._exit(7)
    return run(forcings, parameters)


def raises(forcings, parameters):
    """Raises where the capacity is large."""
    if parameters["capacity"].values.max() > 300.0:
        msg = "the bucket is too large"
        raise ValueError(msg)
    return run(forcings, parameters)
