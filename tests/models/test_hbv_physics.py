"""HBV: the published bounds, time steps other than a day, the water of a year, variants in their limits."""

import dataclasses
from functools import partial

import numpy as np
import pytest
import xarray as xr
from model_cases import parameters, random_inputs, weather
from reference_models import hbv_step, on_its_way, route, run

from xdpl import engines, evaluation
from xdpl.models.hbv import HBV

VARIANTS = {
    "plain": HBV(),
    "capillary": HBV("capillary"),
    "ramp": HBV(snow_range=2.0),
    "capillary, ramp": HBV("capillary", snow_range=2.0),
}
PARTS = ["surface_runoff", "interflow", "baseflow"]

# Seibert and Vis (2012) and Feng et al. (2022), with the units of a day.
PUBLISHED = {
    "beta": (1.0, 6.0, "1"),
    "fc": (50.0, 1000.0, "mm"),
    "k0": (0.05, 0.9, "d-1"),
    "k1": (0.01, 0.5, "d-1"),
    "k2": (0.001, 0.2, "d-1"),
    "lp": (0.2, 1.0, "1"),
    "perc": (0.0, 10.0, "mm d-1"),
    "uzl": (0.0, 100.0, "mm"),
    "tt": (-2.5, 2.5, "degC"),
    "cfmax": (0.5, 10.0, "mm degC-1 d-1"),
    "cfr": (0.0, 0.1, "1"),
    "cwh": (0.0, 0.2, "1"),
    "betaet": (0.3, 5.0, "1"),
    "c": (0.0, 1.0, "d-1"),
    "route_a": (0.0, 2.9, "1"),
    "route_b": (0.0, 6.5, "d"),
}


@pytest.fixture(params=VARIANTS)
def model(request):
    return VARIANTS[request.param]


def everything(model):
    return [d.name for d in (*model.fluxes, *model.states)]


def test_parameters_are_those_of_the_papers(model):
    found = {p.name: (p.lower, p.upper, p.units) for p in model.parameters}
    capillary = () if model.variant == "capillary" else ("betaet", "c")
    assert found == {k: v for k, v in PUBLISHED.items() if k not in capillary}
    assert all(p.scale == "linear" for p in model.parameters)


def test_an_uncalibrated_run_starts_almost_empty(model):
    theta = model.pack("parameters", {k: np.full(2, v) for k, v in model.defaults().items()})
    start = model.initial_states(np, theta)
    assert set(start) == {"snowpack", "meltwater", "soil_moisture", "upper_zone", "lower_zone"}
    assert all((v == 0.001).all() for v in start.values())
    assert theta._asdict().get("betaet", np.ones(1))[0] == 1.0


@pytest.mark.parametrize("dt", [0.25, 3.0])
def test_rates_are_per_day_whatever_the_step(model, dt):
    """With the plain loop, which knows no step: water and rates of a step instead of a day."""
    days, sites = 120, 12
    model = dataclasses.replace(model, dt=dt)
    forcings, theta, start = random_inputs(model, days, sites, seed=4)
    series, final = engines.run("array", model, forcings, theta, initial=start, outputs=everything(model))
    step = partial(hbv_step, snow_range=model.snow_range)
    (hydrograph,) = model.routes
    for site in range(sites):
        rain_and_demand = ("precipitation", "potential_evapotranspiration")
        f = {k: (v[:, site] * (dt if k in rain_and_demand else 1.0)).tolist() for k, v in forcings.items()}
        p = {k: float(v[site]) for k, v in theta.items()}
        p |= {k: dt * p[k] for k in ("perc", "cfmax", "c") if k in p}
        # No box gives more than it has.
        p |= {k: min(dt * p[k], 1.0) for k in ("k0", "k1", "k2")}
        rows = run(step, f, p, {k: float(v[site]) for k, v in start.items()}, days)
        for name in everything(model):
            of_a_day = model.output(name).units == "mm d-1"
            expected = [row["runoff" if name == "streamflow" else name] for row in rows]
            if of_a_day:
                expected = [v / dt for v in expected]
            if name == "streamflow":
                # Scale of the hydrograph in steps: (b + 0.5) / dt is what the loop calls b + 0.5.
                a, b = p["route_a"], (p["route_b"] + 0.5) / dt - 0.5
                expected = route(expected, a, b, days=hydrograph.length)
            np.testing.assert_allclose(series[name][:, site], expected, rtol=1e-11, atol=1e-10, err_msg=name)
        assert final["unrouted_streamflow"].shape[0] == hydrograph.length - 1


@pytest.mark.parametrize("engine", ["array", "numba"])
def test_the_water_of_a_year(model, engine):
    """P - ET - Q is what the stores and the river have gained, to 1e-9 mm, at any parameters."""
    days, sites = 365, 200
    forcings, theta, start = random_inputs(model, days, sites, seed=2)
    rng = np.random.default_rng(3)
    shares = rng.uniform(0.0, 1.0, (len(model.parameters), sites))
    # Half of the parameters at one of their bounds.
    shares = np.where(rng.random(shares.shape) < 0.5, np.rint(shares), shares)
    theta = parameters(model, shares)
    start["soil_moisture"] = np.minimum(start["soil_moisture"], theta["fc"])
    outputs = ("streamflow", "evapotranspiration")
    series, final = engines.run(engine, model, forcings, theta, initial=start, outputs=outputs)
    net = (forcings["precipitation"] - series["evapotranspiration"] - series["streamflow"]).sum(axis=0)
    gained = sum(final[s.name] - start[s.name] for s in model.states)
    late = final["unrouted_streamflow"]
    gained += [
        on_its_way(late[:, i].tolist(), theta["route_a"][i], theta["route_b"][i]) for i in range(sites)
    ]
    np.testing.assert_allclose(net, gained, rtol=0.0, atol=1e-9)
    assert forcings["precipitation"].sum(axis=0).min() > 500.0


def test_evapotranspiration_stays_below_demand_and_supply(model):
    forcings, theta, start = random_inputs(model, 365, 100, seed=5)
    outputs = everything(model)
    series, _ = engines.run("numba", model, forcings, theta, initial=start, outputs=outputs)
    assert (series["evapotranspiration"] <= forcings["potential_evapotranspiration"] * (1 + 1e-12)).all()
    assert all((series[name] >= 0.0).all() for name in outputs)


def test_without_rise_and_shape_capillary_is_plain():
    plain, capillary = VARIANTS["plain"], VARIANTS["capillary"]
    forcings, theta, start = random_inputs(plain, 100, 8)
    more = theta | {"c": np.zeros(8), "betaet": np.ones(8)}
    series = [
        engines.run("array", m, forcings, p, initial=start, outputs=everything(m))[0]
        for m, p in ((plain, theta), (capillary, more))
    ]
    for name in everything(plain):
        np.testing.assert_allclose(series[1][name], series[0][name], rtol=1e-12, atol=1e-12)


def test_rain_and_snow_of_the_ramp_by_hand():
    """Half of the precipitation is snow at the threshold, a quarter half a degree above it."""
    model = HBV(snow_range=2.0, routing=None)
    theta = {k: np.full(5, v) for k, v in model.defaults().items()} | {"cfmax": np.full(5, 0.5)}
    forcings = {
        "precipitation": np.full((1, 5), 8.0),
        "air_temperature": np.array([[-1.0, 0.0, 0.5, 1.0, 3.0]]),
        "potential_evapotranspiration": np.zeros((1, 5)),
    }
    start = {s.name: np.zeros(5) for s in model.states}
    series, _ = engines.run(
        "array", model, forcings, theta, initial=start, outputs=("snow_water_equivalent", "recharge")
    )
    # Melt is half a millimetre per degree; a tenth of the snow holds water.
    snow = np.array([8.0, 4.0, 2.0, 0.0, 0.0])
    melt = np.array([0.0, 0.0, 0.25, 0.0, 0.0])
    held = np.minimum(melt, 0.1 * (snow - melt))
    np.testing.assert_allclose(series["snow_water_equivalent"][0], snow - melt + held, rtol=1e-14)


def test_every_output_of_a_dataset_and_its_baseflow_index():
    """What the three parts, the stores and the share of baseflow are, from one call."""
    ds = weather(days=400)
    model = HBV("capillary", snow_range=2.0)
    sim = ds.dpl.simulate(model, outputs=everything(model))
    assert set(sim.data_vars) == {
        *("streamflow", "runoff", *PARTS, "evapotranspiration", "recharge", "percolation"),
        *("snow_water_equivalent", "snowpack", "meltwater", "soil_moisture", "upper_zone", "lower_zone"),
    }
    total = sum(sim[name] for name in PARTS)
    np.testing.assert_allclose(sim["runoff"], total, rtol=1e-12)
    np.testing.assert_allclose(sim["snow_water_equivalent"], sim["snowpack"] + sim["meltwater"], rtol=1e-12)
    index = evaluation.baseflow_index(sim["runoff"], sim["baseflow"])
    expected = sim["baseflow"].sum("time").values / total.sum("time").values
    np.testing.assert_allclose(index, expected, rtol=1e-12)
    assert ((index > 0.05) & (index < 0.95)).all() and index.attrs["units"] == "1"
    assert list(ds.dpl.simulate(model)) == list(model.outputs)
    xr.testing.assert_equal(ds.dpl.simulate(model)["streamflow"], sim["streamflow"])
