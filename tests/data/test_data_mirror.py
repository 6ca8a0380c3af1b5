"""Route 1: prepared files from a mirror."""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
from pathlib import Path

import pooch
import pytest
import xarray as xr

import xdpl.data
from xdpl.data import cache as cache_module
from xdpl.data import catalogue, manifest, upstream
from xdpl.data.errors import DataError

NAME = "smap_conus412"
NAMES = [entry.name for entry in catalogue.ENTRIES]


@pytest.mark.data
@pytest.mark.parametrize("name", NAMES)
def test_every_dataset_opens(name: str, mirror: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDPL_DATA_URL", mirror)
    ds = xdpl.data.open(name.upper())
    assert (cache / f"{name}.nc").is_file()
    assert ds.attrs["Conventions"].startswith("CF-")
    assert ds.attrs["license"] and ds.attrs["references"] and ds.attrs["source_repository"]
    floats = [array for array in ds.data_vars.values() if array.dtype.kind == "f"]
    assert floats and all("units" in array.attrs for array in floats)
    assert ds["time"].dtype.kind == "M"
    assert not ds.encoding and not any(array.encoding for array in ds.variables.values())


@pytest.mark.data
def test_two_processes_at_once(mirror: str, cache: Path) -> None:
    code = "import xdpl.data; print(int(xdpl.data.open('walnut_gulch_ameriflux_daily').sizes['time']))"
    env = os.environ | {"XDPL_DATA_URL": mirror, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code]
    running = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=120)[0].strip() for process in running] == ["3162", "3162"]
    assert [process.returncode for process in running] == [0, 0]
    assert [path.name for path in cache.iterdir()] == ["walnut_gulch_ameriflux_daily.nc"]


@pytest.mark.parametrize("kind", ["folder", "folder/", "file URL", "http URL", "http URL/"])
def test_kinds_of_mirror(kind: str, small_mirror: Path, serve, monkeypatch: pytest.MonkeyPatch) -> None:
    if kind.startswith("http"):
        url = serve(small_mirror).url
    else:
        url = small_mirror.as_uri() if kind == "file URL" else str(small_mirror)
    monkeypatch.setenv("XDPL_DATA_URL", url + "/" * kind.endswith("/"))
    xr.testing.assert_identical(
        xdpl.data.open(NAME), xr.load_dataset(small_mirror / f"{NAME}.nc", engine="h5netcdf")
    )


def test_second_open_asks_nothing(small_mirror: Path, serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(small_mirror)
    monkeypatch.setenv("XDPL_DATA_URL", server.url)
    first = xdpl.data.open(NAME)
    assert server.requests == [f"/{NAME}.nc"]
    xr.testing.assert_identical(xdpl.data.open("SMAP-conus412"), first)
    monkeypatch.delenv("XDPL_DATA_URL")
    xr.testing.assert_identical(xdpl.data.open(NAME), first)
    assert len(server.requests) == 1


def test_damaged_copy_is_fetched_again(
    small_mirror: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDPL_DATA_URL", str(small_mirror))
    cache.mkdir()
    (cache / f"{NAME}.nc").write_bytes(b"damaged")
    assert xdpl.data.open(NAME).sizes == {"site": 3}


def test_damaged_copy_is_not_opened_without_a_mirror(cache: Path, upstream_at) -> None:
    upstream_at("http://127.0.0.1:1")
    cache.mkdir()
    (cache / f"{NAME}.nc").write_bytes(b"damaged")
    with pytest.raises(DataError, match="expected a download"):
        xdpl.data.open(NAME)


@pytest.mark.parametrize("over_http", [False, True])
def test_wrong_hash(
    over_http: bool, small_mirror: Path, cache: Path, serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = manifest.prepared(NAME).sha256
    (small_mirror / f"{NAME}.nc").write_bytes(b"something else")
    got = hashlib.sha256(b"something else").hexdigest()
    monkeypatch.setenv("XDPL_DATA_URL", serve(small_mirror).url if over_http else str(small_mirror))
    with pytest.raises(DataError) as caught:
        xdpl.data.open(NAME)
    assert caught.value.subject.endswith(f"{NAME}.nc")
    assert expected in caught.value.expected
    assert got in caught.value.got
    assert "XDPL_DATA_URL" in caught.value.fix
    assert [*cache.iterdir()] == []


def test_folder_lacks_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDPL_DATA_URL", str(tmp_path))
    with pytest.raises(DataError, match=rf"{NAME}\.nc.*got no such file; fix: .*XDPL_DATA_URL"):
        xdpl.data.open(NAME)


def test_no_such_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDPL_DATA_URL", str(tmp_path / "none"))
    with pytest.raises(DataError, match=r"got no such folder; fix: .*XDPL_DATA_URL"):
        xdpl.data.open(NAME)


def test_http_mirror_lacks_the_file(tmp_path: Path, serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDPL_DATA_URL", serve(tmp_path).url)
    with pytest.raises(DataError, match=rf"/{NAME}\.nc: expected a download, got HTTPError: 404"):
        xdpl.data.open(NAME)


def test_other_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDPL_DATA_URL", "ftp://example.org/data")
    with pytest.raises(DataError, match="got ftp://"):
        xdpl.data.open(NAME)


@pytest.mark.parametrize("route", ["mirror", "upstream"])
def test_cache_that_cannot_be_written(
    route: str, small_mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if route == "mirror":
        monkeypatch.setenv("XDPL_DATA_URL", str(small_mirror))
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDPL_DATA_DIR", str(tmp_path / "file" / "cache"))
    with pytest.raises(DataError, match=r"cache folder .*file/cache.*fix: set XDPL_DATA_DIR"):
        xdpl.data.open(NAME)


def test_unreadable_file_in_the_cache(cache: Path) -> None:
    cache.mkdir()
    path = upstream.prepared_file(catalogue.resolve(NAME))
    path.write_bytes(b"damaged")
    with pytest.raises(DataError, match=rf"{path.name}.*fix: delete it"):
        xdpl.data.open(NAME)


def test_progress_bar(small_mirror: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("XDPL_DATA_URL", str(small_mirror))
    xdpl.data.open(NAME, progress=True)
    assert "100%" in capsys.readouterr().err


def test_silent_by_default(small_mirror: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("XDPL_DATA_URL", str(small_mirror))
    logger = pooch.get_logger()
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", records.append)
    level = logger.level
    logger.addHandler(handler)
    try:
        xdpl.data.open(NAME)
    finally:
        logger.removeHandler(handler)
    assert capsys.readouterr() == ("", "")
    assert records == []
    assert logger.level == level


def test_default_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDPL_DATA_DIR", raising=False)
    assert cache_module.folder() == Path(pooch.os_cache("xdpl"))


def test_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.nc"
    path.write_text("old")
    with pytest.raises(RuntimeError), cache_module.atomic(path) as part:
        part.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [*tmp_path.glob("*.nc")] == [path] and not [*tmp_path.glob(".*.nc")]
