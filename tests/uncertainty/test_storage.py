"""Posteriors on disk: the same distribution again, each training written once, damage noticed."""

import json
import shutil

import numpy as np
import pytest
import xarray as xr
from helpers_learn import Bucket, problems, quick, world

import xdpl
from xdpl.errors import InputErrors
from xdpl.fit import Ensemble
from xdpl.networks import MLP
from xdpl.uncertainty import Posterior, deep_ensemble, laplace


@pytest.fixture(scope="module")
def ensemble():
    return quick(seed=[0, 1], epochs=5, network=MLP((8,), prior=1.0))


@pytest.fixture(scope="module")
def mixed(ensemble):
    return laplace(ensemble, world(), samples=20)


def refusal(path, **options):
    with pytest.raises(InputErrors, match="load cannot run") as raised:
        xdpl.load(path, **options)
    (message,) = problems(raised).values()
    return message


def assert_same(a, b):
    assert isinstance(a, Posterior) and repr(a) == repr(b)
    assert (a.settings, a.observation_error, a.scale) == (b.settings, b.observation_error, b.scale)
    for found, expected in (
        (a.parameters(world(), samples=4), b.parameters(world(), samples=4)),
        (a.parameter_intervals(world()), b.parameter_intervals(world())),
    ):
        xr.testing.assert_equal(found, expected)
    options = {"observed": True, "samples": 4}
    xr.testing.assert_equal(
        a.prediction_intervals(world(), **options), b.prediction_intervals(world(), **options)
    )
    for one, other in zip(a.fits, b.fits, strict=True):
        assert one.settings == other.settings
        xr.testing.assert_identical(one.history, other.history)


@pytest.mark.parametrize("kind", ["ensemble", "laplace", "mixed", "tuned"])
def test_round_trip_twice(kind, ensemble, mixed, tmp_path):
    made = {
        "ensemble": lambda: deep_ensemble(ensemble, world()),
        "laplace": lambda: laplace(ensemble.fits[0], world(), samples=10),
        "mixed": lambda: mixed,
        "tuned": lambda: mixed.tuned(world(), samples=10),
    }[kind]()
    made.save(tmp_path / "one")
    again = xdpl.load(tmp_path / "one", model=Bucket())
    assert_same(again, made)
    again.save(str(tmp_path / "two"))
    assert_same(xdpl.load(str(tmp_path / "two"), model=Bucket()), made)


def test_each_training_is_written_once(mixed, tmp_path):
    mixed.save(tmp_path / "one")
    assert sorted(p.name for p in (tmp_path / "one").iterdir()) == ["fit-0", "fit-1", "posterior"]
    assert [p.name for p in tmp_path.iterdir()] == ["one"]


def test_an_ensemble_is_still_one(ensemble, tmp_path):
    ensemble.save(tmp_path / "one")
    assert isinstance(xdpl.load(tmp_path / "one", model=Bucket()), Ensemble)


def test_what_is_there_stays(mixed, tmp_path):
    (tmp_path / "one").mkdir()
    with pytest.raises(InputErrors, match=r"Posterior.save cannot run"):
        mixed.save(tmp_path / "one")


def test_damage_is_noticed(mixed, tmp_path):
    mixed.save(tmp_path / "sound")
    assert "the model 'bucket'" in refusal(tmp_path / "sound")
    fewer = shutil.copytree(tmp_path / "sound", tmp_path / "fewer")
    shutil.rmtree(fewer / "fit-1")
    assert "2 fits" in refusal(fewer, model=Bucket())
    other = shutil.copytree(tmp_path / "sound", tmp_path / "other")
    said = json.loads((other / "posterior" / "zarr.json").read_text())
    said["attributes"]["xdpl_posterior"] = said["attributes"]["xdpl_posterior"].replace("scale", "stale")
    (other / "posterior" / "zarr.json").write_text(json.dumps(said))
    assert "changed or damaged" in refusal(other, model=Bucket())


def test_scale_comes_back_exactly(mixed, tmp_path):
    from dataclasses import replace

    replace(mixed, scale=np.nextafter(1.7, 2.0)).save(tmp_path / "one")
    assert xdpl.load(tmp_path / "one", model=Bucket()).scale == np.nextafter(1.7, 2.0)
