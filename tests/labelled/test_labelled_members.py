"""Dims of parameters that forcings lack are members: run together, and each as if alone."""

import numpy as np
import pytest
import xarray as xr
from model_cases import MODELS, weather

import xdpl
from xdpl import engines


def varied(dims, shape, seed=0):
    rng = np.random.default_rng(seed)
    return xr.Dataset(
        {
            "fc": (dims, rng.uniform(100, 400, shape), {"units": "mm"}),
            "k1": ((), 0.2, {"units": "d-1"}),
            "beta": (dims[:1], rng.uniform(1.5, 4, shape[:1]), {"units": "1"}),
        }
    )


@pytest.mark.parametrize(
    "dims", [("member", "lat", "lon"), ("lon", "member", "lat"), ("lat", "lon", "member")]
)
def test_each_member_is_as_if_alone(dims):
    ds = weather(("lat", "lon"), (2, 3))
    sizes = {"member": 4, "lat": 2, "lon": 3}
    theta = varied(dims, tuple(sizes[d] for d in dims))
    sim, states = xdpl.simulate(ds, "hbv", theta, return_states=True)
    assert sim["streamflow"].dims == ("member", "time", "lat", "lon")
    for i in range(4):
        alone = xdpl.simulate(ds, "hbv", theta.isel(member=i), return_states=True)
        for together, single in zip((sim, states), alone, strict=True):
            xr.testing.assert_equal(together.isel(member=i), single)


def test_two_dims_of_members_with_labels():
    ds = weather()
    theta = varied(("rcp", "seed"), (2, 3)).assign_coords(rcp=["low", "high"])
    sim = xdpl.simulate(ds, "hbv", theta)
    assert sim["streamflow"].dims == ("rcp", "seed", "time", "basin")
    assert sim["rcp"].values.tolist() == ["low", "high"]
    xr.testing.assert_equal(
        sim.sel(rcp="high").isel(seed=1).drop_vars("rcp"),
        xdpl.simulate(ds, "hbv", theta.drop_vars("rcp").isel(rcp=1, seed=1)),
    )


def test_forcings_are_not_repeated(monkeypatch):
    seen = []
    original = engines.run

    def run(engine, model, forcings, parameters, **options):
        seen.append((forcings["precipitation"].shape, parameters["fc"].shape, options["members"]))
        return original(engine, model, forcings, parameters, **options)

    monkeypatch.setattr(engines, "run", run)
    xdpl.simulate(weather(("lat", "lon"), (2, 3)), "hbv", varied(("member", "lat"), (4, 2)))
    assert seen == [((40, 6), (4, 6), 4)]


def test_a_site_without_dims_and_parameters_in_time():
    ds = weather((), ())
    rng = np.random.default_rng(0)
    theta = xr.Dataset({"fc": (("member", "time"), rng.uniform(100, 400, (2, 40)), {"units": "mm"})})
    sim = xdpl.simulate(ds, "hbv", theta)
    assert sim["streamflow"].dims == ("member", "time")
    xr.testing.assert_equal(sim.isel(member=1), xdpl.simulate(ds, "hbv", theta.isel(member=1)))


def test_nan_members_and_sites(counter):
    ds = weather()
    theta = varied(("member", "basin"), (2, 3))
    theta["fc"][0, 1] = theta["fc"][:, 2] = np.nan
    ds["precipitation"] = ds["precipitation"].where(ds["basin"] < 20).assign_attrs(units="mm d-1")
    sim = xdpl.simulate(ds, "hbv", theta)
    gone = [[False, True, True], [False, False, True]]
    assert sim["streamflow"].isnull().all("time").values.tolist() == gone
    assert sim["streamflow"].isnull().any("time").values.tolist() == gone
    lazy = xdpl.simulate(ds.chunk(basin=1), "hbv", theta.chunk(member=1))
    assert counter.calls == 0
    xr.testing.assert_equal(lazy.compute(), sim)


@pytest.mark.parametrize("name", MODELS)
def test_engines_agree(name):
    ds, model = weather(), MODELS[name]
    parameter = model.parameters[0]
    values = np.linspace(parameter.lower, parameter.upper, 4)[1:3]
    theta = xr.Dataset({parameter.name: ("member", values, {"units": parameter.units})})
    fused, plain = (xdpl.simulate(ds, model, theta, engine=e) for e in ("numba", "array"))
    xr.testing.assert_allclose(fused, plain, rtol=1e-9)
    assert float(fused[model.outputs[0]].std("member").max()) > 0
