"""Tables written and read back: the text, the values, other programs, and what is refused."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from helpers_bucket import compiled
from helpers_export import NAMES, UNITS, grid, soil
from helpers_learn import problems

import xdpl
from xdpl import read_table, to_table
from xdpl.errors import InputErrors
from xdpl.export import by_class

EXTERNAL = Path(__file__).parent / "external"
FORMATS = ["csv", "nml", "TBL"]
TEXTS = {
    "csv": """\
class,class_name,porosity [m3 m-3],SATDK [m s-1]
1,sand,0.35,1e-06
2,clay_loam,0.45,3.4722223e-06
""",
    "nml": """\
! Soil of a small grid
&soil
  class = 1, 2
  class_name = 'sand', 'clay_loam'
  ! units of porosity: m3 m-3
  porosity = 0.35, 0.45
  ! units of SATDK: m s-1
  SATDK = 1e-06, 3.4722223e-06
/
""",
    "TBL": """\
Soil of a small grid (rows: class; porosity: m3 m-3; SATDK: m s-1)
soil
2,1 'porosity  SATDK'
1,     0.35,         1e-06, 'sand'
2,     0.45, 3.4722223e-06, 'clay_loam'
""",
}


def refusal(call, *args, **options):
    with pytest.raises(InputErrors, match=f"{call.__name__} cannot run") as raised:
        call(*args, **options)
    return problems(raised)


def written(folder, kind, theta=None, **options):
    """A table of classes, with another name and other units of a column."""
    path = folder / f"table.{kind}"
    words = {} if kind == "csv" else {"title": "Soil of a small grid", "name": "soil"}
    options = {"by": soil(), "names": NAMES, "units": UNITS} | words | options
    return path, to_table(grid() if theta is None else theta, path, **options)


@pytest.mark.parametrize("kind", FORMATS)
def test_text(kind, tmp_path):
    path, found = written(tmp_path, kind)
    assert path.read_bytes().decode() == TEXTS[kind]
    xr.testing.assert_identical(found, by_class(grid(), soil()))


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("statistic", ["median", "mean"])
def test_classes_come_back(kind, statistic, tmp_path):
    weights = grid()["porosity"]
    path, found = written(tmp_path, kind, statistic=statistic, weights=weights)
    expected = found.sel(statistic=statistic)
    rows = read_table(path, names=NAMES)
    assert list(rows.data_vars) == ["porosity", "ksat"]
    assert rows["class_name"].values.tolist() == ["sand", "clay_loam"]
    assert rows["ksat"].attrs == {"units": "m s-1"}
    np.testing.assert_array_equal(rows["porosity"], expected["porosity"].astype(np.float32))
    np.testing.assert_array_equal(rows["ksat"], (expected["ksat"] / 86400000).astype(np.float32))
    cells = read_table(path, onto=soil(), names=NAMES, units=UNITS)
    for label in (1, 2):
        of_class = cells["ksat"].values[soil().values == label]
        assert set(of_class.tolist()) == {float(rows["ksat"].sel({"class": label}))}
    assert cells["ksat"].dims == ("lat", "lon")


@pytest.mark.parametrize("kind", FORMATS)
def test_cells_come_back_exactly(kind, tmp_path):
    theta, path = grid().where(grid()["lon"] != 6.5), tmp_path / f"table.{kind}"
    for name in theta:
        theta[name].attrs["units"] = grid()[name].attrs["units"]
    rows = theta.dpl.to_table(path)
    assert rows.sizes == {"cell": 4}
    found = read_table(path, onto=soil())
    assert {v.dtype for v in found.data_vars.values()} == {np.dtype(np.float32)}
    xr.testing.assert_equal(found, theta)
    assert found["ksat"].attrs["units"] == "mm d-1"
    alone = read_table(path)
    assert set(alone.coords) == {"lat", "lon"} and alone.sizes == {"cell": 4}


@pytest.mark.parametrize("kind", FORMATS)
def test_sites_by_name(kind, tmp_path):
    """Names of numbers keep their zeros; apostrophes and other coordinates do no harm."""
    rng = np.random.default_rng(1)
    names = ["01013500", "0200", "O'Hara"]
    theta = xr.Dataset({"k": ("basin", rng.random(3).astype(np.float32), {"units": "d-1"})})
    theta = theta.assign_coords(basin=names, area=("basin", [1.5, 2e6, 3.0]), member=0)
    theta.dpl.to_table(tmp_path / f"table.{kind}")
    onto = theta["k"].isel(basin=[2, 1, 0])
    found = read_table(tmp_path / f"table.{kind}", onto=onto)
    np.testing.assert_array_equal(found["k"], onto)
    assert read_table(tmp_path / f"table.{kind}")["area"].values.tolist() == [1.5, 2e6, 3.0]


@pytest.mark.parametrize("kind", FORMATS)
def test_every_float32(kind, tmp_path):
    bits = np.random.default_rng(2).integers(0, 2**32, 5000, dtype=np.uint32)
    values = bits.view(np.float32)
    values = np.concatenate([values[np.isfinite(values)], np.float32([0.0, 0.1, 1e-45, 3.4028235e38])])
    theta = xr.Dataset({"k": ("site", values, {"units": "1"})}, {"site": np.arange(values.size)})
    theta.dpl.to_table(tmp_path / f"table.{kind}")
    np.testing.assert_array_equal(read_table(tmp_path / f"table.{kind}")["k"], values)


def test_a_statistic_edited_is_written_as_it_is(tmp_path):
    rows = by_class(grid(), soil()).sel(statistic="median", drop=True)
    rows["QTZ"] = ("class", [0.9, 0.3], {"units": "1"})
    rows.dpl.to_table(tmp_path / "one.TBL")
    found = read_table(tmp_path / "one.TBL")
    np.testing.assert_array_equal(found["QTZ"], np.float32([0.9, 0.3]))
    assert list(found.data_vars) == ["porosity", "ksat", "QTZ"]


def test_a_program_reads_the_table(tmp_path):
    """As Noah does: by place."""
    path, found = written(tmp_path, "TBL")
    program = compiled(tmp_path, EXTERNAL / "noah_table.c")
    said = subprocess.run([program, path, "2"], check=True, capture_output=True, text=True).stdout
    head, *rows = [line.split() for line in said.splitlines()]
    assert head == ["soil", "2"]
    assert [(row[0], row[3]) for row in rows] == [("1", "sand"), ("2", "clay_loam")]
    values = np.array([[float.fromhex(v) for v in row[1:3]] for row in rows])
    expected = found.sel(statistic="median")
    np.testing.assert_array_equal(values[:, 0], expected["porosity"].astype(np.float32))
    np.testing.assert_array_equal(values[:, 1], (expected["ksat"] / 86400000).astype(np.float32))


def test_fortran_reads_the_namelist(tmp_path):
    program = compiled(tmp_path, EXTERNAL / "read_namelist.f90")
    path, _ = written(tmp_path, "nml", by=soil(((1, 2, 3), (1, 2, 2)), "sand clay_loam peat"))
    said = subprocess.run([program, path], check=True, capture_output=True, text=True).stdout
    found = read_table(path)
    rows = [line.split() for line in said.splitlines()]
    assert [row[3] for row in rows] == found["class_name"].values.tolist()
    for i, name in ((1, "porosity"), (2, "SATDK")):
        values = np.array([int(row[i], 16) for row in rows], np.uint32).view(np.float32)
        np.testing.assert_array_equal(values, found[name])


def test_simulating_with_a_table(tmp_path):
    """The loss by classes: none where classes have no spread, some elsewhere."""
    ds = xdpl.data.twin(shape=(2, 3), years=1).assign_coords(lat=grid()["lat"], lon=grid()["lon"])
    whole = ds.dpl.simulate("noah", grid())
    for by, loses in ((soil(((1, 2, 3), (4, 5, 6)), "a b c d e f"), False), (soil(), True)):
        path, _ = written(tmp_path, "TBL", by=by)
        found = ds.dpl.simulate("noah", read_table(path, onto=by, names=NAMES))
        worst = float(abs(found - whole)["soil_moisture"].max())
        assert worst > 0.01 if loses else worst < 1e-5
        path.unlink()


def test_cells_without_a_class_have_nothing(tmp_path):
    path, _ = written(tmp_path, "csv")
    found = read_table(path, onto=soil(((1, -1, 2), (1, 2, -1))))
    np.testing.assert_array_equal(found["porosity"].isnull(), soil(((1, -1, 2), (1, 2, -1))) < 0)


def test_calls_that_make_no_sense(tmp_path):
    theta = grid()
    (tmp_path / "there.csv").write_text("mine")
    assert ".csv, .nml or .TBL" in refusal(to_table, theta, tmp_path / "x.dat")["path"]
    assert "where nothing is" in next(iter(refusal(to_table, theta, tmp_path / "there.csv").values()))
    assert "a folder" in next(iter(refusal(to_table, theta, tmp_path / "none" / "x.csv").values()))
    found = refusal(
        to_table,
        theta,
        tmp_path / "x.csv",
        statistic="mode",
        names={"k": "K"},
        units={"ksat": "m/ss"},
        name="x",
    )
    assert list(found) == ["statistic", "by", "name", "names['k']", "units['ksat']"]
    assert (
        "a dim 'time' of 3" in refusal(to_table, theta.expand_dims(time=3), tmp_path / "x.csv")["parameters"]
    )
    assert list(tmp_path.iterdir()) == [tmp_path / "there.csv"]


def test_columns_that_cannot_be(tmp_path):
    theta, path = grid(), tmp_path / "x.nml"
    assert "letters, digits" in refusal(to_table, theta, path, names={"ksat": "K sat"})["K sat"]
    assert "one that is taken" in refusal(to_table, theta, path, names={"ksat": "POROSITY"})["POROSITY"]
    assert "got two" in refusal(to_table, theta, path, names={"ksat": "porosity"})["porosity"]
    assert "convertible to 'm'" in refusal(to_table, theta, path, units={"ksat": "m"})["ksat"]
    theta["ksat"] = (theta["ksat"].astype(float) * 1e-60).assign_attrs(units="mm d-1")
    assert "float32" in refusal(to_table, theta, path)["ksat"]


def said(ds):
    """With units again, which arithmetic loses."""
    return ds.assign({k: v.assign_attrs(units=grid()[k].attrs["units"]) for k, v in ds.data_vars.items()})


def test_rows_that_cannot_be(tmp_path):
    path = tmp_path / "x.TBL"
    gaps = soil().assign_attrs(flag_values=[1, 3], flag_meanings="sand clay") * 2 - 1
    gaps.attrs = {"flag_values": [1, 3], "flag_meanings": "sand clay"}
    assert "1, 2, 3 and so on" in refusal(to_table, grid(), path, by=gaps)["by"]
    assert list(to_table(grid(), tmp_path / "x.csv", by=gaps)["class"]) == [1, 3]
    holes = grid()
    holes["ksat"] = holes["ksat"].where(holes["lat"] < 41).assign_attrs(units="mm d-1")
    assert "no value at lat=41.0" in refusal(to_table, holes, path)["ksat"]
    endless = holes.where(holes["lat"] < 41)
    endless["ksat"] = (endless["ksat"] * np.inf).assign_attrs(units="mm d-1")
    endless["porosity"].attrs["units"] = "1"
    assert "no value at lat=40.0" in refusal(to_table, endless, path)["ksat"]
    nothing = grid() * np.nan
    for name in nothing:
        nothing[name].attrs["units"] = "1"
    assert "a whole cell nowhere" in refusal(to_table, nothing, path)["porosity"]
    rows = by_class(grid(), soil()).sel(statistic="mean", drop=True)
    odd = rows.assign_coords(class_name=("class", [1, 2]))
    assert set(refusal(to_table, odd, path)) == {"class_name"}
    assert set(refusal(to_table, rows.drop_vars("class"), path)) == {"class"}
    assert "rows [1]" in refusal(to_table, rows.where(rows["class"] < 2).pipe(said), path)["ksat"]
    bare = grid().drop_vars("lat")
    assert "assign_coords(lat" in refusal(to_table, bare, path)["lat"]
    when = grid().assign_coords(when=("lat", np.array(["2001", "2002"], "M8[ns]")))
    assert "numbers or texts" in refusal(to_table, when, path)["when"]
    texts = grid().assign_coords(a=("lat", ["x", "y"]), b=("lon", ["x", "y", "z"]))
    assert "one coordinate of texts" in refusal(to_table, texts, path)["b"]
