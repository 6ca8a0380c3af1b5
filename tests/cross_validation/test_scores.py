import json

import numpy as np
import pytest
import xarray as xr
from helpers_cross_validate import EARLY, LATE, LEARN, assert_same_scores, run
from helpers_learn import Bucket, twin, world

import xdpl
from xdpl.evaluation import Density, Temporal, Ungauged, UngaugedRegions, metrics, random_folds
from xdpl.networks import History

METRICS = ["rmse", "ubrmse", "bias", "correlation", "nse", "kge_2009", "kge_2012", "count"]


@pytest.fixture(scope="module")
def both():
    models = {"ours": Bucket(), "long": {"model": Bucket(), "epochs": 5}}
    return run(models=models, seeds=(0, 3))


def by_hand(ds, model, sites, **options):
    return xdpl.learn(ds, model, **(LEARN | {"train": EARLY, "sites": sites, "progress": False} | options))


def test_a_fold_is_learn_and_evaluate_by_hand(both):
    ds = world()
    folds = random_folds(ds["sand"], 2)
    for label, epochs in {"ours": 3, "long": 5}.items():
        for fold in (0, 1):
            for seed in (0, 3):
                fit = by_hand(ds, Bucket(), folds != fold, epochs=epochs, seed=seed)
                expected = fit.evaluate(ds, time=LATE)
                got = both.sel(model=label, fold=str(fold), seed=seed)
                for name in METRICS:
                    other = 0 if name == "count" else np.nan
                    np.testing.assert_array_equal(got[name], expected[name].where(folds == fold, other))
                assert int(got["epochs"]) == epochs and int(got["stopped"]) == 1 and got["seconds"] > 0


def test_the_twin_by_hand():
    ds = twin().isel(lat=slice(4), lon=slice(4))
    options = {"target": "soil_moisture", "attributes": ["sand", "clay"], "epochs": 2, "progress": False}
    train, test = slice("2001-01", "2001-08"), slice("2001-09", None)
    regions = UngaugedRegions(k=2)
    scores = ds.dpl.cross_validate("vic", protocol=regions, train=train, test=test, **options)
    assert scores["rmse"].dims == ("model", "fold", "seed", "lat", "lon")
    for i, split in enumerate(regions.splits(ds["sand"])):
        expected = ds.dpl.learn("vic", sites=split.train, train=train, **options).evaluate(ds, time=test)
        got = scores.isel(model=0, fold=i, seed=0)
        np.testing.assert_array_equal(got["kge_2012"], expected["kge_2012"].where(split.test))
    assert not {"worst_rmse", "pooled_rmse", "dryness_tercile"} & set(scores)


def test_labels_and_attributes(both):
    assert dict(both.sizes) == {"model": 2, "fold": 2, "seed": 2, "lat": 2, "lon": 3}
    assert list(both["model"].values) == ["ours", "long"]
    assert list(both["fold"].values) == ["0", "1"]
    assert list(both["seed"].values) == [0, 3]
    assert list(both) == [*METRICS, "seconds", "epochs", "stopped"]
    folds = random_folds(world()["sand"], 2)
    np.testing.assert_array_equal(both["fold_of_site"], folds)
    assert both["fold_of_site"].dtype == both["count"].dtype == both["epochs"].dtype == np.int64
    said = {k: v.attrs.get("units") for k, v in both.items()}
    depths = dict.fromkeys(["rmse", "ubrmse", "bias"], "mm d-1")
    assert said == dict.fromkeys(METRICS, "1") | depths | {"seconds": "s", "epochs": "1", "stopped": None}
    assert both["stopped"].attrs["flag_meanings"] == "missing finished early diverged"
    assert both["rmse"].attrs["long_name"] == "root mean square error"
    assert both["lat"].attrs == world()["lat"].attrs


def test_what_made_it(both):
    assert json.loads(both.attrs["protocol"]) == {"kind": "Ungauged", "k": 2, "seed": 0}
    assert json.loads(both.attrs["settings"]) == {
        "train": ["2001-02-01", "2001-04-30"],
        "test": ["2001-05-01", "2001-06-30"],
        "scores": None,
    }
    models = json.loads(both.attrs["models"])
    assert [models[k]["epochs"] for k in ("ours", "long")] == [3, 5]
    assert models["ours"]["model"] == "bucket" and models["ours"]["network"]["hidden"] == [8]
    assert models["ours"]["loss"] == "nrmse"
    assert "Ungauged scores of ours, long for runoff created by xdpl" in both.attrs["history"]
    assert "model_hash" not in both.attrs


def test_same_sites_in_another_period():
    ds = world()
    scores = run(ds, protocol=Temporal())
    expected = by_hand(ds, Bucket(), None).evaluate(ds, time=LATE)
    np.testing.assert_array_equal(scores["nse"].isel(model=0, fold=0, seed=0), expected["nse"])
    assert list(scores["fold"].values) == ["all"] and (scores["fold_of_site"] == 0).all()


HISTORY = History(steps=20, hidden=4)


@pytest.mark.parametrize("protocol", [Ungauged(2), UngaugedRegions(2), Density(2), Temporal()])
def test_the_history_of_ungauged_sites_is_hidden(protocol):
    """Where a protocol says that there is none; where sites are gauged, it is read."""
    ds, gauged = world(), not isinstance(protocol, Ungauged | UngaugedRegions)
    options = {"network": HISTORY, "learning_rate": 0.1}
    scores = run(ds, protocol=protocol, **options)
    later = ds["time"] >= np.datetime64(LATE.start)
    for i, split in enumerate(protocol.splits(ds["sand"])):
        fit = by_hand(ds, Bucket(), split.train, **options)
        shown = ds["runoff"].where(later | split.train) if not gauged else ds["runoff"]
        simulated = fit.simulate(ds.assign(runoff=shown.assign_attrs(units="mm d-1")), at=LATE.start)[
            "runoff"
        ]
        error = (simulated - ds["runoff"]).sel(time=LATE)
        expected = np.sqrt((error**2).mean("time")).where(split.test)
        np.testing.assert_allclose(scores["rmse"].isel(model=0, fold=i, seed=0), expected, rtol=1e-5)
        # With the history it is another simulation.
        known = fit.simulate(ds, at=LATE.start)["runoff"]
        same = (known == simulated).all("time").where(split.test, True)
        assert bool(same.all()) == gauged


def test_density_tests_the_rest():
    scores = run(protocol=Density(2))
    expected = [[-1, 0, -1], [0, 0, 0]]
    np.testing.assert_array_equal(scores["fold_of_site"], expected)
    np.testing.assert_array_equal(scores["rmse"].squeeze().notnull(), np.array(expected) == 0)


def test_a_whole_record_is_none():
    scores = run(train=None, test=None)
    np.testing.assert_array_equal(
        scores["count"].sum(("model", "fold", "seed")), world()["runoff"].notnull().sum("time")
    )


def test_transposed_data_have_the_same_scores(both):
    scores = run(world().transpose(), {"ours": Bucket()}, seeds=[0, 3])
    assert scores["rmse"].dims == ("model", "fold", "seed", "lon", "lat")
    for name in METRICS:
        xr.testing.assert_equal(scores[name].transpose(..., "lat", "lon"), both[name].sel(model=["ours"]))


def test_lazy_data_have_the_same_scores(both):
    scores = run(world().chunk(lat=1), {"ours": Bucket()}, seeds=[0, 3])
    for name in METRICS:
        xr.testing.assert_allclose(scores[name], both[name].sel(model=["ours"]), rtol=1e-5)
        assert scores[name].chunks is None


def test_sites_that_take_no_part():
    ds = world()
    ds["runoff"][:, 0, 0] = np.nan
    ds["sand"][0, 1] = ds["clay"][0, 1] = np.nan
    ds["precipitation"][:, 1, 2] = np.nan
    scores = run(ds)
    where = np.array([[-1, -1, 0], [0, 0, -1]])
    np.testing.assert_array_equal(scores["fold_of_site"] >= 0, where >= 0)
    sizes = np.bincount(scores["fold_of_site"].values[where >= 0])
    assert sorted(sizes) == [1, 2]
    np.testing.assert_array_equal(scores["rmse"].notnull().any(("model", "fold", "seed")), where >= 0)


def mean_absolute(simulated, observed):
    return xr.Dataset(
        {"mae": abs(simulated - observed).mean("time").assign_attrs(units=observed.attrs["units"])}
    )


def test_own_scores():
    ds = world()
    ds["runoff"] = (ds["runoff"] / 1000).assign_attrs(units="m d-1")
    folds = random_folds(ds["sand"], 2)
    scores = run(ds, scores=mean_absolute)
    assert scores["mae"].attrs["units"] == scores["rmse"].attrs["units"] == "m d-1"
    assert json.loads(scores.attrs["settings"])["scores"].endswith("test_scores.mean_absolute")
    for fold in (0, 1):
        simulated = by_hand(ds, Bucket(), folds != fold).simulate(ds)["runoff"].sel(time=LATE)
        expected = abs(simulated / 1000 - ds["runoff"].sel(time=LATE)).mean("time").where(folds == fold)
        np.testing.assert_allclose(scores["mae"].isel(fold=fold).squeeze(), expected, rtol=1e-6)


def test_own_scores_of_a_flow_are_per_area():
    ds = world()
    ds["area"] = (("lat", "lon"), 100.0 * np.arange(1.0, 7.0).reshape(2, 3), {"units": "km2"})
    ds["runoff"] = (ds["runoff"] * ds["area"] / 86.4).assign_attrs(units="m3 s-1")
    scores = run(ds, scores=lambda s, o: metrics(s, o)[["rmse"]].rename(rmse="again"))
    assert scores["rmse"].attrs["units"] == scores["again"].attrs["units"] == "mm d-1"
    np.testing.assert_allclose(scores["again"], scores["rmse"], rtol=1e-12)


def test_own_scores_take_the_place_of_others(both):
    scores = run(scores=lambda s, o: metrics(s, o, minimum=40)[["rmse", "count"]])
    few = both["count"].isel(model=[0], seed=[0]) < 40
    assert few.any() and scores["count"].dtype == np.int64
    np.testing.assert_array_equal(scores["rmse"], both["rmse"].isel(model=[0], seed=[0]).where(~few).values)


def test_one_model_by_name_or_as_it_is():
    ds = twin().isel(lat=slice(2), lon=slice(2))
    options = {"protocol": Ungauged(2), "train": slice("2001-01", "2001-06"), "test": slice("2001-07", None)}
    options |= {"target": "soil_moisture", "attributes": ["sand"], "epochs": 1, "progress": False}
    named = xdpl.cross_validate(ds, "vic", **options)
    assert list(named["model"].values) == ["vic"]
    assert_same_scores(named, xdpl.cross_validate(ds, xdpl.models.get("vic"), **options))


def test_early_stopping_is_told(monkeypatch):
    from xdpl.training import loop

    monkeypatch.setattr(loop, "_validate", lambda *args: 1.0)
    scores = run(epochs=9, patience=2, validate=LATE)
    assert (scores["stopped"] == 2).all() and (scores["epochs"] == 3).all()


def test_divergence_is_told(monkeypatch):
    from xdpl.training import loop

    epochs, clean = [], loop._epoch

    def diverging(*args):
        epochs.append(args)
        if len(epochs) == 2:
            raise FloatingPointError
        return clean(*args)

    monkeypatch.setattr(loop, "_epoch", diverging)
    with pytest.warns(RuntimeWarning, match="the weights of epoch 1 are kept"):
        scores = run()
    np.testing.assert_array_equal(scores["stopped"].squeeze(), [3, 1])
    np.testing.assert_array_equal(scores["epochs"].squeeze(), [1, 3])


def test_a_bar_over_the_fits(capfd):
    run(progress=True)
    assert "cross_validate: 100%" in capfd.readouterr().err


def test_errors_say_which_fit_they_are_of(monkeypatch):
    from xdpl.training import loop

    def broken(*args):
        msg = "broken"
        raise RuntimeError(msg)

    monkeypatch.setattr(loop, "_epoch", broken)
    with pytest.raises(RuntimeError, match="broken") as caught:
        run(seeds=[4])
    assert caught.value.__notes__ == ["in model 'bucket', fold '0', seed 4"]
