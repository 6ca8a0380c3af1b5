"""Outputs averaged over members while they are computed."""

import json

import numpy as np
import pytest
import xarray as xr
from model_cases import MODELS, weather

import xdpl
from xdpl import engines
from xdpl.errors import InputErrors


def drawn(model, dims, shape, seed=0):
    rng = np.random.default_rng(seed)
    theta = xr.Dataset()
    for p in model.step_parameters:
        middle = rng.uniform(0.3, 0.7, shape)
        theta[p.name] = (dims, p.lower + middle * (p.upper - p.lower), {"units": p.units})
    return theta


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("engine", ["numba", "array"])
@pytest.mark.parametrize("lazy", [False, True])
def test_is_the_mean_of_the_members(name, engine, lazy, counter):
    model, ds = MODELS[name], weather(("lat", "lon"), (2, 3))
    theta = drawn(model, ("member", "lat"), (4, 2))
    each, states = xdpl.simulate(ds, model, theta, engine=engine, return_states=True)
    given = ds.chunk(lat=1) if lazy else ds
    mean, final = xdpl.simulate(given, model, theta, average="member", engine=engine, return_states=True)
    assert counter.calls == 0
    assert mean[model.outputs[0]].dims == ("time", "lat", "lon") and "member" not in mean.coords
    # The kernel that averages may round otherwise.
    xr.testing.assert_allclose(mean.compute(), each.mean("member"), rtol=1e-10)
    final = final.compute()
    for state in model.states:
        assert final[state.name].dims == ("member", "lat", "lon")
        xr.testing.assert_allclose(final[state.name], states[state.name], rtol=1e-10)
    for state in model.route_states:
        assert final[state.name].dims == ("lag", "lat", "lon")
        xr.testing.assert_allclose(final[state.name], states[state.name].mean("member"), rtol=1e-10)
    assert json.loads(mean.attrs["averaged_over"]) == ["member"]
    assert "averaged_over" not in each.attrs


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("routed", [False, True])
def test_restarts_bit_for_bit(lazy, routed):
    model, ds = MODELS["hbv"], weather()
    theta = drawn(model, ("member", "basin"), (3, 3)).assign_coords(member=["a", "b", "c"])
    if routed:
        theta["route_b"] = ("member", [0.5, 1.0, 5.0], {"units": "d"})
    given = ds.chunk(basin=2) if lazy else ds
    whole, end = xdpl.simulate(given, model, theta, average="member", return_states=True)
    parts, state = [], None
    for cut in (slice(9), slice(9, 10), slice(10, None)):
        piece = given.isel(time=cut)
        part, state = xdpl.simulate(piece, model, theta, initial=state, average="member", return_states=True)
        parts.append(part)
    xr.testing.assert_equal(xr.concat(parts, "time").compute(), whole.compute())
    xr.testing.assert_equal(state.compute(), end.compute())
    assert state["unrouted_streamflow"].dims == (("lag", "member", "basin") if routed else ("lag", "basin"))
    assert state["member"].values.tolist() == ["a", "b", "c"]


def test_members_with_routes_of_their_own():
    model, ds = MODELS["hbv"], weather()
    theta = drawn(model, ("member", "basin"), (3, 3))
    theta["route_b"] = ("member", [0.5, 1.0, 5.0], {"units": "d"})
    each = xdpl.simulate(ds, model, theta)
    mean = xdpl.simulate(ds, model, theta, average="member")
    xr.testing.assert_allclose(mean, each.mean("member"), rtol=1e-10)


@pytest.mark.parametrize("average", ["seed", ["seed"], ["rcp"], ["rcp", "seed"], ("seed", "rcp")])
@pytest.mark.parametrize("lazy", [False, True])
def test_some_or_all_of_several_dims(average, lazy):
    model, ds = MODELS["hbv"], weather()
    theta = drawn(model, ("rcp", "basin", "seed"), (2, 3, 4)).assign_coords(rcp=["low", "high"])
    theta["route_b"] = ("rcp", [0.5, 4.0], {"units": "d"})
    each, states = xdpl.simulate(ds, model, theta, return_states=True)
    if lazy:
        ds, theta = ds.chunk(basin=1), theta.chunk({"rcp": 1} if average in ("seed", ["seed"]) else {})
    mean, final = xdpl.simulate(ds, model, theta, average=average, return_states=True)
    wanted = each.mean([average] if isinstance(average, str) else list(average))
    xr.testing.assert_allclose(mean.compute().transpose(..., "time", "basin"), wanted, rtol=1e-10)
    for state in model.states:
        got = final[state.name].compute().transpose("rcp", "seed", "basin")
        xr.testing.assert_allclose(got, states[state.name], rtol=1e-10)
    assert final["rcp"].values.tolist() == ["low", "high"]
    rest = xdpl.simulate(ds, model, theta, average=average, initial=final.drop_vars("time"))
    assert rest["streamflow"].sizes == mean["streamflow"].sizes


def test_no_member_is_left_out_silently():
    """As the mean of numbers with a NaN: where a member is missing, so is the mean."""
    model, ds = MODELS["hbv"], weather()
    theta = drawn(model, ("member", "basin"), (2, 3))
    theta["fc"][1, 2] = np.nan
    sim, states = xdpl.simulate(ds, model, theta, average="member", return_states=True)
    for array in sim.values():
        assert array.isnull().all("time").values.tolist() == [False, False, True]
    assert states["fc" if "fc" in states else "upper_zone"].isnull().values.tolist() == [
        [False, False, False],
        [False, False, True],
    ]
    theta["fc"][:] = np.nan
    nowhere, states = xdpl.simulate(ds, model, theta, average="member", return_states=True)
    assert nowhere["streamflow"].dims == ("time", "basin") and nowhere["streamflow"].isnull().all()
    assert states["unrouted_streamflow"].dims == ("lag", "basin")
    assert states["unrouted_streamflow"].sizes["lag"] == 14


def test_the_engine_averages(monkeypatch):
    seen = []
    original = engines.run

    def run(engine, model, forcings, parameters, **options):
        series, final = original(engine, model, forcings, parameters, **options)
        seen.append((options["average"], options["members"], series["streamflow"].shape))
        return series, final

    monkeypatch.setattr(engines, "run", run)
    model = MODELS["hbv"]
    xdpl.simulate(weather(), model, drawn(model, ("member", "basin"), (5, 3)), average="member")
    assert seen == [(True, 5, (40, 3))]


@pytest.mark.parametrize(
    ("average", "message"),
    [
        ("seed", "average: expected a dim of the parameters that no forcing has: member, got 'seed'"),
        (["member", "basin"], "got 'basin'; fix: average='member'"),
        ("time", "got 'time'"),
    ],
)
def test_unknown_dims(average, message):
    model = MODELS["hbv"]
    theta = drawn(model, ("member", "basin"), (2, 3))
    with pytest.raises(InputErrors) as caught:
        xdpl.simulate(weather(), model, theta, average=average)
    assert message in str(caught.value) and len(caught.value.exceptions) == 1


def test_without_members_there_is_nothing_to_average():
    with pytest.raises(
        InputErrors, match=r"average: expected .*there is none, got 'member'; fix: leave it out"
    ):
        xdpl.simulate(weather(), "hbv", average="member")


def test_chunks_of_members_are_refused():
    model = MODELS["hbv"]
    theta = drawn(model, ("member", "basin"), (2, 3)).chunk(member=1)
    with pytest.raises(InputErrors) as caught:
        xdpl.simulate(weather(), model, theta, average="member")
    assert "fc: expected member in one chunk" in str(caught.value)
    assert "fix: parameters = parameters.chunk(member=-1)" in str(caught.value)
    xdpl.simulate(weather(), model, theta.chunk(member=-1), average="member")
