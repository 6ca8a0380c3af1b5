"""Calibration from a dataset to a dataset."""

import json

import numpy as np
import pint
import pint_xarray
import pytest
import xarray as xr

import xdpl
from xdpl.calibration import entry
from xdpl.calibration.problem import Problem
from xdpl.engines.tracing import trace as tracing
from xdpl.errors import InputErrors

QUICK = {"target": "soil_moisture", "warmup": 30, "evaluations": 250, "progress": False}
FEW = ("ksat", "d1", "porosity")


@pytest.fixture(scope="module")
def ds():
    return xdpl.data.twin(shape=(2, 3), years=1)


@pytest.fixture(scope="module")
def fixed(ds):
    """The truth, but for three parameters."""
    names = [v.removeprefix("true_") for v in ds.data_vars if v.startswith("true_")]
    known = {k: ds[f"true_{k}"] for k in names if k in xdpl.models.get("vic").defaults() and k not in FEW}
    defaults = {k: v for k, v in xdpl.models.get("vic").defaults().items() if k not in (*known, *FEW)}
    return known | defaults


@pytest.mark.parametrize("method", ["sce-ua", "gradient"])
def test_the_truth_is_found_again(ds, fixed, method):
    """Three parameters against a series without noise."""
    truth = {k: ds[f"true_{k}"] for k in FEW} | fixed
    clean = ds.assign(soil_moisture=ds.dpl.simulate("vic", truth, dtype="float64")["soil_moisture"])
    found = clean.dpl.calibrate(
        "vic", method=method, fixed=fixed, dtype="float64", **QUICK | {"evaluations": 800}
    )
    assert float(found["objective"].max()) < 1e-3
    for name in ("d1", "porosity"):
        np.testing.assert_allclose(found[name], ds[f"true_{name}"], rtol=0.03)


@pytest.mark.parametrize("method", ["sce-ua", "gradient"])
def test_the_objective_is_that_of_a_simulation(ds, method):
    found = ds.dpl.calibrate("vic", method=method, dtype="float64", **QUICK)
    simulated = ds.dpl.simulate("vic", found, dtype="float64")["soil_moisture"][30:]
    scores = xdpl.evaluation.metrics(simulated, ds["soil_moisture"][30:])
    np.testing.assert_allclose(1.0 - scores["nse"], found["objective"], rtol=1e-6)
    start = xdpl.evaluation.metrics(ds.dpl.simulate("vic")["soil_moisture"][30:], ds["soil_moisture"][30:])
    assert (found["objective"] < 1.0 - start["nse"]).all()


def test_what_comes_back(ds):
    found = ds.dpl.calibrate("vic", seed=3, **QUICK)
    model = xdpl.models.get("vic")
    assert list(found.data_vars) == [p.name for p in model.parameters]
    for p in model.parameters:
        values = found[p.name]
        assert values.dims == ("lat", "lon")
        assert values.attrs["units"] == p.units
        assert ((values >= p.lower) & (values <= p.upper)).all()
    assert found["objective"].attrs["units"] == "1"
    assert (found["evaluations"] == 250).all()
    assert found["stopped"].attrs["flag_meanings"].split()[1] == "budget"
    said = json.loads(found.attrs["calibration"])
    assert said["method"] == "sce-ua"
    assert said["stopped"] == "finished"
    assert said["train"] == [str(ds["time"].values[30])[:10], str(ds["time"].values[-1])[:10]]
    xr.testing.assert_identical(found["lat"], ds["lat"])


def test_runs_are_counted(ds, monkeypatch):
    """Evaluations are the runs that the kernel was asked for, no more."""
    asked = []
    call = Problem.__call__

    def counted(self, points, wanted):
        asked.append(int(wanted.sum()))
        return call(self, points, wanted)

    monkeypatch.setattr(Problem, "__call__", counted)
    found = ds.dpl.calibrate("vic", **QUICK)
    assert sum(asked) == int(found["evaluations"].sum()) == 6 * 250


def test_the_step_is_not_traced_in_every_round(ds, monkeypatch):
    """Once to check it and once for all rounds."""
    traced = []
    trace = tracing.trace

    def counted(model):
        traced.append(model)
        return trace(model)

    monkeypatch.setattr(tracing, "trace", counted)
    ds.dpl.calibrate("vic", engine="numba", **QUICK)
    assert len(traced) == 2


def test_a_site_does_not_know_its_company(ds):
    whole = ds.dpl.calibrate("vic", **QUICK)
    part = ds.dpl.calibrate("vic", sites=ds["lat"] + 0 * ds["lon"] > ds["lat"][0], **QUICK)
    assert part["d1"].isel(lat=0).isnull().all()
    assert (part["evaluations"].isel(lat=0) == 0).all()
    for name in whole.data_vars:
        np.testing.assert_array_equal(part[name].isel(lat=1), whole[name].isel(lat=1))


def test_dims_may_be_in_any_order(ds):
    whole = ds.dpl.calibrate("vic", **QUICK)
    turned = ds.transpose("lon", "lat", "time").dpl.calibrate("vic", **QUICK)
    assert turned["d1"].dims == ("lon", "lat")
    xr.testing.assert_equal(turned.transpose("lat", "lon"), whole)


def test_sites_without_data_are_left_out(ds):
    holed = ds.copy(deep=True)
    holed["precipitation"][:, 0, 0] = np.nan
    holed["soil_moisture"][:, 1, 1] = np.nan
    found = holed.dpl.calibrate("vic", **QUICK)
    missing = found["d1"].isnull()
    assert int(missing.sum()) == 2
    assert bool(missing[0, 0]) and bool(missing[1, 1])
    np.testing.assert_array_equal(found["objective"].isnull(), missing)
    simulated = holed.dpl.simulate("vic", found)["soil_moisture"]
    np.testing.assert_array_equal(simulated.isnull().all("time"), missing)


def test_a_lazy_dataset_gives_the_same(ds):
    xr.testing.assert_equal(ds.chunk(lat=1).dpl.calibrate("vic", **QUICK), ds.dpl.calibrate("vic", **QUICK))


def test_quantified_comes_back_quantified(ds):
    registry = pint_xarray.setup_registry(pint.UnitRegistry(force_ndarray_like=True))
    names = ["precipitation", "air_temperature", "potential_evapotranspiration"]
    said = {k: ds[k].attrs["units"].replace(" d-1", "/day") for k in names}
    plain = ds[[*names, "soil_moisture"]]
    quantified = plain.assign({k: (ds[k].dims, registry.Quantity(ds[k].data, u)) for k, u in said.items()})
    found = quantified.dpl.calibrate("vic", **QUICK)["d1"].data
    assert found.units == registry.Unit("m")
    np.testing.assert_allclose(found.magnitude, plain.dpl.calibrate("vic", **QUICK)["d1"])


def test_the_start_is_tried(ds):
    good = ds.dpl.calibrate("vic", **QUICK)
    again = ds.dpl.calibrate("vic", start=good, **QUICK | {"evaluations": 1})
    np.testing.assert_allclose(again["objective"], good["objective"], rtol=1e-6)
    np.testing.assert_allclose(again["ksat"], good["ksat"], rtol=1e-6)


def test_fixed_parameters_stay(ds):
    found = ds.dpl.calibrate("vic", fixed={"d1": 0.08}, **QUICK)
    assert (found["d1"] == 0.08).all()
    assert json.loads(found.attrs["calibration"])["fixed"] == ["d1"]


class Stop:
    """Ctrl-C in a call of the model."""

    def __init__(self, monkeypatch, at):
        self.left = at
        call = Problem.__call__

        def stopping(problem, points, wanted):
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
            return call(problem, points, wanted)

        monkeypatch.setattr(Problem, "__call__", stopping)


@pytest.mark.parametrize("at", [2, 9])
def test_an_interruption_keeps_the_best_and_is_taken_up_again(ds, tmp_path, monkeypatch, at):
    whole = ds.dpl.calibrate("vic", **QUICK)
    with monkeypatch.context() as patch:
        Stop(patch, at)
        part = ds.dpl.calibrate("vic", checkpoint=tmp_path / "c", **QUICK)
    assert json.loads(part.attrs["calibration"])["stopped"] == "interrupted"
    assert (part["evaluations"] < 250).all()
    assert np.isfinite(part["objective"]).all()
    assert (part["objective"] >= whole["objective"]).all()
    runs = []
    call = Problem.__call__

    def counted(problem, points, wanted):
        runs.append(int(wanted.sum()))
        return call(problem, points, wanted)

    monkeypatch.setattr(Problem, "__call__", counted)
    rest = ds.dpl.calibrate("vic", checkpoint=tmp_path / "c", **QUICK)
    xr.testing.assert_equal(rest, whole)
    assert sum(runs) == int((whole["evaluations"] - part["evaluations"]).sum())


def test_a_finished_calibration_is_read_back(ds, tmp_path, monkeypatch):
    whole = ds.dpl.calibrate("vic", method="gradient", checkpoint=tmp_path / "c", **QUICK)
    monkeypatch.setattr(entry, "_evaluate", lambda *_: None)
    again = ds.dpl.calibrate("vic", method="gradient", checkpoint=tmp_path / "c", **QUICK)
    xr.testing.assert_equal(again, whole)


def test_a_checkpoint_of_other_data_is_refused(ds, tmp_path):
    ds.dpl.calibrate("vic", checkpoint=tmp_path / "c", **QUICK)
    for other in ({"seed": 1}, {"objective": "kge"}, {"train": slice("2001-03-01", None)}):
        with pytest.raises(InputErrors, match="same data with the same settings"):
            ds.dpl.calibrate("vic", checkpoint=tmp_path / "c", **QUICK | other)


def test_every_problem_is_said_at_once(ds, tmp_path):
    with pytest.raises(InputErrors) as caught:
        ds.drop_vars("air_temperature").dpl.calibrate(
            "vic",
            target="soil_moisture",
            method="simplex",
            objective="mse",
            evaluations=0,
            warmup=-1,
            seed=1.5,
            dtype="int32",
            train=slice("1990", "1991"),
            fixed={"depth": 1.0},
            engine="fortran",
            checkpoint=tmp_path / "no" / "c",
        )
    text = str(caught.value)
    for subject in (
        "air_temperature",
        "method",
        "objective",
        "evaluations",
        "warmup",
        "seed",
        "dtype",
        "train",
        "depth",
        "engine",
        str(tmp_path / "no" / "c"),
    ):
        assert f"\n  - {subject}: expected" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"options": {"complexs": 3}}, "complexes"),
        ({"options": {"complexes": 0}}, "complexes: expected"),
        ({"fixed": xdpl.models.get("vic").defaults()}, "not all parameters"),
        ({"target": ["soil_moisture", "runoff"]}, "runoff"),
        ({"warmup": 400}, "fewer than 365 steps"),
        ({"start": {"d1": xr.DataArray([0.1, 0.2], dims="member", attrs={"units": "m"})}}, "dims among"),
    ],
)
def test_bad_arguments(ds, options, message):
    with pytest.raises(InputErrors, match=message):
        ds.dpl.calibrate("vic", **QUICK | options)


def test_a_method_of_ones_own(ds):
    from xdpl.calibration.optimisers.sceua import SCEUA

    def mine(keys, parameters, *, seed, evaluations, start, complexes=2):
        return SCEUA(keys, parameters, seed=seed, evaluations=evaluations, start=start, complexes=complexes)

    found = ds.dpl.calibrate("vic", method=mine, **QUICK)
    like = ds.dpl.calibrate("vic", options={"complexes": 2}, **QUICK)
    xr.testing.assert_equal(found, like)
