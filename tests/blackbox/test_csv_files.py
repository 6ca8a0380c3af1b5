"""What a program writes as CSV, and what of it is not believed."""

import numpy as np
import pytest
import xarray as xr

from xdpl.blackbox import csv_files
from xdpl.blackbox.task import Failure


def forcings(sites=None, steps=3):
    time = xr.date_range("2001-01-01", periods=steps, use_cftime=False)
    shape, dims = ((steps,), ("time",)) if sites is None else ((steps, sites), ("time", "site"))
    return xr.Dataset({"rain": (dims, np.arange(np.prod(shape)).reshape(shape) / 3.0)}, {"time": time})


@pytest.mark.parametrize("sites", [None, 2])
def test_numbers_come_back_as_they_were(tmp_path, sites):
    ds = forcings(sites)
    theta = xr.Dataset({"k": ((), 0.1)}) if sites is None else xr.Dataset({"k": ("site", [0.1, 1.0 / 3.0])})
    files = tmp_path / "forcing.csv", tmp_path / "parameters.csv"
    csv_files.write(ds, theta, *files)
    back = csv_files.read(files[0], ds)
    np.testing.assert_array_equal(back["rain"].transpose(*ds["rain"].dims), ds["rain"])
    said = files[1].read_text().splitlines()
    assert said == (["k,0.1"] if sites is None else ["site,k", "0,0.1", f"1,{1.0 / 3.0!r}"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("runoff\n1\n2\n", "has 2 lines below its head, not 3"),
        ("runoff\n1,\n2,\n3,\n", "has lines with more columns than its head"),
        ("time,runoff\n2001-01-01,1\n2001-01-03,2\n2001-01-02,3\n", "has another column 'time'"),
        ("runoff\n1\n2,3,4\n5\n", "is no table"),
        ("", "is no table"),
    ],
)
def test_tables_that_are_refused(tmp_path, text, says):
    file = tmp_path / "output.csv"
    file.write_text(text)
    with pytest.raises(Failure, match=f"output.csv {says}"):
        csv_files.read(file, forcings())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("runoff\n1\n2\n3\n4\n", "has no column 'site'; there are runoff"),
        ("site,runoff\n0,1\n1,2\n0,3\n1,4\n", "has another column 'site'"),
    ],
)
def test_sites_in_another_order_are_refused(tmp_path, text, says):
    file = tmp_path / "output.csv"
    file.write_text(text)
    with pytest.raises(Failure, match=f"output.csv {says}"):
        csv_files.read(file, forcings(sites=2, steps=2))


def test_spaces_are_as_fortran_writes_them(tmp_path):
    file = tmp_path / "output.csv"
    file.write_text("  time ,  runoff \n2001-01-01 ,  1.5\n2001-01-02 ,  0.1E+01\n2001-01-03 , -2.0\n")
    found = csv_files.read(file, forcings())
    assert found["runoff"].dims == ("time",) and found["runoff"].values.tolist() == [1.5, 1.0, -2.0]
