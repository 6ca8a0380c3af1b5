"""Learning through a surrogate beside learning with gradients: the same case, both ways."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import xdpl
from xdpl.errors import InputErrors
from xdpl.experiments import surrogate
from xdpl.experiments.as_tables import learned_parameters, write_tables
from xdpl.experiments.boxed import boxed
from xdpl.experiments.cases import twin_moisture, twin_noah
from xdpl.experiments.noah_world import FREE, noah_world
from xdpl.experiments.reports.surrogate import share, table
from xdpl.networks import LSTM
from xdpl.surrogate import Loop


@pytest.fixture(scope="module")
def world():
    return xdpl.data.twin(shape=(3, 4))


@pytest.fixture(scope="module")
def case(world):
    emulator = {"network": LSTM(24), "epochs": 10}
    anything = {"slope": (-99.0, 99.0), "correlation": 0.0, "effect": 1.0}
    loop = Loop(draws=12, more=3, rounds=2, tolerance=0.0, emulator=emulator, audit=anything)
    learn = {"learning_rate": 2e-2, "epochs": 40, "warmup": 60}
    return replace(twin_moisture(world), learn=learn, loop=loop)


@pytest.fixture(scope="module")
def result(case):
    return surrogate(case, seeds=(0,), progress=False)


def test_both_ways_are_scored_in_the_model(case, result):
    assert list(result["contender"].values) == ["uncalibrated", "dpl", "surrogate"]
    theta = xr.Dataset(
        {
            str(k): result["parameter_value"].sel(contender="surrogate", seed=0, parameter=k, drop=True)
            for k in result["parameter"].values
        }
    )
    for p in case.process.parameters:
        theta[p.name].attrs["units"] = p.units
    simulated = xdpl.simulate(case.data, case.process, theta, outputs=["soil_moisture"])["soil_moisture"]
    error = (simulated - case.data["soil_moisture"]).sel(time=case.test)
    found = result["rmse"].sel(contender="surrogate", seed=0)
    np.testing.assert_allclose(found, (error**2).mean("time") ** 0.5, rtol=1e-4)
    # The world was made with these parameters at other values than the defaults.
    assert share(result).item() > 0.3


def test_the_table_has_rounds_and_parameters(result):
    said = table(result)
    assert "share of the improvement" in said and "correlation with the true parameters" in said
    for column in ("emulator NSE", "in the model", "slopes", "runs/site"):
        assert column in said
    assert result["model_rmse"].dims == ("seed", "round", "target")
    assert float(result["model_runs"].max()) / 12 < 400


def test_what_was_learned_is_written_as_tables(case, result, tmp_path):
    """That give the same simulation when they are read."""
    written = write_tables(result, case, tmp_path)
    assert len(written) == 6 and all(path.exists() for path in written)
    theta = learned_parameters(result, case, "surrogate", 0)
    expected = xdpl.simulate(case.data, case.process, theta, outputs=["soil_moisture"])["soil_moisture"]
    for suffix in ("csv", "nml"):
        table = xdpl.read_table(tmp_path / f"twin-moisture-surrogate.{suffix}", onto=case.ds["sand"])
        found = xdpl.simulate(case.data, case.process, table, outputs=["soil_moisture"])["soil_moisture"]
        np.testing.assert_allclose(found.transpose(*expected.dims), expected, atol=1e-4)
    assert write_tables(result, case, tmp_path) == written


def test_what_is_kept_is_read(case, tmp_path, monkeypatch):
    quick = replace(case, learn=case.learn | {"epochs": 1}, loop=replace(case.loop, rounds=1))
    found = surrogate(quick, seeds=(0,), out=tmp_path, progress=False)
    monkeypatch.setattr("xdpl.experiments.work.learn", None)
    xr.testing.assert_allclose(surrogate(quick, seeds=(0,), out=tmp_path, progress=False), found)


def test_a_box_is_its_model(world):
    model = xdpl.models.Subset("vic", ["ksat", "porosity"])
    box = boxed(model, "soil_moisture", "runoff", workers=2)
    found, expected = (xdpl.simulate(world, m, outputs=["soil_moisture", "runoff"]) for m in (box, model))
    for name in expected.data_vars:
        np.testing.assert_allclose(found[name], expected[name].transpose(*found[name].dims), rtol=1e-3)


def test_the_world_of_noah(world):
    ds = noah_world(world)
    case = twin_noah(world)
    assert set(case.truth) == set(FREE) and len(FREE) >= 10
    for p in case.process.parameters:
        values = ds[f"true_{p.name}"]
        assert p.lower <= float(values.min()) < float(values.max()) <= p.upper
    found = xdpl.simulate(ds, case.process, case.truth, outputs=["soil_moisture"])["soil_moisture"]
    xr.testing.assert_allclose(found.drop_attrs(), ds["true_soil_moisture"].drop_attrs())
    error = ds["soil_moisture"] - ds["true_soil_moisture"]
    np.testing.assert_allclose(float(error.std()), 0.02, rtol=0.05)


def test_without_seeds(case):
    with pytest.raises(InputErrors):
        surrogate(case, seeds=())
