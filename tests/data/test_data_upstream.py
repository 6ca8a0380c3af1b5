"""Route 2: upstream files over HTTP, prepared here, against the mirror."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import xarray as xr

import xdpl.data
from xdpl.data import catalogue, manifest, upstream
from xdpl.data.errors import DataError
from xdpl.data.prepare import mopex, store

NAME = "smap_conus412"
FULLY_MIRRORED = [
    NAME,
    "bondville_2001",
    "walnut_gulch_ameriflux_daily",
    "era5land_quebec_1970",
    "drb_prms_1979-1980",
]
FIX = r"fix: check the network and retry, set XDPL_DATA_URL .*XDPL_DATA_DIR"


def assert_same(got: xr.Dataset, expected: xr.Dataset, *ignored: str) -> None:
    got, expected = got.copy(), expected.copy()
    for name in ("history", *ignored):
        assert got.attrs.pop(name) and expected.attrs.pop(name)
    xr.testing.assert_identical(got, expected)
    assert {n: v.dtype for n, v in got.variables.items()} == {
        n: v.dtype for n, v in expected.variables.items()
    }


@pytest.mark.data
@pytest.mark.parametrize("name", FULLY_MIRRORED)
def test_same_as_the_mirror(
    name: str, mirror: str, raw: Path, serve, upstream_at, cache: Path, tmp_path: Path, monkeypatch
) -> None:
    server = serve(raw)
    upstream_at(server.url)
    prepared = xdpl.data.open(name)
    assert len(server.requests) == len(manifest.upstream(name))
    assert not (cache / f"{name}.nc").exists()

    # The second time nothing is asked or prepared.
    path = upstream.prepared_file(catalogue.resolve(name))
    written = path.stat().st_mtime_ns
    xr.testing.assert_identical(xdpl.data.open(name), prepared)
    assert len(server.requests) == len(manifest.upstream(name))
    assert path.stat().st_mtime_ns == written

    monkeypatch.setenv("XDPL_DATA_URL", mirror)
    assert_same(prepared, xdpl.data.open(name))
    assert not [*cache.glob(".*")]


@pytest.mark.data
def test_mopex_basins_in_the_mirror(mirror: str, raw: Path, tmp_path: Path, monkeypatch) -> None:
    # Most daily files are not mirrored: the whole chain runs on the basins that are.
    repository = raw / upstream._repository(manifest.upstream("mopex438_1970-1990")[0])
    root = tmp_path / "mopex"
    for source in repository.rglob("*"):
        if source.is_file():
            link = root / unquote(str(source.relative_to(repository)))
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(source)
    store.write(mopex.prepare(root), tmp_path / "mopex.nc")
    got = xr.load_dataset(tmp_path / "mopex.nc", engine="h5netcdf")
    assert got.sizes["basin"] >= 4

    monkeypatch.setenv("XDPL_DATA_URL", mirror)
    expected = xdpl.data.open("mopex438_1970-1990").sel(basin=got["basin"].values)
    # The comment counts the cleaned values of all basins.
    assert_same(got, expected, "comment")


def test_mopex_needs_438_daily_files_and_the_tables_it_reads() -> None:
    places = [row.location.rsplit("/", 1)[1] for row in manifest.upstream("mopex438_1970-1990")]
    assert sum(place.endswith(".dly") for place in places) == 438
    assert len(places) == 438 + 6


@pytest.mark.data
def test_two_processes_at_once(raw: Path, serve, cache: Path) -> None:
    server = serve(raw)
    code = f"""
import xdpl.data
from xdpl.data import upstream
from urllib.parse import urlsplit
upstream.url_of = lambda row: {server.url!r} + urlsplit(row.location).path
print(int(xdpl.data.open("bondville_2001").sizes["time"]))
"""
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-W", "error", "-c", code]
    running = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=120)[0].strip() for process in running] == ["17520", "17520"]
    assert [process.returncode for process in running] == [0, 0]
    assert sorted(path.name for path in cache.iterdir()) == ["bondville_2001.prepared-v1.nc", "upstream"]


def test_offline(upstream_at) -> None:
    upstream_at("http://127.0.0.1:1")
    with pytest.raises(
        DataError, match=rf"APCP_FORA\.csv: expected a download, got ConnectionError.*{FIX}"
    ) as caught:
        xdpl.data.open(NAME)
    assert caught.value.__cause__ is not None


def test_wrong_hash(serve, upstream_at, tmp_path: Path, cache: Path) -> None:
    row = manifest.upstream("bondville_2001")[0]
    path = tmp_path / "site" / upstream._place(row)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    upstream_at(serve(tmp_path / "site").url)
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    with pytest.raises(DataError, match=rf"{path.name}: expected .*{row.sha256}, got SHA-256 {empty}.*{FIX}"):
        xdpl.data.open("bondville_2001")
    assert not [found for found in cache.rglob("*") if found.is_file()]


def test_retries(serve, upstream_at, tmp_path: Path, monkeypatch) -> None:
    server = serve(tmp_path)
    upstream_at(server.url)
    monkeypatch.setattr("xdpl.data.download.RETRIES", 2)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(DataError, match="404"):
        xdpl.data.open("era5land_quebec_1970")
    assert len(server.requests) == 3


def test_bit_round_ties_go_away_from_zero() -> None:
    # As in netCDF-C: 1 + 2**-9 lies halfway between two numbers with 8 mantissa bits.
    values = np.array([1 + 2**-9, -1 - 2**-9, 1 + 2**-10, 0, np.nan, np.inf, -np.inf], "f4")
    expected = np.array([1 + 2**-8, -1 - 2**-8, 1, 0, np.nan, np.inf, -np.inf], "f4")
    np.testing.assert_array_equal(store.bit_round(values, 8), expected)


@pytest.mark.parametrize("bits", [1, 8, 13, 22])
def test_bit_round_keeps_that_many_bits(bits: int) -> None:
    values = np.random.default_rng(0).normal(size=(40, 25)).astype("f4")
    rounded = store.bit_round(values, bits)
    assert rounded.shape == values.shape and rounded.dtype == np.float32
    assert not (rounded.view("u4") << np.uint32(9 + bits)).any()
    assert (np.abs(rounded / values - 1) <= 2.0 ** -(bits + 1)).all()
