import pickle

import numpy as np
import pytest
import torch
import xarray as xr
from helpers_learn import Bucket, problems, twin, world
from helpers_regionalise import METHODS, of_twin, regional

import xdpl
from xdpl.errors import InputErrors
from xdpl.models.hbv import HBV


def refusal(path, **options):
    with pytest.raises(InputErrors, match="load cannot run") as raised:
        xdpl.load(path, **options)
    (message,) = problems(raised).values()
    return message


@pytest.mark.parametrize("average", ["outputs", "parameters"])
@pytest.mark.parametrize("method", METHODS)
def test_round_trip(method, average, tmp_path, monkeypatch):
    def forbidden(*args, **kwargs):
        pytest.fail("pickle was used")

    for name in ("dump", "dumps", "load", "loads", "Pickler", "Unpickler"):
        monkeypatch.setattr(pickle, name, forbidden)
    monkeypatch.setattr(torch, "load", forbidden)
    one, ds = of_twin(method, average), twin()
    one.save(tmp_path / "one")
    again = xdpl.load(tmp_path / "one")
    assert isinstance(again, xdpl.Regionalisation)
    xr.testing.assert_equal(again.parameters(ds), one.parameters(ds))
    assert repr(again) == repr(one)
    for name in ("model", "attributes", "forcings", "settings"):
        assert getattr(again, name) == getattr(one, name)
    again.save(str(tmp_path / "twice"))
    xr.testing.assert_equal(xdpl.load(str(tmp_path / "twice")).parameters(ds), one.parameters(ds))


def test_nothing_is_overwritten(tmp_path):
    with pytest.raises(InputErrors, match=r"Regionalisation\.save cannot run") as raised:
        regional().save(tmp_path)
    assert "choose another, or remove it" in problems(raised)[str(tmp_path)]


def test_model_of_a_third_party_and_another_one(tmp_path):
    path = tmp_path / "one"
    regional().save(path)
    assert "load(path, model=" in refusal(path)
    assert "the model 'bucket' the regionalisation was made with" in refusal(path, model=HBV())
    again = xdpl.load(path, model=Bucket())
    xr.testing.assert_equal(again.parameters(world()), regional().parameters(world()))


def test_a_network_is_refused(tmp_path):
    regional().save(tmp_path / "one")
    assert "leave network out" in refusal(tmp_path / "one", model=Bucket(), network=xdpl.networks.MLP())


@pytest.mark.parametrize("method", METHODS)
def test_every_flipped_byte_in_a_chunk_is_found(method, tmp_path):
    path = tmp_path / "one"
    regional(method=method).save(path)
    chunks = sorted(p for p in path.rglob("*") if p.is_file() and p.name != "zarr.json")
    assert len(chunks) >= 4
    for chunk in chunks:
        sound = chunk.read_bytes()
        middle = len(sound) // 2
        chunk.write_bytes(sound[:middle] + bytes([sound[middle] ^ 1]) + sound[middle + 1 :])
        message = refusal(path, model=Bucket())
        assert "changed or damaged" in message or "damaged or foreign" in message
        chunk.write_bytes(sound)
    xdpl.load(path, model=Bucket())


def test_other_format(tmp_path):
    from xdpl.fit import store

    path = tmp_path / "one"
    regional().save(path)
    with xr.open_zarr(path, consolidated=False, chunks=None) as opened:
        ds = opened.load()
    key = "xdpl_regionalisation"
    ds.attrs[key] = ds.attrs[key].replace("xdpl-regionalisation-1", "xdpl-regionalisation-0")
    ds.attrs["sha256"] = store._checksum(ds, "regionalisation")
    ds.to_zarr(path, mode="w", consolidated=False)
    assert "'xdpl-regionalisation-0'" in refusal(path, model=Bucket())


def test_a_store_describes_itself(tmp_path):
    regional().save(tmp_path / "one")
    with xr.open_zarr(tmp_path / "one", consolidated=False, chunks=None) as ds:
        assert ds.attrs["title"] == "xdpl regionalisation of bucket" and ds.attrs["model"] == "bucket"
        np.testing.assert_array_equal(ds["attribute_mean"], regional().method.moments.mean)
