"""The models under test, and inputs for them: random, and at the corners."""

import itertools

import numpy as np
import xarray as xr

from xdpl.models import Model
from xdpl.models.hbv import HBV
from xdpl.models.noah import Noah
from xdpl.models.vic import VIC

# Two substeps of Noah go every way that the default of four goes, in kernels that compile in half the time.
MODELS = {
    "vic": VIC(),
    "noah": Noah(substeps=2),
    "hbv": HBV("plain"),
    "hbv-capillary": HBV("capillary"),
}
# Without routes: for what runs the step alone.
STEPS = {
    "vic": VIC(),
    "noah": Noah(),
    "hbv": HBV("plain", routing=None),
    "hbv-capillary": HBV("capillary", routing=None),
}
OUTFLOWS = {
    "vic": ("surface_runoff", "baseflow"),
    "noah": ("surface_runoff", "baseflow"),
    "hbv": ("surface_runoff", "interflow", "baseflow"),
}
# What all outflow is called together.
TOTALS = {"vic": "runoff", "noah": "runoff", "hbv": "streamflow"}
VIC_LAYERS = {"w1": "d1", "w2": "d2", "w3": "d3"}


def capacities(model: Model, theta: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Most that a store can hold, mm; those without a bound are left out."""
    if isinstance(model, VIC):
        return {k: 1000.0 * theta["porosity"] * theta[d] for k, d in VIC_LAYERS.items()}
    if isinstance(model, Noah):
        leaves = theta["vegetation_fraction"] * theta["leaf_capacity"] * theta["lai"]
        layers = {f"w{i + 1}": 1000.0 * theta["porosity"] * d for i, d in enumerate(model.thicknesses)}
        return {"canopy_water": leaves, **layers}
    return {"soil_moisture": theta["fc"]}


def parameters(model: Model, unit: np.ndarray) -> dict[str, np.ndarray]:
    """Values in bounds from numbers in [0, 1], one row per parameter."""
    values = {}
    for p, u in zip(model.parameters, unit, strict=True):
        if p.scale == "log":
            value = p.lower * (p.upper / p.lower) ** u
        else:
            value = p.lower + (p.upper - p.lower) * u
        values[p.name] = np.clip(value, p.lower, p.upper)
    return values


def states(model: Model, theta: dict[str, np.ndarray], unit: np.ndarray) -> dict[str, np.ndarray]:
    """Stores from empty (0) to full (1), one row per state; unbounded ones end at 300 mm."""
    tops = capacities(model, theta)
    return {s.name: u * tops.get(s.name, np.asarray(300.0)) for s, u in zip(model.states, unit, strict=True)}


def random_inputs(model: Model, days: int, sites: int, seed: int = 0):
    """Forcings (time, site), parameters (site) and states (site), away from corners."""
    rng = np.random.default_rng(seed)
    theta = parameters(model, rng.uniform(0.02, 0.98, (len(model.parameters), sites)))
    start = states(model, theta, rng.uniform(0.05, 0.95, (len(model.states), sites)))
    shape = (days, sites)
    forcings = {
        "precipitation": rng.gamma(0.6, 12.0, shape) * (rng.random(shape) < 0.6),
        "air_temperature": rng.normal(2.0, 7.0, shape),
        "potential_evapotranspiration": rng.uniform(0.0, 7.0, shape),
    }
    return forcings, theta, start


def corner_inputs(model: Model):
    """One step at every mix of extreme forcings, states and parameter vertices; one axis of sites."""
    rng = np.random.default_rng(1)
    n = len(model.parameters)
    vertices = [np.zeros(n), np.ones(n), np.full(n, 0.5), *rng.integers(0, 2, (20, n))]
    wetness = [np.zeros(len(model.states)), np.ones(len(model.states))]
    wetness += [np.eye(len(model.states))[i] for i in range(len(model.states))]
    rain, degrees, demand = (0.0, 1e-12, 400.0), (0.0, -15.0, 15.0, -1.0, 1.0), (0.0, 9.0)
    rows = list(itertools.product(vertices, wetness, rain, degrees, demand))
    theta = parameters(model, np.array([r[0] for r in rows], dtype=float).T)
    start = states(model, theta, np.array([r[1] for r in rows]).T)
    forcings = {
        "precipitation": np.array([r[2] for r in rows]),
        "air_temperature": theta["tt"] + np.array([r[3] for r in rows]),
        "potential_evapotranspiration": np.array([r[4] for r in rows]),
    }
    return forcings, theta, start


def weather(
    dims: tuple[str, ...] = ("basin",), shape: tuple[int, ...] = (3,), days: int = 40, seed: int = 0
) -> xr.Dataset:
    """Forcings by name, in declared units, on (time, *dims)."""
    rng = np.random.default_rng(seed)
    size = (days, *shape)
    values = {
        "precipitation": ("mm d-1", rng.gamma(0.6, 12.0, size) * (rng.random(size) < 0.6)),
        "air_temperature": ("degC", rng.normal(4.0, 7.0, size)),
        "potential_evapotranspiration": ("mm d-1", rng.uniform(0.0, 7.0, size)),
    }
    ds = xr.Dataset({k: (("time", *dims), v, {"units": u}) for k, (u, v) in values.items()})
    coords = {d: 10.0 * np.arange(n) + 5.0 for d, n in zip(dims, shape, strict=True)}
    return ds.assign_coords(time=xr.date_range("2001-01-01", periods=days, use_cftime=False), **coords)
