"""What every model must keep: balance, bounds, declarations, NaN, namespaces."""

import dataclasses
import functools
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from model_cases import MODELS, OUTFLOWS, TOTALS, capacities, corner_inputs, parameters, random_inputs, states

from xdpl import engines, units
from xdpl.models.hbv import HBV

DAYS, SITES = 5, 3
run = functools.partial(engines.run, "array")


@pytest.fixture(params=MODELS, scope="module")
def model(request):
    return MODELS[request.param]


def take_step(model, xp, start, forcing, theta):
    return model.step(
        xp, model.pack("states", start), model.pack("forcings", forcing), model.pack("parameters", theta)
    )


def assert_physical(model, theta, forcing, before, after, fluxes):
    """Balance closes to round-off; no store is negative or too full; no outflow is negative."""
    held = sum(before.values())
    rain = model.dt * forcing["precipitation"]
    out = sum(fluxes[name] for name in OUTFLOWS[model.name])
    change = rain - model.dt * (fluxes["evapotranspiration"] + out)
    error = np.abs(sum(after.values()) - held - change)
    assert (error <= 1e-14 * (1.0 + held + rain) * len(model.states)).all()
    total = fluxes[TOTALS[model.name]]
    np.testing.assert_allclose(total, out, rtol=1e-14)

    for name, value in after.items():
        assert (value >= 0.0).all(), name
    for name in (*OUTFLOWS[model.name], "evapotranspiration"):
        assert (fluxes[name] >= 0.0).all(), name
    demand = forcing["potential_evapotranspiration"]
    assert (fluxes["evapotranspiration"] <= demand * (1 + 1e-14) + 1e-300).all()

    for name, top in capacities(model, theta).items():
        assert (after[name] <= top * (1 + 1e-14)).all(), name


def assert_physical_run(model, forcings, theta, start):
    before = start
    for t in range(len(forcings["precipitation"])):
        forcing = {k: v[t] for k, v in forcings.items()}
        after, fluxes = take_step(model, np, before, forcing, theta)
        assert_physical(model, theta, forcing, before, after, fluxes)
        before = after


@settings(max_examples=80)
@given(st.data())
def test_balance_and_bounds_for_any_input(model, data):
    def unit(rows):
        return data.draw(arrays(np.float64, rows, elements=st.floats(0.0, 1.0, allow_subnormal=False)))

    model = dataclasses.replace(model, dt=data.draw(st.sampled_from([1.0, 1 / 24, 3.0])))
    theta = parameters(model, unit((len(model.parameters), SITES)))
    start = states(model, theta, unit((len(model.states), SITES)))
    forcings = {
        "precipitation": 300.0 * unit((DAYS, SITES)) ** 3,
        "air_temperature": -40.0 + 80.0 * unit((DAYS, SITES)),
        "potential_evapotranspiration": 15.0 * unit((DAYS, SITES)),
    }
    assert_physical_run(model, forcings, theta, start)


def test_balance_and_bounds_at_the_corners(model):
    forcings, theta, start = corner_inputs(model)
    assert_physical_run(model, {k: v[None] for k, v in forcings.items()}, theta, start)


def test_balance_and_bounds_of_a_long_run_from_the_models_own_start(model):
    forcings, theta, _ = random_inputs(model, 400, 20, seed=3)
    start = model.initial_states(np, model.pack("parameters", theta))
    assert_physical_run(model, forcings, theta, start)


def test_declarations(model):
    for kind in ("forcings", "parameters", "states"):
        names = [d.name for d in getattr(model, kind)]
        assert len(set(names)) == len(names)
    outputs = [d.name for d in (*model.fluxes, *model.states)]
    # The engine looks a name up among the fluxes first: a shared name would hide the state.
    assert len(set(outputs)) == len(outputs)
    assert set(model.outputs) <= set(outputs)
    for declared in (*model.forcings, *model.parameters, *model.states, *model.fluxes):
        units.parse(declared.units)
        assert declared.long_name or declared in model.states
    for p in model.parameters:
        assert p.lower < p.default < p.upper
    assert model.defaults() == {p.name: p.default for p in model.parameters}


def test_models_are_frozen_hashable_and_say_their_options(model):
    assert hash(model) == hash(dataclasses.replace(model))
    assert type(model)(**model.options()) == model
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.dt = 2.0


def test_step_returns_what_is_declared(model):
    forcings, theta, start = random_inputs(model, 1, 4)
    after, fluxes = take_step(model, np, start, {k: v[0] for k, v in forcings.items()}, theta)
    assert isinstance(after, Mapping)
    assert list(after) == [s.name for s in model.states]
    assert list(fluxes) == [f.name for f in model.fluxes]
    assert all(v.shape == (4,) for v in (*after.values(), *fluxes.values()))


def everything(model):
    return [d.name for d in (*model.fluxes, *model.states)]


@pytest.mark.parametrize("own_start", [False, True])
def test_same_numbers_in_every_namespace(model, backend, own_start):
    forcings, theta, start = random_inputs(model, 30, 6, seed=2)
    initial = None if own_start else start

    def through(convert):
        def each(values):
            return None if values is None else {k: convert(v) for k, v in values.items()}

        return run(model, each(forcings), each(theta), initial=each(initial), outputs=everything(model))

    expected, last = through(np.asarray)
    series, final = through(backend.array)
    for name, value in series.items():
        np.testing.assert_allclose(backend.numpy(value), expected[name], rtol=1e-12, atol=1e-12)
    for name, value in final.items():
        np.testing.assert_allclose(backend.numpy(value), last[name], rtol=1e-12, atol=1e-12)


def test_float32_in_float32_out(model, backend):
    def single(values):
        return {k: backend.array(v.astype(np.float32)) for k, v in values.items()}

    forcings, theta, _ = random_inputs(model, 20, 6, seed=2)
    series, final = run(model, single(forcings), single(theta), outputs=everything(model))
    exact, _ = run(model, forcings, theta, outputs=everything(model))
    for name, value in (*series.items(), *final.items()):
        assert value.dtype == backend.xp.float32, name
    for name, value in series.items():
        np.testing.assert_allclose(backend.numpy(value), exact[name], rtol=2e-3, atol=2e-3)


def test_nan_in_gives_nan_out_at_the_same_site_only(model, backend):
    """Site i has NaN in input i, the last site in none."""
    names = [d.name for kind in ("forcings", "parameters", "states") for d in getattr(model, kind)]
    sites = len(names) + 1
    forcings, theta, start = random_inputs(model, 8, sites, seed=4)
    # Rain and thaw on snow over a moist soil that is not full, so that every input matters.
    forcings["precipitation"] += 1.0
    forcings["air_temperature"][:] = theta["tt"] + np.array([3.0, -2.0] * 4)[:, None]
    start["snowpack"] = np.full(sites, 200.0)
    if "fc" in theta:
        theta["lp"], theta["fc"] = np.ones(sites), np.full(sites, 900.0)
        start["soil_moisture"] = np.full(sites, 300.0)
    clean, _ = run(model, forcings, theta, initial=start, outputs=everything(model))
    for i, (group, name) in enumerate([(g, n) for g in (forcings, theta, start) for n in g]):
        group[name][..., i] = np.nan

    def each(values):
        return {k: backend.array(v) for k, v in values.items()}

    series, _ = run(model, each(forcings), each(theta), initial=each(start), outputs=everything(model))
    for name in model.outputs:
        values = backend.numpy(series[name])
        np.testing.assert_allclose(values[:, -1], clean[name][:, -1], rtol=1e-12)
    main = backend.numpy(series[TOTALS[model.name]])
    assert np.isnan(main[-1, :-1]).all(), np.array(names)[~np.isnan(main[-1, :-1])]


def test_hbv_knows_one_routing():
    with pytest.raises(ValueError, match="routing must be 'gamma' or None, got 'muskingum'"):
        HBV(routing="muskingum")


@pytest.mark.parametrize("snow_range", [-1.0, float("nan")])
def test_the_snow_range_of_hbv_is_not_below_zero(snow_range):
    with pytest.raises(ValueError, match="snow_range must not be below 0"):
        HBV(snow_range=snow_range)
