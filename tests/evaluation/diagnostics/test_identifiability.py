"""Identifiability: a linear case by hand, and a world in which the truth is known."""

import json
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import xarray as xr

import xdpl
from xdpl.data.truth import RELATIONS
from xdpl.evaluation import identifiability
from xdpl.models import Flux, Forcing, Model, Parameter, State

# Water leaves layer 1 downwards only: what lies below does not come back, nor does what runs off.
DEEP = {"ds", "dsmax", "ws", "d3"}
NOISE = 0.02


@dataclass(frozen=True)
class Sum(Model):
    """y = (a + b) x + c, and d does nothing."""

    name: ClassVar[str] = "sum"
    forcings = (Forcing("x", "mm d-1"),)
    parameters = (
        Parameter("a", 0.0, 2.0, "1", 1.0),
        Parameter("b", 1.0, 100.0, "1", 10.0, scale="log"),
        Parameter("c", -4.0, 4.0, "mm d-1", 1.0),
        Parameter("d", 0.0, 1.0, "1", 0.5),
    )
    states = (State("clock", "d"),)
    fluxes = (Flux("y", "mm d-1"),)
    outputs = ("y",)

    def step(self, xp, s, f, p):
        return {"clock": s.clock + 1.0}, {"y": (p.a + p.b) * f.x + p.c + 0.0 * p.d}


@pytest.fixture
def ds():
    sites, days = 5, 40
    generator = np.random.default_rng(0)
    out = xr.Dataset(coords={"time": xr.date_range("2000-01-01", periods=days), "site": np.arange(sites)})
    out["x"] = (("time", "site"), generator.uniform(1, 3, (days, sites)), {"units": "mm d-1"})
    seen = generator.random((days, sites)) < 0.7
    out["y"] = (out["x"] * 11.0 + 1.0).where(seen).assign_attrs(units="mm d-1")
    out["soil"] = ("site", np.arange(sites) * 1.0, {"units": "1"})
    return out


@pytest.fixture(scope="module")
def world():
    return xdpl.data.twin(shape=(4, 5), years=1, varying=tuple(RELATIONS), missing=0.0, noise=NOISE)


@pytest.fixture(scope="module")
def truth(world):
    return xr.Dataset({name: world[f"true_{name}"] for name in RELATIONS})


@pytest.fixture(scope="module")
def told(world, truth):
    return identifiability(world, "vic", truth, target="soil_moisture", noise=NOISE)


@pytest.mark.parametrize("engine", [None, "array"])
def test_linear_case_by_hand(ds, engine):
    found = identifiability(ds, Sum(), None, target="y", noise=0.5, engine=engine)
    x = ds["x"].where(ds["y"].notnull()).isel(site=2).dropna("time").values
    # Per share of the bounds: a moves by 2, log b by log 100 at b = 10, c by 8.
    jacobian = np.stack([2.0 * x, 10.0 * np.log(100.0) * x, np.full_like(x, 8.0), 0.0 * x], axis=1) / 0.5
    information = jacobian.T @ jacobian
    one = found.isel(site=2)
    np.testing.assert_allclose(one["information"], information, rtol=1e-10, atol=1e-10)
    covariance = np.linalg.inv(information + 12.0 * np.eye(4))
    np.testing.assert_allclose(one["standard_error"], np.sqrt(np.diag(covariance)), rtol=1e-8)
    conditional = 1.0 / np.sqrt(np.diag(information) + 12.0)
    np.testing.assert_allclose(one["conditional_standard_error"], conditional, rtol=1e-8)
    # a and b have one slope between them: a is lost in it, though it would be seen were b known.
    assert dict(zip("abcd", one["seen"].values.tolist(), strict=True)) == {"a": 1, "b": 0, "c": 0, "d": 2}
    dimension = np.trace(information @ covariance)
    np.testing.assert_allclose(one["effective_dimension"], dimension, rtol=1e-8)
    assert one["flat"].values.tolist() == [False, False, True, True]


def test_flat_directions_are_named(ds):
    found = identifiability(ds, Sum(), {"b": 1.0}, target="y", noise=0.5)
    # Per share, a moves the slope by 2 and b, which is 1, by log 100: the flat mix has one against the other.
    expected = np.array([np.log(100.0), -2.0]) / np.hypot(np.log(100.0), 2.0)
    place = found["pooled_direction"].values.tolist().index("0.92 a - 0.40 b")
    mix = found["pooled_loading"].isel(direction=place)
    np.testing.assert_allclose(mix, [*expected, 0.0, 0.0], atol=1e-6)
    # Both have the eigenvalue 0, in any order.
    assert set(json.loads(found.attrs["flat_directions"])) == {"0.92 a - 0.40 b", "1.00 d"}
    assert set(found["pooled_direction"].values[2:]) == {"0.92 a - 0.40 b", "1.00 d"}
    assert json.loads(found.attrs["unseen"]) == ["d"]
    assert json.loads(found.attrs["traded_off"]) == ["a"]


def test_eigenvectors_are_those_of_the_information(told):
    for name in ("", "pooled_"):
        information, loading = told[f"{name}information"], told[f"{name}loading"]
        turned = loading.rename(parameter="other_parameter")
        rebuilt = xr.dot(loading, turned, told[f"{name}eigenvalue"], dim="direction")
        scale = float(information.max())
        xr.testing.assert_allclose(rebuilt.transpose(*information.dims), information, atol=1e-10 * scale)
        assert (told[f"{name}eigenvalue"].diff("direction") <= 0).all()
    total = told["information"].sum(["lat", "lon"])
    np.testing.assert_allclose(total, told["pooled_information"], rtol=1e-12, atol=1e-9)


def test_information_is_that_of_central_differences(world, truth, told):
    step, declared = 1e-6, {p.name: p for p in xdpl.models.get("vic").parameters}
    slopes = []
    for name, p in declared.items():
        runs = []
        for sign in (1, -1):
            factor = (p.upper / p.lower) ** (sign * step)
            value = (
                truth[name] * factor if p.scale == "log" else truth[name] + sign * step * (p.upper - p.lower)
            )
            moved = truth.assign({name: value.assign_attrs(truth[name].attrs)})
            runs.append(xdpl.simulate(world, "vic", moved, outputs=["soil_moisture"], dtype="float64"))
        slopes.append((runs[0] - runs[1])["soil_moisture"].values / (2 * step))
    jacobian = np.stack(slopes) / NOISE
    expected = np.einsum("itab,jtab->abij", jacobian, jacobian)
    scale = np.abs(expected).max(axis=(2, 3), keepdims=True)
    np.testing.assert_allclose(told["information"] / scale, expected / scale, atol=1e-5)


def test_what_soil_moisture_cannot_see_is_flagged_and_what_it_can_is_not(told):
    assert set(json.loads(told.attrs["unseen"])) == DEEP
    assert json.loads(told.attrs["traded_off"]) == []
    assert set(json.loads(told.attrs["unseen_at_most_sites"])) >= DEEP
    assert (told["seen"].sel(parameter=sorted(DEEP)) == 2).all()
    for name in ("porosity", "critical_fraction", "expt", "ksat", "canopy_fraction"):
        assert (told["conditional_standard_error"].sel(parameter=name) < 0.1).all()
        assert not (told["seen"].sel(parameter=name) == 2).any()


def test_flags_agree_with_full_runs(world, truth, told):
    """A parameter moved by a tenth of its bounds changes the noise-free series, or does not."""
    clean = world["true_soil_moisture"]
    for p in xdpl.models.get("vic").parameters:
        true = truth[p.name]
        share = 0.1 * np.sign((p.lower + p.upper) / 2 - true)
        step = (p.upper / p.lower) ** share if p.scale == "log" else share * (p.upper - p.lower)
        moved = (true * step if p.scale == "log" else true + step).clip(p.lower, p.upper)
        theta = truth.assign({p.name: moved.assign_attrs(true.attrs)})
        sim = xdpl.simulate(world, "vic", theta, outputs=["soil_moisture"])["soil_moisture"]
        misfit = ((sim - clean) ** 2).sum("time") / NOISE**2
        unseen = told["seen"].sel(parameter=p.name) == 2
        # The flag says that less than 36 units of misfit stand against a whole range, 0.36 against a tenth.
        assert float(misfit.where(unseen).median()) < 1.0 or not unseen.any(), p.name
        seen = told["seen"].sel(parameter=p.name) == 0
        assert float(misfit.where(seen).median()) > 0.36 or not seen.any(), p.name


def test_the_misfit_is_flat_where_it_is_said_to_be(told):
    start = told["misfit"].sel(position=0.0)
    rise = told["misfit"] / start - 1.0
    best = rise.isel(direction=0)
    assert (best.isel(position=[0, -1]).max("position") > 0.5).all()
    near = rise.sel(position=[-0.125, 0.125])
    # Flat at the parameters: a few thresholds of the model are met an eighth of the bounds away.
    assert float(near.where(told["flat"]).median()) < 0.001
    assert float(near.where(told["flat"]).quantile(0.9)) < 0.02
    assert float(near.where(~told["flat"]).median()) > 0.01
    assert float(told["pooled_misfit"].sel(position=0.0).min()) == pytest.approx(NOISE, rel=0.1)
    np.testing.assert_allclose(start, start.isel(direction=[0] * start.sizes["direction"]), rtol=1e-12)


def test_more_is_told_by_more(world, truth, told):
    fewer = world.assign(soil_moisture=world["soil_moisture"].where(world["time"].dt.day < 10))
    call = {"target": "soil_moisture", "positions": 0}
    less = identifiability(fewer, "vic", truth, noise=NOISE, **call)
    late = identifiability(world, "vic", truth, noise=NOISE, time=slice("2001-07", None), **call)
    noisy = identifiability(world, "vic", truth, noise=2 * NOISE, **call)
    for other in (less, late, noisy):
        assert (other["effective_dimension"] < told["effective_dimension"]).all()
        assert (other["standard_error"] >= told["standard_error"] - 1e-9).all()


def test_attributes_map_errors(world, truth, told):
    found = identifiability(
        world, "vic", truth, target="soil_moisture", noise=NOISE, attributes=["sand", "clay"], positions=0
    )
    alone = xdpl.evaluation.standard_errors(
        world, "vic", truth, target="soil_moisture", noise=NOISE, attributes=["sand", "clay"]
    )
    mapped = found["mapped_standard_error"].sel(parameter="porosity", drop=True) * 0.3
    np.testing.assert_allclose(mapped, alone["porosity"])
    assert "misfit" not in found
    assert float(found["mapped_standard_error"].median()) < float(told["standard_error"].median())


def test_sites_left_out(ds):
    ds["y"] = ds["y"].where(ds["site"] != 1)
    ds["x"] = ds["x"].where(ds["site"] != 3).assign_attrs(units="mm d-1")
    ds["y"].attrs["units"] = "mm d-1"
    found = identifiability(ds.transpose("site", "time"), Sum(), None, target="y", noise=0.5)
    assert (found["seen"] == -1).all("parameter").values.tolist() == [False, True, False, True, False]
    assert found["standard_error"].isnull().all("parameter").values.tolist() == [
        False,
        True,
        False,
        True,
        False,
    ]
    assert not found["flat"].isel(site=1).any()


def test_one_error_lists_everything(ds):
    with pytest.raises(xdpl.errors.InputErrors) as caught:
        identifiability(
            ds.rename(site="position"),
            Sum(),
            {"z": 1.0},
            target="w",
            noise=0.0,
            threshold=2.0,
            positions=4,
            attributes=["slope"],
            time=slice("1990", "1991"),
            engine="fast",
        )
    subjects = {e.subject for e in caught.value.exceptions}
    wrong = {"position", "z", "target", "noise", "threshold", "positions", "slope", "time", "engine"}
    assert subjects == wrong


def test_lazy_parameters_out_of_bounds_are_refused(ds):
    theta = xr.Dataset({"a": ("site", np.full(5, 9.0), {"units": "1"})}).chunk(site=2)
    with pytest.raises(xdpl.errors.InputErrors, match="values in"):
        identifiability(ds, Sum(), theta, target="y", noise=0.5)


def test_no_observation(ds):
    ds["y"] = ds["y"].where(False).assign_attrs(units="mm d-1")
    with pytest.raises(xdpl.errors.InputErrors, match="observations in the period"):
        identifiability(ds, Sum(), None, target="y", noise=0.5)


def test_written_and_read(ds, tmp_path):
    found = identifiability(ds, Sum(), None, target="y", noise=0.5)
    found.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "a.nc", engine="h5netcdf") as back:
        xr.testing.assert_equal(back.load(), found)
