"""Several seeds in one call: what each fit gives, along a dim `seed`."""

import numpy as np
import pytest
import xarray as xr
from helpers_learn import Bucket, assert_same_fit, problems, quick, world

import xdpl
from xdpl.errors import InputErrors
from xdpl.training.progress import Progress

LATE = slice("2001-05-01", "2001-06-30")
SEEDS = [3, 0, 7]


@pytest.fixture(scope="module")
def ensemble():
    return quick(seed=SEEDS, learning_rate=0.05)


@pytest.fixture(scope="module")
def alone():
    return [quick(seed=seed, learning_rate=0.05) for seed in SEEDS]


def test_each_is_the_fit_of_its_seed(ensemble, alone):
    assert isinstance(ensemble, xdpl.Ensemble) and ensemble.seeds == SEEDS
    for one, other in zip(ensemble.fits, alone, strict=True):
        assert_same_fit(one, other)


@pytest.mark.parametrize("call", ["parameters", "simulate", "evaluate"])
def test_everything_lies_along_seeds(ensemble, alone, call):
    found = getattr(ensemble, call)(world())
    np.testing.assert_array_equal(found["seed"], SEEDS)
    for seed, fit in zip(SEEDS, alone, strict=True):
        expected = getattr(fit, call)(world())
        xr.testing.assert_equal(found.sel(seed=seed, drop=True), expected)
    for name, array in expected.data_vars.items():
        assert found[name].attrs == array.attrs


def test_the_mean_of_the_simulations_is_scored(ensemble, alone):
    ds = world()
    mean = sum(fit.simulate(ds)["runoff"] for fit in alone) / 3
    error = (mean - ds["runoff"]).sel(time=LATE)
    scores = ensemble.evaluate(ds, time=LATE, mean=True)
    assert "seed" not in scores.dims
    np.testing.assert_allclose(scores["rmse"], np.sqrt((error**2).mean("time")), rtol=1e-4)
    assert (scores["rmse"] < ensemble.evaluate(ds, time=LATE)["rmse"].max("seed")).all()


def test_lazy_stays_lazy(ensemble):
    ds = world().chunk(lat=1)
    for found in (ensemble.parameters(ds)["leak"], ensemble.evaluate(ds, mean=True)["rmse"]):
        assert found.chunks is not None
    xr.testing.assert_equal(ensemble.simulate(ds).compute(), ensemble.simulate(world()))


def test_histories_of_other_lengths():
    found = quick(seed=[0, 1, 2], epochs=12, learning_rate=0.5, validate=LATE, patience=1)
    lengths = [fit.history.sizes["epoch"] for fit in found.fits]
    assert len(set(lengths)) > 1
    known = found.history["loss"].notnull().sum("epoch")
    np.testing.assert_array_equal(known, lengths)


def test_saved_and_loaded(ensemble, tmp_path):
    ensemble.save(tmp_path / "fits")
    loaded = xdpl.load(tmp_path / "fits", model=Bucket())
    assert isinstance(loaded, xdpl.Ensemble) and loaded.seeds == SEEDS
    xr.testing.assert_equal(loaded.parameters(world()), ensemble.parameters(world()))
    xr.testing.assert_identical(loaded.history, ensemble.history)
    with pytest.raises(InputErrors, match=r"Ensemble\.save cannot run"):
        ensemble.save(tmp_path / "fits")


def test_reads_well(ensemble):
    assert repr(ensemble).startswith("<xdpl.Ensemble> of seeds 3, 0, 7; the first:\n<xdpl.Fit>")
    assert "seeds 3, 0, 7" in ensemble._repr_html_()


def test_an_interruption_ends_it_and_a_checkpoint_of_each_continues(tmp_path, monkeypatch):
    options = {"seed": range(3), "checkpoint": tmp_path / "run"}
    update, calls = Progress.update, []

    def stopping(self, row):
        calls.append(row)
        update(self, row)
        if len(calls) == 4:  # the first epoch of the second fit
            raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "update", stopping)
    part = quick(**options)
    assert part.seeds == [0, 1]
    assert [fit.settings["stopped"] for fit in part.fits] == ["finished", "interrupted"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.0", "run.1"]
    monkeypatch.undo()
    for one, other in zip(quick(**options).fits, quick(seed=range(3)).fits, strict=True):
        assert_same_fit(one, other)


@pytest.mark.parametrize("seeds", [[], [1, 1], [0, -1], [0, 1.5]])
def test_seeds_that_make_no_sense(seeds):
    with pytest.raises(InputErrors) as raised:
        quick(seed=seeds)
    assert "expected" in problems(raised)["seed"]
