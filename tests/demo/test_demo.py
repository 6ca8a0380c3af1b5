"""The command `xdpl demo`, on few epochs; its real results are in the documentation."""

import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import xdpl
from xdpl import cli
from xdpl.demo import synthetic
from xdpl.demo.basins import contenders


@pytest.fixture(scope="module")
def twin_run(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo") / "results"
    done = subprocess.run(
        [sys.executable, "-m", "xdpl", "demo", "--epochs", "2", "--quiet", "--out", str(out)],
        capture_output=True,
        text=True,
        check=True,
    )
    return out, done.stdout


def test_twin_prints_scores_beside_the_uncalibrated_model(twin_run):
    _, printed = twin_run
    for word in ("uncalibrated", "trained", "held-out", "rank correlation", "error/spread", "porosity"):
        assert word in printed


def test_twin_writes_maps_as_netcdf_and_pictures(twin_run):
    out, _ = twin_run
    with xr.open_dataset(out / "parameters.nc", engine="h5netcdf") as theta:
        assert theta["porosity"].dims == ("lat", "lon")
        assert theta["porosity"].attrs["units"] == "m3 m-3"
    for picture in ("parameters.png", "learning.png"):
        assert (out / picture).read_bytes().startswith(b"\x89PNG")
    assert xdpl.load(out / "fit.zarr").model.name == "vic"


def test_twin_can_run_again_into_the_same_folder(twin_run, tmp_path):
    out, _ = twin_run
    fit = xdpl.load(out / "fit.zarr")
    from xdpl.demo.writing import write

    ds = xdpl.data.twin(shape=(3, 3), years=1)
    theta = fit.parameters(ds)
    write(fit, ds, theta, theta, tmp_path)
    write(fit, ds, theta, theta, tmp_path)


def test_identifiable_follows_the_standard_error():
    result = synthetic.TwinResult(None, {}, {}, {"a": (0.9, 0.8, 0.49), "b": (0.9, 0.8, 0.51)})
    assert result.identifiable() == ["a"]


def test_unknown_demo_is_refused(capsys):
    with pytest.raises(SystemExit):
        cli.main(["demo", "nothing"])
    assert "smap" in capsys.readouterr().err


@pytest.mark.data
def test_smap(tmp_path, capsys, sample_data):
    assert cli.main(["demo", "smap", "--epochs", "1", "--quiet", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "uncalibrated" in printed
    assert "learned" in printed
    with xr.open_dataset(tmp_path / "parameters.nc", engine="h5netcdf") as theta:
        # The site without soil texture takes no part.
        assert int(theta["porosity"].isnull().sum()) == 1
        assert np.isnan(theta["porosity"].sel(site=57))


@pytest.mark.data
def test_mopex(tmp_path, capsys, sample_data):
    assert cli.main(["demo", "mopex", "--epochs", "1", "--quiet", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    uncalibrated, learned = (
        float(next(line for line in printed.splitlines() if line.strip().startswith(word)).split()[1])
        for word in ("uncalibrated", "learned")
    )
    assert 0.3 < uncalibrated < learned < 1.0
    with xr.open_dataset(tmp_path / "parameters.nc", engine="h5netcdf") as theta:
        assert dict(theta["fc"].sizes) == {"member": 16, "basin": 359}
        assert float((theta["fc"].std("member") / theta["fc"].mean("member")).median()) > 0.1


def test_contenders_differ_in_what_they_are_asked():
    for question in ("time", "sites"):
        models = contenders(question)
        assert list(models) == ["static", "dynamic", "lstm"]
        assert models["dynamic"]["pretrain"] < models["dynamic"]["epochs"]


def test_smap_without_data_says_what_to_do(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDPL_DATA_URL", str(tmp_path / "nowhere"))
    monkeypatch.setenv("XDPL_DATA_DIR", str(tmp_path / "cache"))
    assert cli.main(["demo", "smap", "--quiet", "--out", str(tmp_path)]) == 2
    assert "XDPL_DATA_URL" in capsys.readouterr().err
