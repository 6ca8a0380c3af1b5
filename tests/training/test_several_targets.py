"""Several targets: their losses, weights, scores."""

import json
import math

import numpy as np
import pytest
import torch
import xarray as xr
from helpers_learn import Bucket, assert_same_fit, problems, quick, world
from model_cases import weather

import xdpl
from xdpl.errors import InputErrors
from xdpl.models.hbv import HBV
from xdpl.training import entry
from xdpl.training.losses import Spread
from xdpl.training.objective import Answers, Objective

TARGETS = {"runoff": "runoff", "wetness": "wet"}
LATE = slice("2001-05-01", "2001-06-30")


def both():
    ds = world()
    truth = xr.Dataset({"leak": 0.02 + 0.006 * ds["sand"], "split": 0.1 + 1.5 * ds["clay"]})
    truth["leak"].attrs, truth["split"].attrs = {"units": "d-1"}, {"units": "1"}
    wet = 100.0 * xdpl.simulate(ds, Bucket(), truth, outputs=["wetness"])["wetness"]
    ds["wet"] = wet.where(ds["time"].dt.day % 3 != 0).assign_attrs(units="percent")
    return ds


@pytest.fixture(scope="module")
def fit():
    return quick(both(), target=TARGETS, validate=LATE)


def refused(**options):
    with pytest.raises(InputErrors) as raised:
        quick(both(), **({"target": TARGETS} | options))
    return problems(raised)


def test_losses_and_weights_by_hand():
    nan = math.nan
    observed = {
        "a": torch.tensor([[1.0, 2.0], [3.0, nan]]),
        "b": torch.tensor([[nan, nan], [nan, 10.0]]),
    }
    simulated = {"a": torch.tensor([[2.0, 2.0], [3.0, 9.0]]), "b": torch.tensor([[5.0, 5.0], [5.0, 7.0]])}
    spread = {"a": Spread(torch.tensor([1.9, 0.9]), 1.0), "b": Spread(torch.tensor([1.0, 2.0]), 1.0)}
    objective = Objective({"a": "nrmse", "b": "rmse"}, {"a": 2.0, "b": 0.5})
    # Site 0: √(1/2) over 1.9 + 0.1; site 1 without an error. Then the only error of b, 3.
    expected = 2.0 * (math.sqrt(0.5) / 2.0 + 0.0) / 2.0 + 0.5 * 3.0
    assert float(objective(simulated, Answers(observed, spread))) == pytest.approx(expected, rel=1e-5)


def test_a_batch_without_one_of_them_has_finite_gradients():
    parts = {k: torch.ones(4, 2, requires_grad=True) for k in ("a", "b")}
    answers = Answers(
        {"a": torch.zeros(4, 2), "b": torch.full((4, 2), math.nan)},
        {k: Spread(torch.ones(2), 1.0) for k in parts},
    )
    for loss in ("nrmse", "rmse", "kge", "nse", "site_rmse", "rmse_log"):
        total = Objective(dict.fromkeys(parts, loss), dict.fromkeys(parts, 1.0))(parts, answers)
        total.backward()
        assert torch.isfinite(parts["a"].grad).all() and (parts["b"].grad == 0).all()
        parts["a"].grad = parts["b"].grad = None


def test_the_loss_of_a_fit_by_hand():
    ds, weights = both(), {"runoff": 1.0, "wetness": 20.0}
    fit = quick(
        ds,
        target=TARGETS,
        weights=weights,
        loss={"runoff": "rmse", "wetness": "site_rmse"},
        epochs=1,
        batch=6,
        window=89,
        warmup=31,
        learning_rate=1e-9,
    )
    sim = fit.simulate(ds, outputs=list(TARGETS)).sel(time=slice("2001-02-01", "2001-04-30"))
    square = (sim["runoff"] - ds["runoff"]) ** 2
    wet = (sim["wetness"] - 0.01 * ds["wet"]) ** 2
    expected = np.sqrt(square.mean()) + 20.0 * np.sqrt(wet.mean("time")).mean()
    assert float(fit.history["loss"][0]) == pytest.approx(float(expected), rel=1e-4)
    assert fit.settings["weights"] == weights
    assert "1 rmse of runoff, 20 site_rmse of wetness" in repr(fit)


def catchments():
    """Two basins with streamflow, soil moisture and evapotranspiration, each seen on its own days."""
    ds = weather(shape=(2,), days=150, seed=3)
    rng = np.random.default_rng(0)
    ds["slope"] = ("basin", [1.0, 2.0], {"units": "1"})
    truth = {"beta": 3.0, "fc": 400.0, "k1": 0.2, "route_b": 3.0}
    outputs = ["streamflow", "soil_moisture", "evapotranspiration"]
    sim = xdpl.simulate(ds, HBV("capillary"), truth, outputs=outputs, engine="array")
    for name, units, factor in zip(outputs, ("mm d-1", "m", "kg m-2 s-1"), (1, 1e-3, 1 / 86400), strict=True):
        seen = rng.random((150, 2)) < 0.6
        ds[f"seen_{name}"] = (factor * sim[name]).where(xr.DataArray(seen, dims=("time", "basin")))
        ds[f"seen_{name}"].attrs["units"] = units
    return ds


@pytest.mark.parametrize("members", [1, 2])
def test_streamflow_soil_moisture_and_evapotranspiration_by_hand(members):
    ds, train = catchments(), slice("2001-03-02", "2001-05-30")
    targets = {k: f"seen_{k}" for k in ("streamflow", "soil_moisture", "evapotranspiration")}
    weights = {"streamflow": 2.0, "soil_moisture": 0.5, "evapotranspiration": 3.0}
    fit = quick(
        ds,
        model=HBV("capillary"),
        target=targets,
        loss={"streamflow": "nse", "soil_moisture": "nrmse", "evapotranspiration": "rmse"},
        weights=weights,
        attributes=["slope"],
        members=members,
        train=train,
        epochs=1,
        batch=2,
        window=90,
        warmup=60,
        learning_rate=1e-9,
        engine="array",
    )
    sim = fit.simulate(ds, outputs=list(targets), engine="array").sel(time=train)
    observed = ds.sel(time=train)
    flow = observed["seen_streamflow"]
    nse = (((sim["streamflow"] - flow) ** 2).mean("time") / (flow.std("time") + 0.1) ** 2).mean()
    soil = 1000.0 * observed["seen_soil_moisture"]
    spread = soil.std("time") + 0.1 * soil.std("time").median()
    nrmse = (np.sqrt(((sim["soil_moisture"] - soil) ** 2).mean("time")) / spread).mean()
    taken = 86400.0 * observed["seen_evapotranspiration"]
    rmse = np.sqrt(((sim["evapotranspiration"] - taken) ** 2).mean())
    expected = 2.0 * float(nse) + 0.5 * float(nrmse) + 3.0 * float(rmse)
    assert min(float(nse), float(nrmse), float(rmse)) > 0.05
    assert float(fit.history["loss"][0]) == pytest.approx(expected, rel=1e-3)


def test_weights_decide():
    heavy = [quick(both(), target=TARGETS, weights={"runoff": 1.0, "wetness": w}) for w in (1e-6, 1.0)]
    only = quick(both(), target="runoff")
    theta = [f.parameters(world())["leak"] for f in (*heavy, only)]
    np.testing.assert_allclose(theta[0], theta[2], rtol=1e-3)
    assert float(abs(theta[1] - theta[2]).max()) > 1e-3


def test_a_list_is_a_mapping_of_names_to_themselves():
    ds = both().rename(wet="wetness")
    named = quick(ds, target=["runoff", "wetness"])
    assert named.targets == {"runoff": "runoff", "wetness": "wetness"}
    np.testing.assert_array_equal(
        named.parameters(ds)["leak"], quick(both(), target=TARGETS).parameters(ds)["leak"]
    )


def test_numbers_of_numpy_are_weights():
    weights = {"runoff": np.float32(2.0), "wetness": np.int64(1)}
    fit = quick(both(), target=TARGETS, weights=weights, epochs=1)
    assert json.loads(json.dumps(fit.settings))["weights"] == {"runoff": 2.0, "wetness": 1.0}


def test_scores_along_targets(fit):
    ds = both()
    scores = fit.evaluate(ds, time=LATE)
    assert scores["rmse"].dims == ("target", "lat", "lon") and scores["pooled_rmse"].dims == ("target",)
    assert list(scores["target"].values) == list(TARGETS)
    assert list(scores["target_units"].values) == ["mm d-1", "percent"]
    sim = fit.simulate(ds, outputs=list(TARGETS))
    for name, variable, factor in (("runoff", "runoff", 1.0), ("wetness", "wet", 100.0)):
        error = (factor * sim[name] - ds[variable]).sel(time=LATE)
        found = scores.sel(target=name)
        np.testing.assert_allclose(found["rmse"], np.sqrt((error**2).mean("time")), rtol=1e-4)
        np.testing.assert_array_equal(found["count"], ds[variable].sel(time=LATE).count("time"))
    # Units that differ are no attribute.
    assert "units" not in scores["rmse"].attrs and scores["nse"].attrs["units"] == "1"
    assert "runoff, wetness" in scores.attrs["title"]


def test_scores_of_one_target_are_as_before(fit):
    ds = both()
    one = quick(ds, target="runoff").evaluate(ds)
    assert "target" not in one.dims and one["rmse"].attrs["units"] == "mm d-1"


def test_scores_are_lazy_and_written(fit, tmp_path):
    ds = both()
    lazy = fit.evaluate(ds.chunk(lat=1))
    assert lazy["rmse"].chunks is not None
    np.testing.assert_allclose(lazy["rmse"], fit.evaluate(ds)["rmse"], rtol=1e-5)
    fit.evaluate(ds).to_netcdf(tmp_path / "scores.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "scores.nc", engine="h5netcdf") as back:
        np.testing.assert_array_equal(back["target_units"], ["mm d-1", "percent"])


def test_variables_of_other_names(fit):
    ds = both()
    expected = fit.evaluate(ds)
    other = ds.rename(wet="satellite")
    xr.testing.assert_equal(fit.evaluate(other, target={"wetness": "satellite"}), expected)
    with pytest.raises(InputErrors) as raised:
        fit.evaluate(other.drop_vars("runoff"))
    found = problems(raised)
    assert set(found) == {"wet", "runoff"}
    assert 'fit.evaluate(ds, target={"wetness": "<variable>"})' in found["wet"]
    with pytest.raises(InputErrors) as raised:
        fit.evaluate(ds, target="runoff")
    assert "a mapping, of several targets" in problems(raised)["target"]
    with pytest.raises(InputErrors) as raised:
        fit.evaluate(ds, target={"storage": "wet"})
    assert "targets of the fit: runoff, wetness" in problems(raised)["target"]


def test_a_site_with_one_of_them_takes_part():
    ds = both()
    ds["runoff"][:, 0, 0] = np.nan
    ds["wet"][:, 1, 2] = np.nan
    fit = quick(ds, target=TARGETS, validate=LATE)
    assert fit.settings["training_sites"] == 6
    scores = fit.evaluate(ds)
    assert scores["rmse"].sel(target="runoff")[0, 0].isnull()
    assert scores["rmse"].sel(target="wetness")[0, 0].notnull()
    assert int(scores["rmse"].isnull().sum()) == 2
    ds["wet"][:, 0, 0] = np.nan
    assert quick(ds, target=TARGETS).settings["training_sites"] == 5


def test_validation_by_hand(fit):
    ds = both()
    sim = fit.simulate(ds, outputs=list(TARGETS))
    train, expected = slice("2001-02-01", "2001-04-30"), 0.0
    for name, variable, factor in (("runoff", "runoff", 1.0), ("wetness", "wet", 0.01)):
        observed = factor * ds[variable]
        std = observed.sel(time=train).std("time")
        rmse = np.sqrt(((sim[name] - observed).sel(time=LATE) ** 2).mean("time"))
        expected += float((rmse / (std + 0.1 * std.median())).mean())
    best = int(np.argmin(fit.history["validation_loss"].values))
    assert fit.settings["best_epoch"] == best + 1
    assert float(fit.history["validation_loss"][best]) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("network", ["mlp", "lstm"])
def test_tiles_of_validation_are_one_batch(network, monkeypatch):
    options = {"target": TARGETS, "validate": LATE, "loss": "rmse", "network": network, "epochs": 2}
    whole = quick(both(), **options)
    monkeypatch.setattr(entry, "_TILE", 4)
    tiled = quick(both(), **options)
    np.testing.assert_allclose(tiled.history["validation_loss"], whole.history["validation_loss"], rtol=1e-5)


def test_missing_and_unknown_keys():
    found = refused(weights={"runoff": 1.0}, loss={"runoff": "kge", "storage": "kge"})
    assert set(found) == {"weights", "loss"}
    assert "a value for each target: runoff, wetness" in found["weights"]
    assert "weights={'runoff': ..., 'wetness': ...}" in found["weights"]
    assert "values for 'runoff', 'storage'" in found["loss"]
    assert "one of kge, nrmse" in refused(loss={"runoff": "kge", "wetness": "mae"})["loss"]


@pytest.mark.parametrize("weight", [0.0, -1.0, math.nan, math.inf, "1", True])
def test_bad_weights(weight):
    found = refused(weights={"runoff": 1.0, "wetness": weight})
    assert "a number above 0" in found["weights['wetness']"] and repr(weight) in found["weights['wetness']"]


def test_a_target_that_is_observed_nowhere():
    ds = both()
    ds["wet"] = ds["wet"] * np.nan
    ds["wet"].attrs["units"] = "percent"
    with pytest.raises(InputErrors) as raised:
        quick(ds, target=TARGETS)
    assert set(problems(raised)) == {"wet"}


def test_a_target_that_is_not_observed_in_the_validation():
    ds = both()
    ds["wet"] = ds["wet"].where(ds["time"] < np.datetime64("2001-05-01")).assign_attrs(units="percent")
    with pytest.raises(InputErrors) as raised:
        quick(ds, target=TARGETS, validate=LATE)
    found = problems(raised)
    assert set(found) == {"wet"} and "choose another validate" in found["wet"]


@pytest.mark.parametrize("target", [["runoff", "flow"], [], {}, [3], 7, {"runoff": "runoff", "flow": "wet"}])
def test_bad_targets(target):
    with pytest.raises(InputErrors) as raised:
        quick(both(), target=target)
    assert "outputs of 'bucket': runoff, wetness, storage" in problems(raised)["target"]


def test_several_missing_variables_are_listed_together():
    with pytest.raises(InputErrors) as raised:
        quick(both(), target={"runoff": "q", "wetness": "w"})
    assert len(problems(raised)) == 2


def test_saved_loaded_and_the_same_again(fit, tmp_path):
    fit.save(tmp_path / "fit")
    loaded = xdpl.load(tmp_path / "fit", model=Bucket())
    assert loaded.targets == TARGETS
    xr.testing.assert_equal(loaded.evaluate(both()), fit.evaluate(both()))
    assert_same_fit(quick(both(), target=TARGETS, validate=LATE), fit)


def test_report(fit):
    assert "runoff (variable 'runoff'), wetness (variable 'wet')" in repr(fit)
