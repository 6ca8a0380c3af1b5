"""Noah: the soil against small explicit steps and exact solutions; canopy, infiltration, roots."""

import functools
from itertools import pairwise

import numpy as np
import pytest
from model_cases import capacities, parameters, random_inputs
from reference_noah import LAYERS, canopy_ratio, curves

from xdpl import engines
from xdpl.models.canopy import intercept, transpiration_factors
from xdpl.models.noah import Noah

run = functools.partial(engines.run, "array")
W = ("w1", "w2", "w3", "w4")
FORCINGS = ("precipitation", "air_temperature", "potential_evapotranspiration")


def theta_of(sites=1, **values):
    """Defaults at every site but for what is given."""
    given = Noah().defaults() | values
    return {k: np.broadcast_to(np.asarray(v, float), (sites,)).copy() for k, v in given.items()}


def middle(sites, seed):
    """Random parameters of the middle of the bounds, where an explicit scheme is stable."""
    rng = np.random.default_rng(seed)
    return parameters(Noah(), rng.uniform(0.25, 0.75, (len(Noah.parameters), sites)))


def start_of(theta, wetness):
    """Layers at a fraction of saturation, one number for each or for all; neither snow nor canopy water."""
    zero = np.zeros_like(theta["b"])
    tops = capacities(Noah(), theta)
    layers = {k: tops[k] * s for k, s in zip(W, np.broadcast_to(wetness, 4), strict=True)}
    return {"snowpack": zero, "canopy_water": zero, **layers}


def days_of(theta, days, rain=0.0, degrees=15.0, pet=0.0):
    """The same weather on all days and sites."""
    shape = (days, len(theta["b"]))
    return {k: np.full(shape, v) for k, v in zip(FORCINGS, (rain, degrees, pet), strict=True)}


def outputs_of(model, theta, start, forcings):
    series, _ = run(model, forcings, theta, initial=start, outputs=list(model.all_outputs()))
    return series


def by_explicit_steps(theta, start, days, per_day=1440, inflow=0.0):
    """Contents after each day of Richards' equation alone, in explicit steps of a minute."""
    p, thickness = theta, np.array(LAYERS)[:, None] * 1000.0
    theta_, out = np.stack([start[k] for k in W]) / thickness, []
    apart = 0.5 * (thickness[:-1] + thickness[1:])
    for step in range(days * per_day):
        k, phi, _, _ = curves(theta_, p)
        down = np.concatenate([(phi[:-1] - phi[1:]) / apart + k[:-1], p["slope"] * k[-1:]])
        change = np.concatenate([np.zeros_like(down[:1]) + inflow, down[:-1]]) - down
        theta_ = theta_ + change / thickness / per_day
        if (step + 1) % per_day == 0:
            out.append(theta_ * thickness)
    return np.stack(out)


@pytest.mark.parametrize(
    "wetness", [0.95, (0.95, 0.5, 0.5, 0.5), (0.3, 0.3, 0.9, 0.9)], ids=["drying", "front", "rise"]
)
def test_the_daily_step_follows_explicit_minutes(wetness):
    """Drainage, a wetting front and capillary rise: implicit days against explicit minutes."""
    theta = middle(12, 0)
    start = start_of(theta, wetness)
    exact = by_explicit_steps(theta, start, 6)
    full = np.stack([capacities(Noah(), theta)[k] for k in W])
    errors = []
    for substeps in (2, 4, 8, 16):
        series = outputs_of(Noah(substeps=substeps), theta, start, days_of(theta, 6))
        errors.append(np.abs(np.stack([series[k] for k in W], 1) - exact) / full)
    # As a fraction of saturation; the first day after so sharp a start is the stiff one.
    assert errors[1].mean() < 0.01 and errors[1].max() < 0.12
    assert errors[1][-1].max() < 0.025
    for coarse, fine in pairwise(errors):
        assert fine.mean() < 0.62 * coarse.mean()


def test_water_rises_into_a_dry_layer():
    theta = theta_of()
    series = outputs_of(Noah(), theta, start_of(theta, (0.2, 0.2, 0.9, 0.9)), days_of(theta, 20))
    assert series["w2"][-1] > series["w2"][0] > 0.2 * capacities(Noah(), theta)["w2"]
    assert (series["w3"][0] < 0.9 * capacities(Noah(), theta)["w3"]).all()


def test_steady_rain_ends_at_the_conductivity_that_carries_it():
    """No suction gradient: every layer conducts what falls, as the equation of Campbell says."""
    theta = theta_of(3, slope=1.0, ksat=[30.0, 290.0, 4000.0], refkdt=10.0)
    series = outputs_of(Noah(), theta, start_of(theta, 0.5), days_of(theta, 1500, rain=6.0))
    baseflow = series["baseflow"][-1]
    np.testing.assert_allclose(baseflow + series["surface_runoff"][-1], 6.0, rtol=1e-9)
    expected = (baseflow / theta["ksat"]) ** (1.0 / (2.0 * theta["b"] + 3.0))
    for k in W:
        np.testing.assert_allclose(series[k][-1] / capacities(Noah(), theta)[k], expected, rtol=1e-7)
    assert (baseflow > 0.5).all()


def test_free_drainage_slows_down_and_goes_with_the_slope():
    theta = theta_of(4, slope=[0.01, 0.1, 0.5, 0.99])
    series = outputs_of(Noah(), theta, start_of(theta, 0.9), days_of(theta, 400))
    assert (np.diff(series["baseflow"][5:], axis=0) < 0.0).all()
    assert (np.diff(series["baseflow"][0]) > 0.0).all()
    held = sum(series[k] for k in W)
    np.testing.assert_allclose(held[-1] - held[0], -series["baseflow"][1:].sum(0), rtol=1e-10)
    assert (series["evapotranspiration"] == 0.0).all()


def test_converges_as_the_substeps_get_short():
    """First order, with rain, drying and all parameters: the error roughly halves each time."""
    forcings, theta, start = random_inputs(Noah(), 60, 30, seed=8)
    # Water that a full column hands up again is no matter of the solver.
    forcings["precipitation"] *= 0.3

    def contents(substeps):
        series = outputs_of(Noah(substeps=substeps), theta, start, forcings)
        return np.stack([series[k] for k in W])

    finest = contents(128)
    errors = [np.abs(contents(n) - finest).mean() for n in (1, 2, 4, 8, 16)]
    assert min(a / b for a, b in pairwise(errors)) > 1.6, errors
    assert errors[2] < 0.004 * finest.mean()


@pytest.mark.parametrize("rain", [0.0, 0.3, 25.0])
@pytest.mark.parametrize("demand", [0.0, 4.0])
def test_interception_is_the_integral_of_its_equation(rain, demand):
    water, capacity, steps = np.array([0.0, 0.2, 0.6]), 0.6, 20_000
    fine, evaporated = water.copy(), 0.0
    for _ in range(steps):
        # The rule of the midpoint.
        half = fine + 0.5 / steps * (rain - (rain + demand) * fine / capacity)
        evaporated = evaporated + demand * half / capacity / steps
        fine = fine + (rain - (rain + demand) * half / capacity) / steps
    after, throughfall, wet = intercept(np, water, *np.broadcast_arrays(rain, demand, capacity))
    np.testing.assert_allclose(after, fine, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(demand * wet, evaporated, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(after + throughfall + demand * wet, water + rain, rtol=1e-14)


def test_water_above_a_smaller_capacity_falls():
    after, throughfall, wet = intercept(np, *map(np.asarray, (2.0, 0.0, 0.0, 0.5)))
    assert (after, throughfall, wet) == (0.5, 1.5, 0.0)


def test_a_wet_canopy_evaporates_and_does_not_transpire():
    theta = theta_of(2, leaf_capacity=[0.05, 0.5], lai=8.0, vegetation_fraction=0.98)
    series = outputs_of(Noah(), theta, start_of(theta, 0.7), days_of(theta, 5, rain=30.0, pet=3.0))
    parts = [series[f"{k}"] for k in ("canopy_evaporation", "transpiration", "bare_soil_evaporation")]
    np.testing.assert_allclose(sum(parts), series["evapotranspiration"], rtol=1e-14)
    canopy, transpiration = (part[-1] / (3.0 * 0.98) for part in parts[:2])
    # Where rain and demand are constant the store is at capacity times rain / (rain + demand).
    np.testing.assert_allclose(canopy, 30.0 * 0.98 / (33.0 * 0.98), rtol=1e-6)
    assert (transpiration <= 1.0 - canopy).all()


@pytest.mark.parametrize("degrees", [-5.0, 0.0, 8.0, 25.0, 40.0])
@pytest.mark.parametrize("stress", [0.0, 0.3, 1.0])
def test_the_ratio_is_penman_monteith_over_penman(degrees, stress):
    p = {"rc_min": 120.0, "lai": 2.5}
    a, closed = transpiration_factors(np, np.asarray(degrees), p["rc_min"], p["lai"], 100.0)
    ratio = a * stress / (a * stress + closed)
    np.testing.assert_allclose(ratio, canopy_ratio(degrees, stress, p), rtol=1e-13)
    assert 0.0 <= ratio < 1.0
    assert (ratio == 0.0) == (stress == 0.0 or degrees <= 0.0)


def transpired(wetness=0.9, degrees=20.0, **values):
    theta = theta_of(vegetation_fraction=0.9, **values)
    forcings = days_of(theta, 1, degrees=degrees, pet=5.0)
    return float(outputs_of(Noah(), theta, start_of(theta, wetness), forcings)["transpiration"][0, 0])


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("rc_min", (400.0, 100.0, 30.0)),
        ("lai", (0.5, 2.0, 6.0)),
        ("degrees", (5.0, 15.0, 25.0)),
        ("wetness", (0.3, 0.4, 0.6, 0.75)),
        ("wilting_fraction", (0.7, 0.4, 0.1)),
    ],
)
def test_what_opens_stomata(name, values):
    found = [transpired(**({"wetness": 0.7} | {name: v})) for v in values]
    assert all(a < b for a, b in pairwise(found)), found
    assert found[-1] < 4.5


def test_limits_of_transpiration():
    # Above reference only the resistance without stress is left.
    expected = 4.5 * canopy_ratio(20.0, 1.0, Noah().defaults())
    assert transpired(0.97, slope=0.02, ksat=30.0) == pytest.approx(expected, rel=1e-12)
    assert transpired(0.75 * 0.3 - 1e-9) == 0.0
    assert transpired(degrees=-0.1) == 0.0


def test_shallow_roots_leave_deep_water():
    found = []
    for depth in (0.05, 0.3, 1.0):
        theta = theta_of(root_depth=depth, vegetation_fraction=0.98)
        forcings = days_of(theta, 120, pet=5.0)
        # Without water that moves from layer to layer.
        theta["ksat"], theta["psi_sat"] = np.full(1, 20.0), np.full(1, 0.03)
        found.append(outputs_of(Noah(), theta, start_of(theta, 0.6), forcings)["w4"][-1, 0])
    assert found[0] > found[1] > found[2]


def test_root_shares_sum_to_one():
    model = Noah()
    depth = np.geomspace(0.05, 1.0, 9)
    shares = np.stack(model._root_shares(np, depth))
    np.testing.assert_allclose(shares.sum(0), 1.0, rtol=1e-14)
    assert (shares > 0.0).all()
    fine = np.linspace(0.0, 0.1, 20001)
    density = np.exp(-fine[:, None] / depth) / (depth * (1.0 - np.exp(-2.0 / depth)))
    np.testing.assert_allclose(shares[0], np.trapezoid(density, fine, axis=0), rtol=1e-6)


@pytest.mark.parametrize("fxexp", [0.5, 1.0, 2.0, 4.0])
def test_bare_soil_dries_by_a_power_of_its_wetness(fxexp):
    theta = theta_of(3, fxexp=fxexp, vegetation_fraction=0.02, ksat=20.0, psi_sat=0.03)
    dry = theta["reference_fraction"] * theta["wilting_fraction"] * theta["dry_fraction"]
    start = start_of(theta, 0.5)
    start["w1"] = capacities(Noah(), theta)["w1"] * np.array([0.2, 0.4, 1.0])
    pet = 1e-4
    found = outputs_of(Noah(), theta, start, days_of(theta, 1, pet=pet))["bare_soil_evaporation"][0]
    wetness = (np.array([0.2, 0.4, 1.0]) - dry) / (1.0 - dry)
    # Saturated soil drains a little within the day.
    np.testing.assert_allclose(found[:2], 0.98 * pet * wetness[:2] ** fxexp, rtol=0.02)
    assert 0.7 * 0.98 * pet < found[2] <= 0.98 * pet


def test_infiltration_is_that_of_schaake():
    theta = theta_of(5, refkdt=[0.1, 1.0, 3.0, 3.0, 10.0], ksat=[50.0, 172.8, 300.0, 3000.0, 300.0])
    start = start_of(theta, 0.4)
    series = outputs_of(Noah(), theta, start, days_of(theta, 1, rain=40.0))
    room = sum(0.6 * capacities(Noah(), theta)[k] for k in W)
    reach = room * (1.0 - np.exp(-theta["refkdt"] * theta["ksat"] / 172.8))
    intercepted = series["canopy_water"][0]
    liquid = 40.0 - intercepted
    expected = liquid - liquid * reach / (liquid + reach)
    np.testing.assert_allclose(series["surface_runoff"][0], expected, rtol=1e-12)


def test_a_full_column_sheds_rain_and_an_empty_one_stays_empty():
    theta = theta_of(slope=0.01, vegetation_fraction=0.02)
    full = outputs_of(Noah(), theta, start_of(theta, 1.0), days_of(theta, 1, rain=40.0))
    assert full["surface_runoff"][0, 0] > 39.5
    empty = outputs_of(Noah(), theta, start_of(theta, 0.0), days_of(theta, 3, pet=9.0))
    assert all((empty[k] == 0.0).all() for k in (*W, "evapotranspiration", "runoff"))


@pytest.mark.parametrize("output", ["surface_runoff", "baseflow", "evapotranspiration"])
def test_more_water_in_the_soil_means_more_of_every_flux(output):
    theta = middle(20, 3)
    forcings = days_of(theta, 5, rain=12.0, pet=4.0)
    found = [outputs_of(Noah(), theta, start_of(theta, w), forcings)[output].sum(0) for w in (0.3, 0.6, 0.9)]
    assert all((a <= b).all() for a, b in pairwise(found))
    assert (found[0] < found[-1]).any()


def test_thin_layers_hold_what_thick_ones_do():
    """A column of other thicknesses keeps its balance, and the sum of its layers its meaning."""
    model = Noah(thicknesses=(0.05, 0.15, 0.3, 1.5))
    theta = middle(6, 5)
    forcings = days_of(theta, 50, rain=5.0, pet=3.0)
    series, final = run(model, forcings, theta, outputs=("evapotranspiration", "runoff"))
    start = model.initial_states(np, model.pack("parameters", theta))
    gained = sum(final.values()) - sum(start.values())
    np.testing.assert_allclose(
        gained, 250.0 - series["evapotranspiration"].sum(0) - series["runoff"].sum(0), rtol=1e-9
    )


def test_the_time_of_soil_moisture():
    theta = theta_of()
    start = start_of(theta, 0.9)
    top = {
        at: outputs_of(Noah(soil_moisture_at=at), theta, start, days_of(theta, 1)) for at in (0.0, 0.5, 1.0)
    }
    first, half, last = (top[at]["soil_moisture"][0, 0] for at in (0.0, 0.5, 1.0))
    assert first == pytest.approx(start["w1"][0] / 100.0, rel=1e-15)
    assert last == pytest.approx(top[1.0]["w1"][0, 0] / 100.0, rel=1e-15)
    assert half == pytest.approx(0.5 * (first + last), rel=1e-14)


def test_wrong_options_are_all_named():
    with pytest.raises(ValueError, match="substeps must be a whole number from 1, got 0") as caught:
        Noah(
            substeps=0,
            thicknesses=(0.1, 1.0),
            aerodynamic_resistance=0.0,
            snow_range=0.0,
            soil_moisture_at=2.0,
        )
    for name in ("thicknesses", "aerodynamic_resistance", "snow_range", "soil_moisture_at"):
        assert f"{name} must be" in str(caught.value)
    with pytest.raises(ValueError, match="thicknesses must be 4 numbers above 0"):
        Noah(thicknesses=(0.1, 0.3, -0.6, 1.0))
    assert Noah(thicknesses=[0.1, 0.3, 0.6, 1.0]) == Noah()
