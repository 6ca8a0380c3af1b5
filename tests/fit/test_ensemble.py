"""Several seeds in one call: what each fit gives, along a dim `seed`."""

import json

import array_api_strict
import numpy as np
import pint
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
    assert repr(part).startswith("<xdpl.Ensemble> of seeds 0, 1 (interrupted);")
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


def test_states_come_back_along_seeds_too(ensemble, alone):
    early, late = (world().isel(time=part) for part in (slice(None, 100), slice(100, None)))
    sim, states = ensemble.simulate(early, return_states=True)
    xr.testing.assert_equal(sim, ensemble.simulate(early))
    for seed, fit in zip(SEEDS, alone, strict=True):
        expected = fit.simulate(early, return_states=True)[1]
        xr.testing.assert_equal(states.sel(seed=seed, drop=True), expected)
        continued = fit.simulate(late, initial=states.sel(seed=seed, drop=True))
        xr.testing.assert_equal(continued, fit.simulate(world()).isel(time=slice(100, None)))


def test_states_of_an_ensemble_continue_it(ensemble):
    early, late = (world().isel(time=part) for part in (slice(None, 100), slice(100, None)))
    _, states = ensemble.simulate(early, return_states=True)
    whole = ensemble.simulate(world()).isel(time=slice(100, None))
    xr.testing.assert_equal(ensemble.simulate(late, initial=states.isel(seed=[2, 0, 1])), whole)
    tree = ensemble.simulate(
        xr.DataTree.from_dict({"/a": late}), initial=xr.DataTree.from_dict({"/a": states})
    )
    xr.testing.assert_equal(tree["a"].to_dataset(), whole)
    # The same states for all, if they have no seed.
    same = states.sel(seed=0, drop=True)
    found = ensemble.simulate(late, initial=same)
    xr.testing.assert_equal(found.sel(seed=0, drop=True), whole.sel(seed=0, drop=True))
    for wrong, got in ((states.isel(seed=[0]), "those of 3"), (states.drop_vars("seed"), "without labels")):
        with pytest.raises(InputErrors) as raised:
            ensemble.simulate(late, initial=wrong)
        assert "states of seeds 3, 0, 7" in problems(raised)["initial"] and got in problems(raised)["initial"]


def test_attributes_say_what_is_true_of_all(ensemble):
    ds = world()
    for found in (ensemble.parameters(ds), ensemble.evaluate(ds), ensemble.evaluate(ds, mean=True)):
        assert [s["seed"] for s in json.loads(found.attrs["training"])] == SEEDS
    sim, one = ensemble.simulate(ds), ensemble.fits[0].simulate(ds)
    assert "parameters_hash" in one.attrs and "parameters_hash" not in sim.attrs
    assert sim.attrs["model"] == one.attrs["model"] and "history" in sim.attrs


def test_trees(ensemble):
    ds = world()
    tree = xr.DataTree.from_dict({"/a": ds.isel(lat=[0]), "/b": ds.isel(lat=[1]), "/c": xr.Dataset()})
    for call, options in (
        ("parameters", {}),
        ("simulate", {}),
        ("evaluate", {}),
        ("evaluate", {"mean": True}),
    ):
        found = getattr(ensemble, call)(tree, **options)
        assert [node.path for node in found.leaves] == ["/a", "/b"]
        expected = getattr(ensemble, call)(ds.isel(lat=[0]), **options)
        xr.testing.assert_equal(found["a"].to_dataset(), expected)


def test_arrays_of_another_device_are_scored_on_the_host(ensemble):
    device = array_api_strict.Device("device1")
    there = world().map(lambda a: a.copy(data=array_api_strict.asarray(a.values.copy(), device=device)))
    assert ensemble.simulate(there)["runoff"].data.device == device
    for mean in (False, True):
        found = ensemble.evaluate(there, mean=mean)["rmse"]
        np.testing.assert_allclose(found, ensemble.evaluate(world(), mean=mean)["rmse"], rtol=1e-5)


def test_quantities(ensemble):
    registry = pint.UnitRegistry(force_ndarray_like=True)
    ds = world()
    for name, array in world().data_vars.items():
        unit = registry.Unit({"mm d-1": "mm/day", "percent": "percent", "1": ""}[array.attrs["units"]])
        ds[name] = (array.dims, registry.Quantity(array.values, unit))
    for mean in (False, True):
        found = ensemble.evaluate(ds, mean=mean)["rmse"].data.to("mm/day").magnitude
        np.testing.assert_allclose(found, ensemble.evaluate(world(), mean=mean)["rmse"], rtol=1e-5)
