import json
import warnings

import numpy as np
import pytest
import xarray as xr
from helpers_cross_validate import EARLY, LATE, assert_same_scores, run, stop_at
from helpers_learn import Bucket, assert_same_fit, world

import xdpl
from xdpl.cross_validation import cell
from xdpl.errors import InputErrors
from xdpl.evaluation import Ungauged, UngaugedRegions, metrics

# Four fits of three epochs.
SEEDS = {"seeds": (0, 1)}


@pytest.fixture(scope="module")
def whole():
    return run(**SEEDS)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "deep" / "runs"


def trained(*args, **kwargs):
    pytest.fail("something was trained")


def interrupted(**options):
    with pytest.warns(RuntimeWarning, match="interrupted after") as caught:
        scores = run(**SEEDS, **options)
    return scores, str(caught[0].message)


def test_what_is_finished_comes_back(whole, monkeypatch):
    epochs = stop_at(monkeypatch, 8)  # within the third fit
    scores, message = interrupted()
    assert len(epochs) == 8
    assert message == (
        "interrupted after 2 of 4 fits; the others are NaN; out= would let the same call continue"
    )
    # Fits run fold by fold.
    np.testing.assert_array_equal(scores["seconds"].squeeze().notnull(), [[True, True], [False, False]])
    np.testing.assert_array_equal(scores["stopped"].squeeze(), [[1, 1], [0, 0]])
    assert (scores["count"].isel(fold=1) == 0).all()
    assert_same_scores(scores.isel(fold=[0]), whole.isel(fold=[0]))
    assert scores["rmse"].isel(fold=1).isnull().all()


def test_the_caller_is_warned(monkeypatch):
    stop_at(monkeypatch, 5)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(**SEEDS)
    assert [w.filename for w in caught] == [run.__code__.co_filename]


def test_nothing_finished_is_an_interruption(monkeypatch):
    stop_at(monkeypatch, 2)
    with pytest.raises(KeyboardInterrupt):
        run(**SEEDS)


def test_interrupted_while_scoring(whole, folder, monkeypatch):
    calls, evaluate = [], xdpl.Fit.evaluate

    def stopping(self, *args, **kwargs):
        calls.append(self)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return evaluate(self, *args, **kwargs)

    monkeypatch.setattr(xdpl.Fit, "evaluate", stopping)
    scores, _ = interrupted(out=folder)
    assert int(scores["seconds"].notnull().sum()) == 1
    monkeypatch.undo()
    assert_same_scores(run(**SEEDS, out=folder), whole)


@pytest.mark.parametrize("save_fits", [False, True])
def test_resumed_is_the_run_in_one_go(whole, folder, monkeypatch, save_fits):
    options = {"out": folder, "save_fits": save_fits}
    stop_at(monkeypatch, 8)
    part, message = interrupted(**options)
    assert message.endswith("the same call continues")
    monkeypatch.undo()
    epochs = stop_at(monkeypatch, 0)
    scores = run(**SEEDS, **options)
    # The third fit went on from its second epoch.
    assert len(epochs) == 4
    assert_same_scores(scores, whole)
    np.testing.assert_array_equal(scores["seconds"].isel(fold=0), part["seconds"].isel(fold=0))
    assert not list((folder / "checkpoints").iterdir())


def test_before_the_first_fit_is_finished_too(whole, folder, monkeypatch):
    stop_at(monkeypatch, 2)
    with pytest.raises(KeyboardInterrupt):
        run(**SEEDS, out=folder)
    monkeypatch.undo()
    epochs = stop_at(monkeypatch, 0)
    assert_same_scores(run(**SEEDS, out=folder), whole)
    assert len(epochs) == 10


def test_a_finished_run_trains_nothing(whole, folder, monkeypatch):
    run(**SEEDS, out=str(folder))
    monkeypatch.setattr(cell, "learn", trained)
    assert_same_scores(run(**SEEDS, out=folder), whole)
    turned = run(world().transpose().chunk(lat=1), **SEEDS, out=folder)
    assert turned["rmse"].dims[-2:] == ("lon", "lat")
    xr.testing.assert_equal(turned.transpose(*whole["rmse"].dims), whole.assign(seconds=turned["seconds"]))
    # Equal settings said another way.
    again = run(models={"bucket": {"model": Bucket(), "loss": "nrmse"}}, seeds=[np.int64(1), 0], out=folder)
    assert_same_scores(again.isel(seed=[1, 0]), whole)


def test_seeds_and_models_may_join(whole, folder, monkeypatch):
    run(seeds=[0], out=folder)
    epochs = stop_at(monkeypatch, 0)
    assert_same_scores(run(**SEEDS, out=folder), whole)
    assert len(epochs) == 6
    both = run(models={"bucket": Bucket(), "a/b": {"model": Bucket(), "epochs": 1}}, seeds=[1], out=folder)
    assert len(epochs) == 8
    xr.testing.assert_equal(both["rmse"].sel(model="bucket"), whole["rmse"].sel(model="bucket", seed=[1]))


def test_fits_are_kept(folder):
    scores = run(out=folder, save_fits=True, seeds=[2])
    fits = [xdpl.load(folder / "fits" / f"bucket.{i}.2.zarr", model=Bucket()) for i in (0, 1)]
    again = fits[1].evaluate(world(), time=LATE)["rmse"]
    expected = again.where(scores["fold_of_site"] == 1)
    np.testing.assert_array_equal(scores["rmse"].isel(fold=1).squeeze(), expected)
    # Without fits is the same run.
    assert_same_scores(run(out=folder, seeds=[2]), scores)


def test_fits_wanted_later_are_trained_again(folder, monkeypatch):
    first = run(out=folder)
    epochs = stop_at(monkeypatch, 0)
    assert_same_scores(run(out=folder, save_fits=True), first)
    assert len(epochs) == 6
    a, b = (xdpl.load(folder / "fits" / f"bucket.{i}.0.zarr", model=Bucket()) for i in (0, 1))
    with pytest.raises(AssertionError):
        assert_same_fit(a, b)


def changed(name):
    ds = world()
    ds[name] = (ds[name] * 1.5).assign_attrs(ds[name].attrs)
    return ds


@pytest.mark.parametrize(
    ("difference", "subject"),
    [
        ({"ds": changed("precipitation")}, "variables.precipitation"),
        ({"ds": changed("runoff")}, "variables.runoff"),
        ({"ds": changed("clay")}, "variables.clay"),
        ({"ds": world().assign_coords(lon=[1.0, 2.0, 3.0])}, "coordinates.lon"),
        ({"protocol": Ungauged(k=2, seed=5)}, "protocol.seed"),
        ({"protocol": UngaugedRegions(k=2)}, "protocol.kind"),
        ({"train": slice("2001-02-02", EARLY.stop)}, "train"),
        ({"test": slice(LATE.start, "2001-06-29")}, "test"),
        ({"scores": metrics}, "scores"),
        ({"epochs": 4}, "epochs of bucket"),
        ({"network": xdpl.networks.MLP(hidden=(9,))}, "network.hidden of bucket"),
        ({"models": Bucket(dt=1.0 + 1e-9)}, "model_options.dt of bucket"),
        ({"validate": EARLY}, "validate of bucket"),
    ],
    ids=lambda x: None if isinstance(x, dict) else x,
)
def test_a_folder_of_another_run_is_refused(folder, difference, subject, monkeypatch):
    run(out=folder)
    monkeypatch.setattr(cell, "learn", trained)
    before = sorted(folder.rglob("*"))
    with pytest.raises(InputErrors) as caught:
        run(**difference, out=folder)
    found = [e.subject for e in caught.value.exceptions]
    assert f"{folder}: {subject}" in found
    assert sorted(folder.rglob("*")) == before


def test_what_a_prior_reads_belongs_to_the_run(folder, monkeypatch):
    priors = {"split": xdpl.priors.Normal("told", sd=0.1)}
    ds = world()
    ds["told"] = (0.0 * ds["sand"] + 0.5).assign_attrs(units="1")
    run(ds=ds, priors=priors, out=folder)
    monkeypatch.setattr(cell, "learn", trained)
    run(ds=ds, priors=priors, out=folder)
    ds["told"] = (ds["told"] + 0.1).assign_attrs(units="1")
    with pytest.raises(InputErrors) as caught:
        run(ds=ds, priors=priors, out=folder)
    assert [e.subject for e in caught.value.exceptions] == [f"{folder}: variables.told"]


def test_a_folder_of_something_else(folder, monkeypatch):
    monkeypatch.setattr(cell, "learn", trained)
    folder.mkdir(parents=True)
    (folder / "thesis.tex").write_text("all my work")
    with pytest.raises(InputErrors, match="a folder that is empty, or of this run"):
        run(out=folder)
    with pytest.raises(InputErrors, match="out: expected a folder on a file system"):
        run(out=folder / "thesis.tex")
    with pytest.raises(InputErrors, match="out: expected a folder on a file system"):
        run(out="s3://bucket/runs")
    with pytest.raises(InputErrors, match="save_fits: expected a folder for the fits"):
        run(save_fits=True)


def test_damaged_files_are_named(folder):
    run(out=folder)
    scores = folder / "scores" / "bucket.0.0.nc"
    scores.write_bytes(scores.read_bytes()[:100])
    with pytest.raises(InputErrors, match=r"bucket\.0\.0\.nc: expected scores of a finished fit"):
        run(out=folder)
    settings = folder / "run.json"
    assert json.loads(settings.read_text())["protocol"]["kind"] == "Ungauged"
    settings.write_text("{")
    with pytest.raises(InputErrors, match=r"run\.json: expected settings of a run"):
        run(out=folder)
