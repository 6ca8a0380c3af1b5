"""Names, the table, the manifest, and the weight of the import."""

from __future__ import annotations

import importlib.util
import os
import pickle
import re
import subprocess
import sys

import pytest

import xdpl.data
from xdpl.data import catalogue, manifest
from xdpl.data.errors import DataError
from xdpl.errors import InputErrors

NAMES = [entry.name for entry in catalogue.ENTRIES]


@pytest.mark.parametrize("name", ["smap_conus412", "smap-conus412", "SMAP_CONUS412", " Smap-Conus412 "])
def test_names_are_interchangeable(name: str) -> None:
    assert catalogue.resolve(name).name == "smap_conus412"


def test_hyphens_of_the_file_name_may_be_underscores() -> None:
    assert catalogue.resolve("mopex438_1970_1990").file == "mopex438_1970-1990.nc"


@pytest.mark.parametrize("name", ["smap_conus", "smap", "conus412"])
def test_unknown_name_lists_the_known_and_the_close_one(name: str) -> None:
    with pytest.raises(InputErrors) as caught:
        xdpl.data.open(name)
    message = str(caught.value)
    assert all(known in message for known in NAMES)
    assert repr(name) in message
    assert 'fix: xdpl.data.open("smap_conus412")' in message


@pytest.mark.parametrize("name", ["zzz", "", None, 3])
def test_unknown_name_without_a_close_one_points_to_the_list(name: object) -> None:
    with pytest.raises(InputErrors, match=r"xdpl\.data\.list\(\)"):
        xdpl.data.open(name)  # type: ignore[arg-type]


def test_list_shows_every_dataset() -> None:
    table = xdpl.data.list()
    assert table.index.tolist() == sorted(NAMES)
    assert table.index.name == "name"
    assert table.columns.tolist() == ["content", "licence", "mirror_mb", "upstream_mb"]
    assert (table["mirror_mb"] > 0).all()
    assert table.loc["mopex438_1970-1990", "upstream_mb"] > 500
    assert "do not re-host" in table.loc["smap_conus412", "licence"]


@pytest.mark.parametrize("name", NAMES)
def test_manifest_is_complete(name: str) -> None:
    rows = [manifest.prepared(name), *manifest.upstream(name)]
    assert manifest.prepared(name).location == catalogue.resolve(name).file
    assert all(re.fullmatch(r"[0-9a-f]{64}", row.sha256) and row.bytes > 0 for row in rows)
    assert len(rows) > 1
    # The commit is pinned, and one repository is the root of one preparation.
    pinned = re.compile(r"https://raw\.githubusercontent\.com/[^/]+/[^/]+/[0-9a-f]{40}/.+")
    assert all(pinned.fullmatch(row.location) for row in rows[1:])
    assert len({"/".join(row.location.split("/")[:6]) for row in rows[1:]}) == 1


def test_manifest_knows_no_other_dataset() -> None:
    assert {row.dataset for row in manifest._rows()} == set(NAMES)


def test_import_is_light() -> None:
    # A bare parent package, so that only xdpl.data itself is weighed.
    folder = importlib.util.find_spec("xdpl").submodule_search_locations[0]  # type: ignore[union-attr,index]
    code = f"""
import sys, types
parent = types.ModuleType("xdpl"); parent.__path__ = [{folder!r}]; sys.modules["xdpl"] = parent
import xdpl.data
heavy = {{"h5netcdf", "numba", "pooch", "requests", "torch", "tqdm"}} & set(sys.modules)
assert not heavy, heavy
"""
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_data_error_is_an_oserror_that_pickles() -> None:
    error = DataError("a.nc", expected="this", got="that", fix="do it")
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, OSError)
    assert str(again) == str(error) == "a.nc: expected this, got that; fix: do it"
    assert (again.subject, again.expected, again.got, again.fix) == ("a.nc", "this", "that", "do it")
