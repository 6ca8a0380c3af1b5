"""A program in C as a model, and one in Python that takes batches: against their twin, and how they fail."""

import json
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from helpers_bucket import (
    FAILS,
    FLUXES,
    FORCINGS,
    FORTRAN,
    PARAMETERS,
    SOURCE,
    Twin,
    bucket,
    compiled,
    days,
    theta,
)

from xdpl.errors import InputErrors
from xdpl.labelled.attrs import model_hash
from xdpl.models import BlackBox, Command

SCRIPT = SOURCE.with_name("bucket_in_batches.py")


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("compiled"))


@pytest.fixture
def folders(monkeypatch, tmp_path):
    """Where folders of tasks are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def by_script(form, **options):
    command = Command([sys.executable, SCRIPT.name, "{forcing}", "{parameters}", "{output}"], form, [SCRIPT])
    return BlackBox("bucket", FORCINGS, PARAMETERS, FLUXES, command, **{"workers": 2} | options)


def assert_same(found, truth):
    for name in ("runoff", "evaporation"):
        assert found[name].dims == truth[name].dims
        np.testing.assert_allclose(found[name], truth[name], rtol=1e-12, atol=1e-12)


def test_the_program_is_its_twin(program, folders):
    ds = days(sites=4, length=200)
    values = theta(ds).drop_vars("k").assign(k=("member", [0.05, 0.3], {"units": "d-1"}))
    found = ds.dpl.simulate(bucket(program), values)
    assert_same(found, ds.dpl.simulate(Twin(), values, engine="array"))
    assert found["runoff"].dims == ("member", "time", "basin") and list(found["basin"]) == list(ds["basin"])
    assert found["runoff"].attrs == {"units": "mm d-1", "long_name": "runoff", "standard_name": "runoff_flux"}
    assert found.attrs["failed_runs"] == 0 and json.loads(found.attrs["model_options"])["version"] == "1"
    assert list(folders.iterdir()) == []


def test_one_in_fortran(tmp_path):
    program = compiled(tmp_path, FORTRAN)
    command = Command([str(program), "{forcing}", "{parameters}", "{output}"])
    model = BlackBox("bucket", FORCINGS, PARAMETERS, FLUXES, command, batch=False, workers=2)
    ds = days(sites=3, length=200)
    assert_same(ds.dpl.simulate(model, theta(ds)), ds.dpl.simulate(Twin(), theta(ds), engine="array"))


def test_averages_grids_units_and_sites_without_data(program):
    ds = days(sites=6).assign_coords(basin=range(6)).coarsen(basin=3).construct(basin=("lat", "lon"))
    ds = ds.transpose("lon", "time", "lat").where(ds["demand"].isel(time=0).notnull()).astype("float32")
    ds["precipitation"] = ds["precipitation"].where((ds["lat"] != 1) | (ds["lon"] != 2))
    ds["precipitation"] = (ds["precipitation"] / 86400.0).assign_attrs(units="kg m-2 s-1")
    ds["demand"].attrs["units"] = "mm d-1"
    values = {"k": xr.DataArray([0.05, 0.3], dims="member", attrs={"units": "d-1"})}
    for options in ({}, {"average": "member", "dtype": "float64"}):
        found = ds.dpl.simulate(bucket(program), values, outputs="runoff", **options)
        truth = ds.dpl.simulate(Twin(), values, outputs="runoff", engine="array", **options)
        np.testing.assert_allclose(
            found["runoff"], truth["runoff"], rtol=1e-12 if options else 1e-5, atol=1e-5
        )
        assert found["runoff"].dims == truth["runoff"].dims and found["runoff"].dtype == truth["runoff"].dtype
        assert found["runoff"].isnull().any() and found.attrs["failed_runs"] == 0


@pytest.mark.parametrize("form", ["csv", "netcdf"])
def test_all_sites_in_one_file(form, folders):
    ds = days(sites=5)
    found = ds.dpl.simulate(by_script(form), theta(ds))
    assert_same(found, ds.dpl.simulate(Twin(), theta(ds), engine="array"))
    assert list(folders.iterdir()) == []


def test_hours_and_other_calendars_reach_the_program(program):
    ds = days(length=48)
    twelve = xr.date_range("2001-01-01", periods=48, freq="12h", use_cftime=False)
    noleap = xr.date_range("2001-02-01", periods=48, calendar="noleap", use_cftime=True)
    for step, when in ((0.5, twelve), (1.0, noleap)):
        known = ds.assign_coords(time=when)
        found = known.dpl.simulate(bucket(program, dt=step), theta(ds))
        assert_same(found, known.dpl.simulate(Twin(dt=step), theta(ds), engine="array"))


def test_every_way_to_fail_has_a_message(program, folders):
    ds = days(sites=1)
    values = {"trouble": xr.DataArray([0.0, *FAILS], dims="member", attrs={"units": "1"})}
    with pytest.warns(
        UserWarning, match=r"simulate\('bucket'\): 6 of 7 runs failed and are NaN; the first: "
    ):
        found = ds.dpl.simulate(bucket(program), values)
    assert found["runoff"].isnull().all("time").values.ravel().tolist() == [False] + [True] * 6
    assert not found["runoff"].isel(member=0).isnull().any()
    said = json.loads(found.attrs["failed_messages"])
    assert found.attrs["failed_runs"] == len(said) == 6
    for words in FAILS.values():
        assert any(words in message for message in said), words
    # What one has printed says nothing of the others, and nothing stays behind.
    assert list(folders.iterdir()) == []


def test_a_program_that_hangs_is_killed(program):
    ds = days(sites=3)
    values = theta(ds).assign(trouble=("basin", [0.0, 2.0, 0.0], {"units": "1"}))
    begin = time.monotonic()
    with pytest.warns(UserWarning, match="1 of 3 runs failed and are NaN; the first: killed after 0.5 s"):
        found = ds.dpl.simulate(bucket(program, timeout=0.5, retries=1), values)
    assert 1.0 < time.monotonic() - begin < 30.0
    assert found["runoff"].isnull().any("time").values.tolist() == [False, True, False]


def test_files_of_failed_runs_are_kept_if_asked_for(program, folders, tmp_path):
    kept = tmp_path / "kept"
    with pytest.warns(UserWarning, match="the bucket leaks .files in "):
        days(sites=1).dpl.simulate(bucket(program, keep_failed=kept), {"trouble": 1.0})
    (folder,) = kept.iterdir()
    assert {p.name for p in folder.iterdir()} == {"forcing.csv", "parameters.csv", "log.txt"}
    assert (folder / "parameters.csv").read_text() == "k,0.1\ncapacity,100.0\ntrouble,1.0\n"
    head, first, *_ = (folder / "forcing.csv").read_text().splitlines()
    values = [float(days(sites=1)[v][0, 0]) for v in ("precipitation", "demand")]
    assert head == "time,precipitation,demand"
    assert first.split(",")[0] == "2001-01-01" and list(map(float, first.split(",")[1:])) == values
    assert "the bucket leaks" in (folder / "log.txt").read_text()


def test_blocks_of_dask_stay_lazy(program, counter):
    ds = days(sites=4)
    values = theta(ds)
    truth = ds.dpl.simulate(Twin(), values, engine="array")
    lazy = ds.chunk(basin=2).dpl.simulate(bucket(program), values)
    assert counter.calls == 0 and lazy["runoff"].chunks == ((30,), (2, 2))
    assert "failed_runs" not in lazy.attrs
    assert_same(lazy.compute(), truth)
    failing = values.assign(trouble=("basin", [0.0, 0.0, 0.0, 1.0], {"units": "1"}))
    lazy = ds.chunk(basin=2).dpl.simulate(bucket(program), failing)
    with pytest.warns(UserWarning, match="bucket: 1 of 2 runs failed and are NaN"):
        found = lazy.compute(scheduler="threads")
    assert found["runoff"].isnull().any("time").values.tolist() == [False, False, False, True]


def test_a_program_is_found_before_it_is_run(program, monkeypatch, tmp_path):
    ds = days(sites=1)
    truth = ds.dpl.simulate(Twin(), engine="array")
    monkeypatch.chdir(program.parent)
    assert_same(ds.dpl.simulate(bucket("./bucket")), truth)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.chdir(tmp_path)
    assert_same(ds.dpl.simulate(bucket("bucket")), truth)
    lazy = bucket("./bucket")
    with pytest.raises(InputErrors, match=r"run: expected a program that exists.*got './bucket'"):
        ds.chunk().dpl.simulate(lazy)


def test_a_command_that_cannot_be_is_refused():
    with pytest.raises(InputErrors) as caught:
        Command(["run", "{forcings}"], "xml", ["/no/such/file"])
    text = str(caught.value)
    assert "placeholders of files, got {forcings}" in text and "'csv' or 'netcdf', got 'xml'" in text
    assert "no file '/no/such/file'" in text
    for args in ("./bucket {forcing}", []):
        with pytest.raises(InputErrors, match="a list of the program and its arguments"):
            Command(args)


def test_a_model_keeps_its_hash_wherever_its_program_is(program):
    here, there = bucket(program, workers=1), bucket(Path("/elsewhere/bucket"), timeout=3.0)
    hashes = {model_hash(m) for m in (here, there)}
    assert len(hashes) == 1
    assert model_hash(replace(here, version="2")) not in hashes
