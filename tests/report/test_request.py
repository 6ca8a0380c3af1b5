"""What is asked for is checked before anything is computed, and pages are replaced as a whole."""

import os
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from helpers_learn import problems, quick
from helpers_learn import world as bucket_world
from helpers_report import Page

import xdpl


@pytest.fixture(scope="module")
def small():
    """A fit that reports in a second."""
    return quick()


def test_every_problem_at_once(small, tmp_path):
    ds = bucket_world().drop_vars("sand")
    groups = xr.DataArray(np.zeros((2, 3)), dims=("lat", "lon"))
    with pytest.raises(xdpl.errors.InputErrors) as raised:
        small.report(
            tmp_path / "none" / "fit.zarr",
            ds,
            time=slice("1990", "1991"),
            groups=groups,
            sites=-1,
            title=3,
            progress=False,
        )
    found = problems(raised)
    assert set(found) == {"path", "sites", "title", "time", "groups", "sand"}
    assert sum(e.subject == "path" for e in raised.value.exceptions) == 2
    assert str(raised.value).startswith("Fit.report cannot run:")
    assert list(tmp_path.iterdir()) == []


def test_what_needs_data_is_refused_without(small, tmp_path):
    groups = xr.DataArray([0, 1], dims="lat")
    with pytest.raises(xdpl.errors.InputErrors) as raised:
        small.report(tmp_path / "report.html", time=slice("2001", None), groups=groups)
    assert set(problems(raised)) == {"time", "groups"}


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ([0, 1], "a DataArray of labels"),
        (xr.DataArray([-1, -1], dims="lat"), "labels from 0"),
        (xr.DataArray([0, 1], dims="basin"), "dims of ds"),
        (xr.DataArray([0, 1], {"lat": [40.0, 41.5]}, "lat"), "the same labels"),
        (xr.DataArray(np.zeros(200, int), dims="time"), "a static field"),
    ],
)
def test_groups(small, tmp_path, groups, expected):
    with pytest.raises(xdpl.errors.InputErrors) as raised:
        small.report(tmp_path / "report.html", bucket_world(), groups=groups, progress=False)
    assert expected in problems(raised)["groups"]


@pytest.mark.parametrize("time", ["2001", slice("2005", None)])
def test_time(small, tmp_path, time):
    with pytest.raises(xdpl.errors.InputErrors) as raised:
        small.report(tmp_path / "report.html", bucket_world(), time=time, progress=False)
    assert set(problems(raised)) == {"time"}


def test_other_things_than_datasets(small, tmp_path):
    with pytest.raises(xdpl.errors.InputErrors) as raised:
        small.report(tmp_path / "report.html", "ds.nc")
    assert set(problems(raised)) == {"ds"}
    with pytest.raises(xdpl.errors.InputErrors):
        small.report(tmp_path / "report.html", xr.DataTree(bucket_world()))


def test_a_folder_is_no_page(small, tmp_path):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(xdpl.errors.InputErrors) as raised:
        small.report(tmp_path / "report.html")
    assert "a folder" in problems(raised)["path"]


def test_a_page_is_replaced(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("report.html").write_text("old")
    path = small.report("report.html")
    assert path == Path("report.html")
    assert Page(path.read_text("utf8")).headings()[0] == "Warnings"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.skipif(os.name != "posix", reason="permissions of files are those of POSIX")
def test_a_page_is_readable_as_other_files(small, tmp_path):
    (tmp_path / "other").write_text("")
    path = small.report(tmp_path / "report.html")
    assert path.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_an_interruption_leaves_the_old_page(small, tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        small.report(path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_progress(small, tmp_path, capsys):
    small.report(tmp_path / "report.html", bucket_world(), sites=0, identifiability=False)
    assert "report" in capsys.readouterr().err
    small.report(tmp_path / "report.html", bucket_world(), sites=0, identifiability=False, progress=False)
    assert capsys.readouterr().err == ""
