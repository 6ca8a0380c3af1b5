"""Audit of gradients: what is wrong is flagged, and what is right is not."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
import xarray as xr

import xdpl
from xdpl.evaluation import gradient_audit
from xdpl.evaluation.diagnostics.loss_and_score import cost
from xdpl.models import Flux, Forcing, Model, Parameter, State

torch.set_num_threads(1)


@dataclass(frozen=True)
class Reservoir(Model):
    """A linear reservoir: what comes in is added, and a share k leaves."""

    name: ClassVar[str] = "reservoir"
    forcings = (Forcing("inflow", "mm d-1"),)
    parameters = (
        Parameter("k", 0.001, 0.9, "d-1", 0.05, scale="log"),
        Parameter("scale", 0.1, 2.0, "1", 1.0),
        Parameter("nothing", 0.0, 1.0, "1", 0.5),
    )
    states = (State("store", "mm"),)
    fluxes = (Flux("outflow", "mm d-1"),)
    outputs = ("outflow",)

    def step(self, xp, s, f, p):
        full = s.store + f.inflow
        return {"store": full * (1.0 - p.k)}, {"outflow": p.scale * p.k * full + 0.0 * p.nothing}


@dataclass(frozen=True)
class Detached(Reservoir):
    """The same with a step that hides a parameter from its gradient, as a rounded value does."""

    name: ClassVar[str] = "detached"

    def step(self, xp, s, f, p):
        full = s.store + f.inflow
        seen = xp.round(p.scale * 1e6) * 1e-6
        return {"store": full * (1.0 - p.k)}, {"outflow": seen * p.k * full + 0.0 * p.nothing}


@dataclass(frozen=True)
class Broken(Reservoir):
    """The same with a root of zero, whose slope is infinite."""

    name: ClassVar[str] = "broken"

    def step(self, xp, s, f, p):
        new, fluxes = super().step(xp, s, f, p)
        return new, {"outflow": fluxes["outflow"] + xp.sqrt(p.nothing * 0.0)}


@pytest.fixture
def ds():
    sites, days = 6, 900
    generator = np.random.default_rng(0)
    out = xr.Dataset(coords={"time": xr.date_range("2000-01-01", periods=days), "site": np.arange(sites)})
    out["inflow"] = (("time", "site"), generator.gamma(0.5, 4.0, (days, sites)), {"units": "mm d-1"})
    out["outflow"] = (("time", "site"), generator.gamma(0.5, 4.0, (days, sites)), {"units": "mm d-1"})
    return out


WINDOW = {"target": "outflow", "time": slice("2001-06-01", "2001-07-30"), "warmup": 500}


def test_a_slow_reservoir_is_flagged_and_a_fast_one_is_not(ds):
    slow = gradient_audit(ds, Reservoir(), {"k": 0.004}, **WINDOW)
    fast = gradient_audit(ds, Reservoir(), {"k": 0.5}, **WINDOW)
    assert slow.parameters["slow"].values.tolist() == [True, False, False]
    assert any(flag.startswith("slow store") and flag.endswith(": k") for flag in slow.flags)
    assert not fast.parameters["slow"].any()
    assert float(fast.parameters["sign_agreement"].sel(parameter="k")) == 1.0
    assert float(fast.parameters["remaining"].sel(parameter="k")) == pytest.approx(1.0, abs=0.1)


def test_gradient_without_the_warmup_is_that_from_frozen_states(ds):
    audit = gradient_audit(ds, Reservoir(), {"k": 0.01}, loss="site_rmse", **WINDOW)
    first = ds.indexes["time"].get_loc("2001-06-01")
    before, after = ds.isel(time=slice(first - 500, first)), ds.sel(time=WINDOW["time"])
    _, state = xdpl.simulate(before, Reservoir(), {"k": 0.01}, dtype="float64", return_states=True)
    step = 1e-5 * np.log(900.0)
    losses = []
    for sign in (1, -1):
        k = 0.01 * np.exp(sign * step)
        sim = xdpl.simulate(after, Reservoir(), {"k": k}, initial=state, dtype="float64")
        losses.append(np.sqrt(((sim - ds)["outflow"] ** 2).mean("time")) / ds.sizes["site"])
    expected = (losses[0] - losses[1]) / 2e-5
    np.testing.assert_allclose(audit.sites["without_warmup"].sel(parameter="k"), expected, rtol=1e-5)


@pytest.mark.parametrize("loss", ["kge", "nrmse", "nse", "rmse", "rmse_log", "site_rmse"])
def test_adjoint_and_differences_match_for_every_loss(ds, loss):
    audit = gradient_audit(ds, Reservoir(), None, loss=loss, **WINDOW)
    own = audit.parameters.sel(parameter=["k", "scale"])
    assert float(own["relative_error"].max()) < 1e-5
    assert not own["mismatch"].any()
    assert not own["zero"].any()


def test_central_differences_are_of_the_loss_itself(ds):
    audit = gradient_audit(ds, Reservoir(), {"k": 0.1}, loss="site_rmse", **WINDOW)
    first = ds.indexes["time"].get_loc("2001-06-01")
    part = ds.isel(time=slice(first - 500, None)).sel(time=slice(None, "2001-07-30"))
    losses = []
    for sign in (1, -1):
        scale = 1.0 + sign * 1e-6 * 1.9
        sim = xdpl.simulate(part, Reservoir(), {"k": 0.1, "scale": scale}, dtype="float64").isel(
            time=slice(500, None)
        )
        losses.append(np.sqrt(((sim - ds)["outflow"] ** 2).mean("time")) / ds.sizes["site"])
    expected = (losses[0] - losses[1]) / 2e-6
    for name in ("adjoint", "central_difference"):
        np.testing.assert_allclose(audit.sites[name].sel(parameter="scale"), expected, rtol=1e-5)


def test_a_gradient_that_is_not_there_is_flagged(ds):
    audit = gradient_audit(ds, Reservoir(), None, **WINDOW)
    assert audit.parameters["zero"].values.tolist() == [0.0, 0.0, 1.0]
    assert any(flag.startswith("no gradient") and flag.endswith(": nothing") for flag in audit.flags)


def test_a_wrong_gradient_is_flagged(ds):
    audit = gradient_audit(ds, Detached(), None, **WINDOW)
    assert audit.parameters["mismatch"].values.tolist() == [0.0, 1.0, 0.0]
    assert any(flag.startswith("adjoint and central") and flag.endswith(": scale") for flag in audit.flags)


def test_a_gradient_that_is_not_finite_is_flagged(ds):
    audit = gradient_audit(ds, Broken(), None, **WINDOW)
    assert audit.parameters["not_finite"].values.tolist() == [0.0, 0.0, 1.0]
    assert any(flag.startswith("the gradient is not finite") for flag in audit.flags)


def test_parameters_at_a_bound(ds):
    k = xr.DataArray([0.001, 0.9, 0.05, 0.05, 0.05, 0.05], dims="site", attrs={"units": "d-1"})
    audit = gradient_audit(ds, Reservoir(), xr.Dataset({"k": k}), **WINDOW)
    assert float(audit.parameters["at_bound"].sel(parameter="k")) == pytest.approx(2 / 6)
    assert any(flag.startswith("at a bound") and flag.endswith("little: k") for flag in audit.flags)
    assert not audit.parameters["mismatch"].any()


def test_loss_and_score_of_different_kinds(ds):
    audit = gradient_audit(ds, Reservoir(), {"k": 0.5}, loss="kge", score="site_rmse", **WINDOW)
    r = audit.sites["correlation"]
    observed, simulated = (
        ds["outflow"],
        xdpl.simulate(
            ds.isel(time=slice(ds.indexes["time"].get_loc("2001-06-01") - 500, None)), Reservoir(), {"k": 0.5}
        )["outflow"],
    )
    window = {"time": WINDOW["time"]}
    expected = xr.corr(simulated.sel(window), observed.sel(window), dim="time")
    np.testing.assert_allclose(r, expected, rtol=1e-4)
    np.testing.assert_allclose(audit.sites["cost"], cost("kge", "site_rmse", r.values))
    assert any(flag.startswith("loss and score differ") for flag in audit.flags)
    same = gradient_audit(ds, Reservoir(), {"k": 0.5}, loss="site_rmse", score="site_rmse", **WINDOW)
    assert not any(flag.startswith("loss and score") for flag in same.flags)
    np.testing.assert_allclose(same.sites["alignment"], 1.0)
    assert (audit.sites["alignment"] < 0.999).any()


def test_layer_three_of_vic_is_a_slow_store():
    world = xdpl.data.twin(shape=(6, 6), years=3)
    theta = {"dsmax": 2.0, "d3": 1.9, "ds": 0.5}
    runoff = xdpl.simulate(world, "vic", theta | {"d2": 0.6}, outputs=["runoff"])["runoff"]
    year = {"time": slice("2002", "2002"), "warmup": 365}
    deep = gradient_audit(world.assign(runoff=runoff), "vic", theta, target="runoff", **year)
    assert bool(deep.parameters["slow"].sel(parameter="d3"))
    surface = gradient_audit(world, "vic", None, target="soil_moisture", **year)
    fast = ["infilt", "porosity", "critical_fraction", "canopy_fraction", "residual_fraction"]
    assert not surface.parameters["slow"].sel(parameter=fast).any()
    for audit in (deep, surface):
        assert not audit.parameters["mismatch"].any()
        assert not audit.parameters["not_finite"].any()


def test_the_lower_zone_of_hbv_is_a_slow_store():
    world = xdpl.data.twin(shape=(3, 3), years=3)
    season = {"target": "baseflow", "time": slice("2003-01", "2003-06"), "warmup": 730}
    slow = {}
    for k2 in (0.008, 0.15):
        flow = xdpl.simulate(world, "hbv", {"k2": k2, "perc": 1.0}, outputs=["baseflow"])["baseflow"]
        audit = gradient_audit(world.assign(baseflow=flow), "hbv", {"k2": k2}, **season)
        slow[k2] = bool(audit.parameters["slow"].sel(parameter="k2"))
    assert slow == {0.008: True, 0.15: False}


def test_flags_come_first_in_print(ds):
    audit = gradient_audit(ds, Reservoir(), {"k": 0.004}, **WINDOW)
    lines = repr(audit).splitlines()
    assert lines[0] == f"gradients of nrmse of outflow, reservoir: {len(audit.flags)} flags"
    assert lines[1].startswith("! ")
    assert lines[-4].split()[0] == "parameter"
    assert [line.split()[0] for line in lines[-3:]] == ["k", "scale", "nothing"]
    assert audit._repr_html_().index("<li>") < audit._repr_html_().index("<table>")
    assert max(map(len, lines)) <= 100


def test_without_a_warmup_nothing_is_cut(ds):
    audit = gradient_audit(ds, Reservoir(), None, target="outflow", warmup=0)
    np.testing.assert_array_equal(audit.sites["adjoint"], audit.sites["without_warmup"])
    assert not audit.parameters["slow"].any()


def test_one_error_lists_everything(ds):
    with pytest.raises(xdpl.errors.InputErrors) as caught:
        gradient_audit(
            ds, Reservoir(), {"z": 1.0}, target="w", loss="mae", score=3, warmup=-1, tolerance=0, time="2001"
        )
    subjects = {e.subject for e in caught.value.exceptions}
    assert subjects == {"z", "target", "loss", "score", "warmup", "tolerance", "time"}
    with pytest.raises(xdpl.errors.InputErrors, match="warmup"):
        gradient_audit(ds, Reservoir(), None, target="outflow", warmup=900)


def test_the_engine_array_gives_the_same(ds):
    short = {"target": "outflow", "time": slice("2000-02-01", "2000-02-20"), "warmup": 20}
    fused = gradient_audit(ds, Reservoir(), None, **short)
    eager = gradient_audit(ds, Reservoir(), None, engine="array", **short)
    for name in ("adjoint", "without_warmup"):
        np.testing.assert_allclose(eager.sites[name], fused.sites[name], rtol=1e-9, atol=1e-15)
