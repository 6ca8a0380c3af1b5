"""Surrogates on disk: the same network again, of the same model, and no other."""

import json
import shutil

import numpy as np
import pytest
import xarray as xr
from helpers_bucket import called, days, run
from helpers_learn import Bucket, assert_same_fit, problems, world

import xdpl
from xdpl.errors import InputErrors
from xdpl.fit import store
from xdpl.models.hbv import HBV
from xdpl.networks import LSTM, MLP
from xdpl.surrogate import Surrogate, design, emulate

SETTINGS = {"network": LSTM(4), "window": 20, "batch": 8, "epochs": 2, "progress": False}


def imitated(ds, model):
    theta = design(ds, model, 2)
    runs = xdpl.simulate(ds, model, theta, outputs=["runoff"])
    return emulate(ds, model, theta, runs, **SETTINGS)


@pytest.fixture(scope="module")
def surrogate():
    return imitated(world(), Bucket())


@pytest.fixture(scope="module")
def saved(surrogate, tmp_path_factory):
    path = tmp_path_factory.mktemp("sound") / "surrogate"
    surrogate.save(path)
    return path


def refusal(path, **options):
    with pytest.raises(InputErrors, match="load cannot run") as raised:
        xdpl.load(path, **options)
    (message,) = problems(raised).values()
    return message


def test_round_trip_twice(surrogate, saved, tmp_path):
    theta = design(world(), Bucket(), 2, seed=4)
    xdpl.load(saved, model=Bucket()).save(str(tmp_path / "again"))
    for path in (saved, str(tmp_path / "again")):
        found = xdpl.load(path, model=Bucket())
        assert isinstance(found, Surrogate) and repr(found) == repr(surrogate)
        assert (found.identity, found.outputs) == (surrogate.identity, surrogate.outputs)
        xr.testing.assert_equal(found.simulate(world(), theta), surrogate.simulate(world(), theta))
        assert found.fit.settings == surrogate.fit.settings
        xr.testing.assert_identical(found.fit.history, surrogate.fit.history)
    assert [p.name for p in tmp_path.iterdir()] == ["again"]


def test_a_model_known_by_name_needs_no_other_word(tmp_path):
    ds = xdpl.data.twin(shape=(1, 2), years=1)
    model = HBV(routing=None)
    theta = design(ds, model, 2)
    runs = xdpl.simulate(ds, model, theta, outputs=["streamflow"])
    made = emulate(ds, model, theta, runs, **SETTINGS)
    made.save(tmp_path / "one")
    found = xdpl.load(tmp_path / "one")
    assert found.model == model
    xr.testing.assert_equal(found.simulate(ds, theta), made.simulate(ds, theta))
    assert "made with" in refusal(tmp_path / "one", model=xdpl.models.get("hbv"))


def test_of_a_black_box(tmp_path):
    ds, model = days(length=80), called(run)
    made = imitated(ds, model)
    made.save(tmp_path / "one")
    assert "load(path, model=bucket())" in refusal(tmp_path / "one")
    assert xdpl.load(tmp_path / "one", model=model).identity == made.identity
    other = called(run, version="2")
    assert "other parameters, states or options" in refusal(tmp_path / "one", model=other)


def test_learning_through_a_loaded_one(surrogate, saved):
    options = {
        "target": "runoff",
        "attributes": ["sand", "clay"],
        "network": MLP((4,)),
        "epochs": 2,
        "warmup": 10,
        "window": 60,
        "progress": False,
    }
    loaded = xdpl.load(saved, model=Bucket())
    first, second = (xdpl.learn(world(), Bucket(), gradients=s, **options) for s in (surrogate, loaded))
    assert_same_fit(first, second)
    assert second.settings["gradients"] == surrogate.identity


def test_another_model_is_refused(saved):
    assert "the model 'bucket' the surrogate was made with" in refusal(saved, model=Bucket(dt=2.0))
    assert "no model of that name" in refusal(saved)


def test_what_is_there_stays(surrogate, saved):
    with pytest.raises(InputErrors, match=r"Surrogate\.save cannot run"):
        surrogate.save(saved)


def changed(saved, path, change, consistent):
    """A store whose arrays or description were changed, with the old checksum or with one that fits."""
    with xr.open_zarr(saved, consolidated=False, chunks=None) as found:
        ds = found.load()
    change(ds)
    if consistent:
        ds.attrs["sha256"] = store._checksum(
            ds.drop_attrs(deep=False).assign_attrs({k: v for k, v in ds.attrs.items() if k != "sha256"}),
            "surrogate",
        )
    ds.drop_encoding().to_zarr(path, consolidated=False, zarr_format=3)
    return path


def weight(ds):
    name = next(k for k in ds.data_vars if str(k).startswith("body."))
    ds[name] = ds[name] + np.float32(1e-3)


def statistic(ds):
    ds["forcing_mean"] = ds["forcing_mean"] * 1.01


def identity(ds):
    said = json.loads(ds.attrs["xdpl_surrogate"])
    ds.attrs["xdpl_surrogate"] = json.dumps(said | {"identity": "0" * 16})


@pytest.mark.parametrize("change", [weight, statistic, identity])
def test_changes_are_noticed(saved, tmp_path, change):
    hasty = changed(saved, tmp_path / "hasty", change, consistent=False)
    assert "changed or damaged" in refusal(hasty, model=Bucket())
    careful = changed(saved, tmp_path / "careful", change, consistent=True)
    assert "statistics and weights of the surrogate" in refusal(careful, model=Bucket())


def test_writing_again_alone_changes_nothing(surrogate, saved, tmp_path):
    """So that it is the changes that are refused above."""
    same = changed(saved, tmp_path / "same", lambda ds: None, consistent=True)
    assert xdpl.load(same, model=Bucket()).identity == surrogate.identity


def test_damaged_files(saved, tmp_path):
    broken = shutil.copytree(saved, tmp_path / "broken")
    chunk = next(p for p in (broken / "forcing_mean").rglob("*") if p.is_file() and p.name != "zarr.json")
    chunk.write_bytes(b"nothing")
    assert "damaged" in refusal(broken, model=Bucket())
    gone = shutil.copytree(saved, tmp_path / "gone")
    shutil.rmtree(gone / "forcing_mean")
    assert "changed or damaged" in refusal(gone, model=Bucket())
    assert "nothing there" in refusal(tmp_path / "none")
