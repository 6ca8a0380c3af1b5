"""Isolated caches, the mirror, and a local server."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pooch
import pytest
import xarray as xr

from xdpl.data import download, manifest, upstream

MIRROR = os.environ.get("XDPL_DATA_URL", "")


@dataclass
class Server:
    url: str
    requests: list[str] = field(default_factory=list)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache; no mirror; no proxy between the tests and their server; no waiting."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("XDPL_DATA_DIR", str(folder))
    monkeypatch.delenv("XDPL_DATA_URL", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(download, "RETRIES", 0)
    return folder


@pytest.fixture
def mirror() -> str:
    if not MIRROR:
        pytest.skip("XDPL_DATA_URL is not set")
    return MIRROR


@pytest.fixture
def raw(mirror: str) -> Path:
    """The upstream files that the mirror keeps."""
    folder = Path(mirror.removeprefix("file://")) / "raw"
    if not folder.is_dir():
        pytest.skip("XDPL_DATA_URL is not a folder with upstream files in raw/")
    return folder


@pytest.fixture
def serve() -> Iterator[Callable[[Path], Server]]:
    """Serve a folder over HTTP and note the paths asked for."""
    running = []

    def start(folder: Path) -> Server:
        seen: list[str] = []

        class Handler(SimpleHTTPRequestHandler):
            def log_message(self, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                seen.append(self.path)
                super().do_GET()

        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        return Server(f"http://127.0.0.1:{server.server_address[1]}", seen)

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture
def upstream_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Send downloads of upstream files to another base URL, through the seam `upstream.url_of`."""

    def remap(base: str) -> None:
        def url_of(row: manifest.Row) -> str:
            # Folders of the mirror hold a literal %20 in their names.
            return base + urlsplit(row.location).path.replace("%", "%25")

        monkeypatch.setattr(upstream, "url_of", url_of)

    return remap


@pytest.fixture
def small_mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mirror folder with one small file in the place of smap_conus412.nc, known by its hash."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    path = folder / "smap_conus412.nc"
    small = xr.Dataset({"pr": ("site", np.arange(3.0), {"units": "mm/day"})})
    small.to_netcdf(path, engine="h5netcdf")
    row = manifest.Row(
        "smap_conus412", "prepared", path.name, pooch.file_hash(str(path)), path.stat().st_size
    )
    monkeypatch.setattr(manifest, "prepared", lambda dataset: row)
    return folder
