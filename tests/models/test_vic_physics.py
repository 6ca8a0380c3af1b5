"""VIC: exact drainage, convergence in the time step, ordered water contents."""

from itertools import pairwise

import numpy as np
import pytest
from model_cases import parameters, random_inputs

from xdpl.engines.array import run
from xdpl.models.vic import VIC

SITES = 12


def in_bounds(sites, seed):
    """Random parameters, the first two sites at the lower and the upper bounds."""
    unit = np.random.default_rng(seed).uniform(0.0, 1.0, (len(VIC.parameters), sites))
    unit[:, 0], unit[:, 1] = 0.0, 1.0
    unit[:, 2:] = np.where(
        np.random.default_rng(seed + 1).random((len(unit), sites - 2)) < 0.3, 1, unit[:, 2:]
    )
    return parameters(VIC(), unit)


def contents(theta):
    """Capacity and critical, wilting and residual content of layer 1, mm."""
    capacity = 1000.0 * theta["porosity"] * theta["d1"]
    critical = capacity * theta["critical_fraction"]
    wilting = critical * theta["wilting_fraction"]
    return capacity, critical, wilting, wilting * theta["residual_fraction"]


def dry_day(theta, w1, pet, dt=1.0, w2=None):
    """One step without precipitation; layers 2 and 3 empty unless given."""
    model = VIC(dt=dt)
    zero = np.zeros_like(w1)
    states = {"snowpack": zero, "w1": w1, "w2": zero if w2 is None else w2, "w3": zero}
    forcing = {
        "precipitation": zero,
        "air_temperature": zero + 10.0,
        "potential_evapotranspiration": zero + pet,
    }
    packed = [
        model.pack(k, v)
        for k, v in zip(("states", "forcings", "parameters"), (states, forcing, theta), strict=True)
    ]
    return model.step(np, *packed)


def drained_by_small_steps(theta, w1, steps=20000):
    """The same day of dS/dt = -K S^n / C by classical Runge-Kutta."""
    capacity, _, _, residual = contents(theta)
    drainable = capacity - residual

    def slope(s):
        return -theta["ksat"] / drainable * np.maximum(s, 0.0) ** theta["expt"]

    s, h = (w1 - residual) / drainable, 1.0 / steps
    for _ in range(steps):
        a = slope(s)
        b = slope(s + h / 2 * a)
        c = slope(s + h / 2 * b)
        s = s + h / 6 * (a + 2 * b + 2 * c + slope(s + h * c))
    return residual + drainable * s


def test_drainage_alone_is_exact():
    """No rain, no demand, an empty layer below with room for all of layer 1."""
    theta = in_bounds(SITES, 0)
    capacity, _, _, residual = contents(theta)
    w1 = residual + np.linspace(0.3, 1.0, SITES) * (capacity - residual)
    after, fluxes = dry_day(theta, w1, 0.0)
    assert (fluxes["evapotranspiration"] == 0.0).all()
    assert (after["w1"] < w1).any()
    np.testing.assert_allclose(after["w1"], drained_by_small_steps(theta, w1), rtol=1e-9)


def test_drainage_does_not_depend_on_the_step():
    theta = in_bounds(SITES, 2)
    capacity, *_ = contents(theta)
    once, _ = dry_day(theta, capacity, 0.0)
    again = capacity
    for _ in range(24):
        again = dry_day(theta, again, 0.0, dt=1.0 / 24.0)[0]["w1"]
    np.testing.assert_allclose(again, once["w1"], rtol=1e-12)


def test_drainage_never_passes_the_residual_content():
    theta = in_bounds(SITES, 4)
    capacity, _, _, residual = contents(theta)
    for start in (capacity, residual, 0.5 * residual, 0.0 * residual):
        after, _ = dry_day(theta, start, 0.0)
        assert (after["w1"] >= np.minimum(start, residual) * (1 - 1e-14)).all()
        np.testing.assert_allclose(after["w1"] + after["w2"] + after["w3"], start, rtol=1e-14)


def test_ordering_of_water_contents_for_all_parameters():
    """Residual < wilting < critical < capacity, seen through evaporation."""
    theta = in_bounds(400, 6)
    capacity, critical, wilting, residual = contents(theta)
    assert (residual > 0).all()
    pet = 1e-3

    def evaporation(w1):
        return dry_day(theta, w1, pet)[1]["evapotranspiration"] / pet

    bare, roots = 1.0 - theta["canopy_fraction"], theta["canopy_fraction"] * theta["root_fraction"]
    np.testing.assert_allclose(evaporation(residual), 0.0, atol=1e-9)
    assert (evaporation(0.5 * residual) == 0.0).all()
    at_wilting = evaporation(wilting)
    assert (at_wilting > 0.0).all(), "residual below wilting: bare soil still evaporates"
    assert (at_wilting < bare).all(), "wilting below critical: not at the potential rate"
    np.testing.assert_allclose(evaporation(critical), bare + roots, rtol=1e-9)
    np.testing.assert_allclose(evaporation(0.5 * (critical + capacity)), bare + roots, rtol=1e-12)
    assert (critical < capacity).all()


def subdivided(theta, start, forcings, parts):
    """Contents at the end of each day, with each day cut into equal steps."""
    steps = {k: np.repeat(v, parts, axis=0) for k, v in forcings.items()}
    series, _ = run(VIC(dt=1.0 / parts), steps, theta, initial=start, outputs=["w1", "w2", "w3"])
    return np.stack([series[k][parts - 1 :: parts] for k in series])


def test_converges_as_the_step_goes_to_zero():
    """First order or better: against the finest, the error at least roughly halves each time."""
    forcings, theta, start = random_inputs(VIC(), 30, 20, seed=8)
    theta["ksat"] = np.linspace(1000.0, 5000.0, 20)
    finest = subdivided(theta, start, forcings, 64)
    errors = [np.abs(subdivided(theta, start, forcings, n) - finest).mean() for n in (1, 2, 4, 8, 16, 32)]
    ratios = [a / b for a, b in pairwise(errors)]
    assert min(ratios) > 1.7, ratios
    assert errors[0] < 0.05 * finest.mean()


@pytest.mark.parametrize("snow_range", [0.1, 2.0, 5.0])
def test_snow_turns_into_rain_over_the_range(snow_range):
    model = VIC(snow_range=snow_range)
    share = np.array([0.0, 0.0, 0.25, 0.5, 0.75, 1.0, 1.0])
    degrees = snow_range * np.array([-3.0, -0.5, -0.25, 0.0, 0.25, 0.5, 3.0])
    theta = in_bounds(7, 12) | {"cfmax": np.full(7, 0.5)}
    zero = np.zeros(7)
    forcing = {
        "precipitation": zero + 20.0,
        "air_temperature": theta["tt"] + degrees,
        "potential_evapotranspiration": zero,
    }
    states = model.pack("states", dict.fromkeys(("snowpack", "w1", "w2", "w3"), zero))
    after, _ = model.step(np, states, model.pack("forcings", forcing), model.pack("parameters", theta))
    snow = 20.0 * (1.0 - share)
    melt = np.minimum(np.maximum(0.5 * degrees, 0.0), snow)
    np.testing.assert_allclose(after["snowpack"], snow - melt, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("snow_range", [0.0, -1.0, float("nan")])
def test_the_snow_range_is_above_zero(snow_range):
    with pytest.raises(ValueError, match="snow_range must be above 0"):
        VIC(snow_range=snow_range)


@pytest.mark.parametrize("b", [0.001, 0.1, 0.4])
def test_infiltration_is_the_capacity_curve(b):
    """Liang et al. (1994): runoff of rain on the ground without evaporation or drainage in."""
    rng = np.random.default_rng(0)
    theta = in_bounds(SITES, 10) | {"infilt": np.full(SITES, b)}
    full1, full2 = (1000.0 * theta["porosity"] * theta[d] for d in ("d1", "d2"))
    wet, rain = rng.uniform(0.05, 0.95, SITES), rng.uniform(0.0, 120.0, SITES)
    states = {"snowpack": 0 * wet, "w1": wet * full1, "w2": wet * full2, "w3": 0 * wet}
    forcing = {
        "precipitation": rain,
        "air_temperature": theta["tt"] + 9.0,
        "potential_evapotranspiration": 0 * wet,
    }
    model = VIC()
    _, fluxes = model.step(
        np, model.pack("states", states), model.pack("forcings", forcing), model.pack("parameters", theta)
    )
    # The curve itself: a fraction 1 - (1 - i/im)^b of the ground holds less than i.
    whole = full1 + full2
    im = (1.0 + b) * whole
    i0 = im * (1.0 - (1.0 - wet) ** (1.0 / (1.0 + b)))
    end = np.minimum(i0 + rain, im)
    fine = np.linspace(0.0, 1.0, 20001)[:, None] ** 2
    depth = end - fine * (end - i0)
    infiltrated = -np.trapezoid((1.0 - depth / im) ** b, depth, axis=0)
    np.testing.assert_allclose(fluxes["surface_runoff"], rain - infiltrated, atol=2e-3, rtol=1e-4)
