import pickle
from dataclasses import dataclass

import numpy as np
import pytest
import torch
import xarray as xr
from helpers_learn import Bucket, assert_same_scaling, problems, quick, world

import xdpl
from xdpl.errors import InputErrors
from xdpl.models.hbv import HBV


@pytest.fixture(scope="module")
def sound(tmp_path_factory, fit):
    path = tmp_path_factory.mktemp("fit") / "fit.zarr"
    fit.save(path)
    return path


@pytest.fixture
def copy(sound, tmp_path):
    """A store that a test may damage."""
    import shutil

    return shutil.copytree(sound, tmp_path / "fit.zarr")


def refusal(path, **options):
    with pytest.raises(InputErrors, match="load cannot run") as raised:
        xdpl.load(path, **options)
    (message,) = problems(raised).values()
    assert str(path) in message
    return message


def assert_identical(a, b, ds):
    xr.testing.assert_equal(a.parameters(ds), b.parameters(ds))
    xr.testing.assert_identical(a.history, b.history)
    assert_same_scaling(a, b)
    for name in ("model", "network_spec", "attributes", "forcings", "settings"):
        assert getattr(a, name) == getattr(b, name)
    assert repr(a) == repr(b)


def test_round_trip(fit, sound, ds):
    again = xdpl.load(sound)
    assert_identical(again, fit, ds)
    assert list(again.history) == list(fit.history) or set(again.history) == set(fit.history)
    xr.testing.assert_equal(again.simulate(ds), fit.simulate(ds))
    assert not again.network.training


def test_round_trip_twice(sound, tmp_path, fit, ds):
    xdpl.load(sound).save(str(tmp_path / "again"))
    assert_identical(xdpl.load(str(tmp_path / "again")), fit, ds)


@pytest.mark.parametrize(
    ("model", "target", "network"),
    [
        ("vic", "evapotranspiration", xdpl.networks.MLP(hidden=(), dropout=0.0)),
        (HBV(variant="capillary"), "streamflow", xdpl.networks.MLP(hidden=(3, 4), dropout=0.25)),
    ],
)
def test_options_of_model_and_network(tmp_path, model, target, network):
    ds = world().rename(runoff=target)
    ds["air_temperature"] = ds["precipitation"].assign_attrs(units="degC")
    ds["potential_evapotranspiration"] = ds["precipitation"]
    fit = quick(ds, model=model, target=target, network=network, epochs=1, window=5, warmup=2)
    fit.save(tmp_path / "fit")
    assert_identical(xdpl.load(tmp_path / "fit"), fit, ds)


def test_no_pickle(sound, ds, monkeypatch):
    def forbidden(*args, **kwargs):
        pytest.fail("pickle was used")

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, forbidden)
    monkeypatch.setattr(torch, "load", forbidden)
    xdpl.load(sound).parameters(ds)
    for path in (p for p in sound.rglob("*") if p.is_file()):
        assert b"torch" not in path.read_bytes()
        assert path.name == "zarr.json" or path.parent.name.isdigit() or path.parent.name == "c"


def test_writing_takes_no_pickle(fit, tmp_path, monkeypatch):
    def forbidden(*args, **kwargs):
        pytest.fail("pickle was used")

    for name in ("dump", "dumps", "Pickler"):
        monkeypatch.setattr(pickle, name, forbidden)
    monkeypatch.setattr(torch, "save", forbidden)
    fit.save(tmp_path / "fit")


def test_a_store_describes_itself(sound, fit):
    with xr.open_zarr(sound, consolidated=False, chunks=None) as ds:
        assert ds.attrs["title"] == "xdpl fit of vic" and ds.attrs["model"] == "vic"
        assert ds["loss"].dims == ("epoch",)
        np.testing.assert_array_equal(ds["attribute_mean"], fit.scaling.attributes.mean)


@pytest.mark.parametrize("what", ["file", "folder", "store"])
def test_nothing_is_overwritten(fit, sound, tmp_path, what):
    path = {"file": tmp_path / "file", "folder": tmp_path / "folder", "store": sound}[what]
    if what == "file":
        path.write_text("precious")
    elif what == "folder":
        path.mkdir()
    before = sorted(p.name for p in path.rglob("*"))
    with pytest.raises(InputErrors, match=r"Fit\.save cannot run") as raised:
        fit.save(path)
    assert "choose another, or remove it" in problems(raised)[str(path)]
    assert sorted(p.name for p in path.rglob("*")) == before
    if what == "file":
        assert path.read_text() == "precious"


def test_nothing_is_left_if_writing_fails(fit, tmp_path, monkeypatch):
    def broken(self, store, **options):
        store.mkdir()
        (store / "half").write_text("")
        msg = "disk full"
        raise OSError(msg)

    with monkeypatch.context() as patch:
        patch.setattr(xr.Dataset, "to_zarr", broken)
        with pytest.raises(OSError, match="disk full"):
            fit.save(tmp_path / "fit")
    assert not (tmp_path / "fit").exists()
    fit.save(tmp_path / "fit")
    assert [p.name for p in tmp_path.iterdir()] == ["fit"]


def chunks(path):
    return sorted(p for p in path.rglob("*") if p.is_file() and p.name != "zarr.json")


def test_every_flipped_byte_in_a_chunk_is_found(copy):
    assert len(chunks(copy)) > 8
    for chunk in chunks(copy):
        sound = chunk.read_bytes()
        middle = len(sound) // 2
        chunk.write_bytes(sound[:middle] + bytes([sound[middle] ^ 1]) + sound[middle + 1 :])
        message = refusal(copy)
        assert "changed or damaged" in message or "damaged or foreign" in message
        chunk.write_bytes(sound)
    xdpl.load(copy)


def test_every_missing_chunk_is_found(copy):
    for chunk in chunks(copy):
        sound = chunk.read_bytes()
        chunk.unlink()
        refusal(copy)
        chunk.write_bytes(sound)


def test_every_missing_array_is_found(copy):
    for metadata in sorted(copy.glob("*/zarr.json")):
        sound = metadata.read_bytes()
        metadata.unlink()
        refusal(copy)
        metadata.write_bytes(sound)


@pytest.mark.parametrize(("old", "new"), [("soil_moisture", "soil_moistured"), ("nrmse", "nrmsf")])
def test_changed_settings_are_found(copy, old, new):
    metadata = copy / "zarr.json"
    metadata.write_text(metadata.read_text().replace(old, new))
    assert "changed or damaged" in refusal(copy)


def test_broken_metadata(copy):
    (copy / "zarr.json").write_text("{")
    assert "damaged or foreign" in refusal(copy)


def test_foreign_store(tmp_path):
    world().to_zarr(tmp_path / "world.zarr", consolidated=False)
    assert "another zarr store" in refusal(tmp_path / "world.zarr")


@pytest.mark.parametrize("what", ["missing", "file", "folder"])
def test_not_a_store(tmp_path, what):
    path = tmp_path / what
    if what == "file":
        path.write_text("x")
    if what == "folder":
        path.mkdir()
    message = refusal(path)
    assert "name a store written by Fit.save" in message
    assert {"missing": "nothing there", "file": "a file", "folder": "damaged or foreign"}[what] in message


def test_other_format(copy):
    from xdpl.fit import store

    with xr.open_zarr(copy, consolidated=False, chunks=None) as opened:
        ds = opened.load()
    ds.attrs["xdpl_fit"] = ds.attrs["xdpl_fit"].replace("xdpl-fit-3", "xdpl-fit-0")
    ds.attrs["sha256"] = store._checksum(ds, "fit")
    ds.to_zarr(copy, mode="w", consolidated=False)
    message = refusal(copy)
    assert "'xdpl-fit-0'" in message and "use the xdpl that wrote it" in message


def test_model_of_a_third_party(bucket_fit, small, tmp_path):
    bucket_fit.save(tmp_path / "fit")
    message = refusal(tmp_path / "fit")
    assert "'bucket'" in message and "load(path, model=" in message
    assert_identical(xdpl.load(tmp_path / "fit", model=Bucket()), bucket_fit, small)


@dataclass(frozen=True)
class Leakier(Bucket):
    """Bucket with other bounds: the weights would mean other parameters."""

    parameters = (xdpl.models.Parameter("leak", 0.1, 0.9, "d-1", 0.5), Bucket.parameters[1])


@pytest.mark.parametrize("other", [Leakier(), Bucket(dt=0.5), HBV()], ids=["bounds", "option", "model"])
def test_another_model_is_refused(bucket_fit, tmp_path, other):
    bucket_fit.save(tmp_path / "fit")
    message = refusal(tmp_path / "fit", model=other)
    assert "the model 'bucket' the fit was made with" in message
    assert "pass the model as it was in training" in message


def test_a_known_model_that_has_changed_is_refused(sound, monkeypatch):
    from xdpl.models.vic import VIC

    monkeypatch.setattr(VIC, "parameters", VIC.parameters[::-1])
    assert "with other parameters, states or options" in refusal(sound)
