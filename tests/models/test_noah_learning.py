"""A world in which noah is the truth: what is learned from its surface holds at sites never seen."""

import numpy as np
import pytest
import torch
import xarray as xr

import xdpl
from xdpl.networks import MLP

# The tensors are tiny: threads would only wait for each other.
torch.set_num_threads(1)


@pytest.fixture(scope="module")
def world():
    """Six by eight sites, two years; five parameters follow sand, clay and the vegetation index."""
    ds = xdpl.data.twin(shape=(6, 8), years=2)
    sand, clay, green = ds["sand"] / 100.0, ds["clay"] / 100.0, ds["ndvi"]
    truth = {
        "porosity": 0.52 - 0.17 * sand,
        "b": 3.0 + 14.0 * clay,
        "ksat": 30.0 * np.exp(4.5 * sand),
        "reference_fraction": 0.55 + 0.6 * clay,
        "vegetation_fraction": 0.05 + 0.9 * green,
    }
    declared = {p.name: p for p in xdpl.models.get("noah").parameters}
    theta = {}
    for name, values in truth.items():
        p = declared[name]
        inside = values.clip(p.lower, p.upper)
        theta[name] = inside.drop_attrs(deep=False).assign_attrs(units=p.units)
    sim = ds.dpl.simulate("noah", xr.Dataset(theta))
    noise = 0.02 * np.random.default_rng(1).normal(size=sim["soil_moisture"].shape)
    observed = (sim["soil_moisture"] + noise).astype("f4").where(ds["soil_moisture"].notnull())
    return ds.assign(
        true_porosity=theta["porosity"],
        soil_moisture=observed.assign_attrs(units="m3 m-3"),
        true_soil_moisture=sim["soil_moisture"],
        true_evapotranspiration=sim["evapotranspiration"],
    )


def rmse(simulated, truth):
    """Over the second year, at each site."""
    difference = (simulated - truth).sel(time=slice("2002", None))
    return np.sqrt((difference**2).mean("time"))


def test_learning_halves_the_error_at_sites_never_seen(world):
    held_out = xdpl.evaluation.random_folds(world["sand"], k=4, seed=0) == 0
    fit = world.dpl.learn(
        "noah",
        target="soil_moisture",
        attributes=["sand", "clay", "ndvi"],
        sites=~held_out,
        train=slice("2001-03", "2001-12"),
        network=MLP(hidden=(32,)),
        epochs=30,
        learning_rate=1e-2,
        progress=False,
    )
    learned = world.dpl.simulate("noah", fit.parameters(world))
    default = world.dpl.simulate("noah")
    for name, least in (("soil_moisture", 0.5), ("evapotranspiration", 0.0)):
        before, after = (
            float(rmse(sim[name], world[f"true_{name}"]).where(held_out).median())
            for sim in (default, learned)
        )
        print(f"{name}: {before:.4f} -> {after:.4f}")
        assert after < (1.0 - least) * before, name
    porosity = fit.parameters(world)["porosity"].where(held_out)
    correlation = xr.corr(porosity, world["true_porosity"].where(held_out))
    assert float(correlation) > 0.8
