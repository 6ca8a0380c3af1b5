"""Runs with routes: engines agree, water is kept, members may share a route, cuts leave no trace."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from model_cases import MODELS, parameters, random_inputs

from xdpl import engines
from xdpl.engines import array, fused
from xdpl.models.hbv import HBV

ROUTED = {k: m for k, m in MODELS.items() if m.routes}
ENGINES = ["array", "numba"]
OUTPUTS = ("streamflow", "runoff", "soil_moisture")


@pytest.fixture(params=ROUTED, scope="module")
def model(request):
    return ROUTED[request.param]


def several(model, days, sites, members, seed=0):
    """Inputs with members; forcings, parameters and states of the step."""
    forcings, _, _ = random_inputs(model, days, sites, seed)
    rng = np.random.default_rng(seed)
    theta = parameters(model, rng.uniform(0.05, 0.95, (len(model.parameters), members, sites)))
    return forcings, theta


def on_its_way(model, theta, final):
    """Water (mm) that has left the stores and not yet reached the outlet, by hand; (..., site)."""
    (route,) = model.routes
    shares = route.weights(np, theta["route_a"], theta["route_b"])
    unrouted, total = final["unrouted_streamflow"], 0.0
    for lag in range(route.length - 1):
        # What left `lag` steps before the end has passed the shares of 0 to `lag`.
        total = total + unrouted[route.length - 2 - lag] * (1.0 - shares[: lag + 1].sum(axis=0))
    return model.dt * total


@pytest.mark.parametrize("name", ROUTED)
@given(data=st.data())
@settings(max_examples=15)
def test_no_water_is_lost_on_the_way(name, data):
    """P - ET - Q is what the stores and the hydrograph have gained, over a year."""
    model = ROUTED[name]
    unit = st.floats(0.0, 1.0, allow_subnormal=False)
    forcings, theta, start = random_inputs(model, 365, 3, seed=data.draw(st.integers(0, 99)))
    for p in model.routes[0].parameters:
        shares = data.draw(st.lists(unit, min_size=3, max_size=3))
        theta[p.name] = p.lower + np.array(shares) * (p.upper - p.lower)
    before = np.random.default_rng(1).gamma(0.5, 5.0, (14, 3)) * data.draw(unit)
    initial = start | {"unrouted_streamflow": before}
    engine = data.draw(st.sampled_from(ENGINES))
    outputs = ("streamflow", "evapotranspiration")
    series, final = engines.run(engine, model, forcings, theta, initial=initial, outputs=outputs)
    gained = sum(final[s.name] - start[s.name] for s in model.states)
    gained += on_its_way(model, theta, final) - on_its_way(model, theta, initial)
    net = forcings["precipitation"] - series["evapotranspiration"] - series["streamflow"]
    np.testing.assert_allclose(net.sum(axis=0), gained, rtol=0, atol=1e-9)
    assert (series["streamflow"] >= 0.0).all()


def test_no_water_is_on_its_way_before_the_first_run(model):
    forcings, theta, start = random_inputs(model, 40, 5)
    none = start | {"unrouted_streamflow": np.zeros((14, 5))}
    for engine in ENGINES:
        given, wanted = (
            engines.run(engine, model, forcings, theta, initial=s, outputs=OUTPUTS) for s in (start, none)
        )
        for got, expected in zip(given, wanted, strict=True):
            for key in expected:
                np.testing.assert_array_equal(got[key], expected[key])
    assert (given[0]["streamflow"][0] < given[0]["runoff"][0]).all()


@pytest.mark.parametrize("days", [1, 5, 14, 15, 60])
def test_engines_agree(model, days):
    forcings, theta, start = random_inputs(model, days, 20)
    plain, compiled = (
        engines.run(e, model, forcings, theta, initial=start, outputs=OUTPUTS) for e in ENGINES
    )
    for got, expected in zip(compiled, plain, strict=True):
        assert list(got) == list(expected)
        for key in expected:
            np.testing.assert_allclose(got[key], expected[key], rtol=1e-10, atol=1e-10, err_msg=key)


def test_only_what_is_asked_for(model):
    forcings, theta, _ = random_inputs(model, 20, 4)
    for engine in ENGINES:
        series, final = engines.run(engine, model, forcings, theta, outputs=("soil_moisture",))
        assert list(series) == ["soil_moisture"]
        assert list(final)[-1] == "unrouted_streamflow"
        series, final = engines.run(engine, model, forcings, theta, outputs=("soil_moisture",), states=False)
        assert list(final) == [s.name for s in model.states]
        series, final = engines.run(engine, model, forcings, theta, outputs=OUTPUTS, states=False)
        whole, _ = engines.run(engine, model, forcings, theta, outputs=OUTPUTS)
        np.testing.assert_array_equal(series["streamflow"], whole["streamflow"])
        assert "unrouted_streamflow" not in final


def test_nothing_is_run_for_states_that_nobody_wants(model, monkeypatch):
    seen = []
    original = array.run
    monkeypatch.setattr(array, "run", lambda *a, **k: seen.append(k["outputs"]) or original(*a, **k))
    forcings, theta, _ = random_inputs(model, 3, 2)
    engines.run("array", model, forcings, theta, outputs=("soil_moisture",), states=False)
    engines.run("array", model, forcings, theta, outputs=("soil_moisture",))
    assert seen == [("soil_moisture",), ("soil_moisture", "streamflow")]


def test_a_model_without_routes_takes_the_same_options():
    forcings, theta, _ = random_inputs(MODELS["vic"], 3, 2)
    for states in (True, False):
        _, final = engines.run("array", MODELS["vic"], forcings, theta, states=states)
        assert set(final) == {"snowpack", "w1", "w2", "w3"}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("members", [None, 3])
@given(cuts=st.lists(st.integers(1, 39), min_size=1, max_size=5, unique=True), average=st.booleans())
@settings(max_examples=10)
def test_cut_anywhere_is_continuous_bit_for_bit(engine, members, cuts, average):
    model = ROUTED["hbv"]
    forcings, theta = several(model, 40, 5, members or 1)
    if members is None:
        theta = {k: v[0] for k, v in theta.items()}
    elif average:
        theta |= {k: theta[k][0] for k in ("route_a", "route_b")}
    options = {"outputs": OUTPUTS, "members": members, "average": average}
    whole, end = engines.run(engine, model, forcings, theta, **options)
    parts, state = [], None
    for start, stop in itertools.pairwise([0, *sorted(cuts), 40]):
        piece = {k: v[start:stop] for k, v in forcings.items()}
        part, state = engines.run(engine, model, piece, theta, initial=state, **options)
        parts.append(part)
    for key in OUTPUTS:
        np.testing.assert_array_equal(np.concatenate([p[key] for p in parts]), whole[key])
    for key, value in end.items():
        np.testing.assert_array_equal(state[key], value)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_day_at_a_time(engine, model):
    forcings, theta, _ = random_inputs(model, 20, 3)
    whole, _ = engines.run(engine, model, forcings, theta, outputs=("streamflow",))
    state = None
    for t in range(20):
        day = {k: v[t : t + 1] for k, v in forcings.items()}
        series, state = engines.run(engine, model, day, theta, initial=state, outputs=("streamflow",))
        np.testing.assert_array_equal(series["streamflow"][0], whole["streamflow"][t])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("shared", [True, False])
def test_the_mean_of_members_is_the_mean_of_each(engine, shared):
    """Routing is linear: before the mean or after it."""
    model = ROUTED["hbv"]
    forcings, theta = several(model, 30, 7, 4)
    if shared:
        theta |= {k: theta[k][0] for k in ("route_a", "route_b")}
    options = {"outputs": OUTPUTS, "members": 4}
    mean, final = engines.run(engine, model, forcings, theta, **options)
    each, finals = engines.run(engine, model, forcings, theta, average=False, **options)
    for key in OUTPUTS:
        assert mean[key].shape == (30, 7) and each[key].shape == (30, 4, 7)
        np.testing.assert_allclose(mean[key], each[key].mean(axis=1), rtol=1e-12)
    assert finals["unrouted_streamflow"].shape == (14, 4, 7)
    assert final["unrouted_streamflow"].shape == ((14, 7) if shared else (14, 4, 7))
    for member in range(4):
        alone = {k: v if v.ndim == 1 else v[member] for k, v in theta.items()}
        single, _ = engines.run(engine, model, forcings, alone, outputs=OUTPUTS)
        np.testing.assert_array_equal(each["streamflow"][:, member], single["streamflow"])
    # The states of each continue as the mean, too.
    more, _ = engines.run(engine, model, forcings, theta, initial=finals, **options)
    again, _ = engines.run(engine, model, forcings, theta, initial=final, **options)
    np.testing.assert_allclose(more["streamflow"], again["streamflow"], rtol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_parameters_of_a_route_have_no_time(engine):
    model = ROUTED["hbv"]
    forcings, theta, _ = random_inputs(model, 10, 3)
    theta["route_b"] = np.broadcast_to(theta["route_b"], (10, 3))
    with pytest.raises(ValueError, match="route_b: a parameter of a route belongs to a site"):
        engines.run(engine, model, forcings, theta, outputs=("streamflow",))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("backend_name", ["numpy", "torch"])
def test_sites_of_several_dims(engine, backend_name):
    model = ROUTED["hbv"]
    forcings, theta, _ = random_inputs(model, 20, 12)
    flat, _ = engines.run(engine, model, forcings, theta, outputs=OUTPUTS)
    convert = torch.tensor if backend_name == "torch" else np.asarray

    def grid(values):
        return {k: convert(v.reshape(*v.shape[:-1], 3, 4)) for k, v in values.items()}

    shaped, final = engines.run(engine, model, grid(forcings), grid(theta), outputs=OUTPUTS)
    for key in flat:
        # Exponentials of numpy and torch differ in the last bit.
        got = np.asarray(shaped[key]).reshape(20, 12)
        np.testing.assert_allclose(got, flat[key], rtol=0 if backend_name == "numpy" else 1e-14)
    assert tuple(final["unrouted_streamflow"].shape) == (14, 3, 4)


def leaves(group):
    return {k: torch.tensor(v, requires_grad=True) for k, v in group.items()}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("a", "b"), [(0.0, 0.0), (2.9, 6.5), (0.9, 0.9)])
def test_gradcheck(engine, model, a, b):
    forcings, theta, start = random_inputs(model, 4, 2, seed=7)
    forcings["precipitation"] += 0.5
    theta["route_a"][:], theta["route_b"][:] = a, b
    start["unrouted_streamflow"] = np.full((14, 2), 3.0)
    names = [list(g) for g in (forcings, theta, start)]
    # Of a size of one, so that one step of finite differences fits all.
    values = [torch.tensor(v) for g in (forcings, theta, start) for v in g.values()]
    scales = [v.abs().mean() + 1e-3 for v in values]

    def run(*values):
        scaled = iter(v * s for v, s in zip(values, scales, strict=True))
        f, p, s = ({k: next(scaled) for k in kind} for kind in names)
        series, last = engines.run(engine, model, f, p, initial=s, outputs=("streamflow",))
        return series["streamflow"], last["unrouted_streamflow"]

    values = [(v / s).requires_grad_() for v, s in zip(values, scales, strict=True)]
    assert torch.autograd.gradcheck(run, values, eps=1e-7, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("shared", [True, False])
def test_gradients_of_engines_agree(model, average, shared):
    forcings, theta = several(model, 25, 6, 3)
    forcings["precipitation"] += 0.1
    if shared:
        theta |= {k: theta[k][0] for k in ("route_a", "route_b")}
    gradients = []
    for engine in ENGINES:
        p = leaves(theta)
        f = {k: torch.tensor(v) for k, v in forcings.items()}
        series, final = engines.run(engine, model, f, p, outputs=("streamflow",), members=3, average=average)
        total = series["streamflow"].square().sum() + final["unrouted_streamflow"].square().sum()
        gradients.append(torch.autograd.grad(total, list(p.values())))
    for name, plain, compiled in zip(theta, *gradients, strict=True):
        assert torch.isfinite(plain).all(), name
        assert bool((plain != 0).any()) or not name.startswith("route"), name
        torch.testing.assert_close(compiled, plain, rtol=1e-9, atol=1e-9 * float(plain.abs().max()), msg=name)


def test_the_engines_themselves_give_the_step(model):
    """Below the routes: `streamflow` is then runoff."""
    forcings, theta, start = random_inputs(model, 20, 4)
    for run in (array.run, fused.run):
        series, final = run(model, forcings, theta, initial=start, outputs=OUTPUTS)
        np.testing.assert_array_equal(series["streamflow"], series["runoff"])
        assert list(final) == [s.name for s in model.states]


def test_without_routing_streamflow_is_runoff():
    model = HBV(routing=None)
    forcings, theta, start = random_inputs(model, 20, 4)
    series, final = engines.run(None, model, forcings, theta, initial=start, outputs=OUTPUTS)
    np.testing.assert_array_equal(series["streamflow"], series["runoff"])
    assert list(final) == [s.name for s in model.states]
    routed, _ = engines.run(
        None, HBV(), forcings, random_inputs(HBV(), 20, 4)[1] | theta, initial=start, outputs=OUTPUTS
    )
    np.testing.assert_array_equal(routed["runoff"], series["runoff"])
    assert not np.allclose(routed["streamflow"], series["streamflow"])
