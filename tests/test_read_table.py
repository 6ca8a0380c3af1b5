"""Tables of other hands, and files that are none."""

import numpy as np
import pytest
from helpers_export import grid, soil
from helpers_learn import problems

from xdpl import read_table
from xdpl.errors import InputErrors

SOIL = """\
Soil Parameters
STAS
2,1   'BB      DRYSMC    QTZ    '
1,     2.50,   .020,    0.92,   'SAND'
2,     4.25,   3.5D-2,  0.80,   'LOAMY SAND'
Soil Parameters
OTHER
1,1,  'BB      DRYSMC    QTZ    '
1      5.00    0.1       0.5
"""
NAMELIST = """\
 some words before
&soil
  n = 3*2.0   ! it's a comment
  BB = 1.5, 2.5,
       3.5
/
&veg
  n = 1
/
"""


def refusal(path, **options):
    with pytest.raises(InputErrors, match="read_table cannot run") as raised:
        read_table(path, **options)
    return problems(raised)


def put(folder, name, content):
    (folder / name).write_text(content)
    return folder / name


def test_a_stock_table(tmp_path):
    path = put(tmp_path, "SOILPARM.TBL", SOIL)
    options = {"names": {"b": "BB"}, "units": {"b": "1", "DRYSMC": "m3 m-3"}, "drop": ["QTZ"]}
    found = read_table(path, name="STAS", **options)
    assert list(found.data_vars) == ["b", "DRYSMC"]
    np.testing.assert_array_equal(found["b"], np.float32([2.5, 4.25]))
    np.testing.assert_array_equal(found["DRYSMC"], np.float32([0.02, 0.035]))
    assert found["class_name"].values.tolist() == ["SAND", "LOAMY SAND"]
    other = read_table(path, name="OTHER", **options)
    assert other["b"].values.tolist() == [5.0] and "class_name" not in other.coords
    assert "tables: STAS, OTHER" in refusal(path, **options)[str(path)]
    said = refusal(path, name="STAS", units={"BB": "1", "K": "m", "DRYSMC": "m/ss"}, drop=["no"])
    assert set(said) == {"drop", "units['K']", "DRYSMC", "QTZ"}
    assert "units, in the file or in units" in said["QTZ"]
    assert "BB, DRYSMC, QTZ" in refusal(path, name="STAS", names={"b": "bb"})["names['b']"]


def test_a_namelist_by_hand(tmp_path):
    path = put(tmp_path, "land.nml", NAMELIST)
    found = read_table(path, name="SOIL", units={"n": "1", "b": "1"}, names={"b": "BB"})
    assert found["n"].values.tolist() == [2.0, 2.0, 2.0]
    assert found["b"].values.tolist() == [1.5, 2.5, 3.5]
    assert "groups: soil, veg" in refusal(path)[str(path)]
    assert "two" in refusal(path, name="soil", names={"n": "BB"}, units={"n": "1"})["names['n']"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "", "a head of distinct names"),
        ("a.csv", "class,k [1]\n1\n", "2 values in row 1"),
        ("a.csv", "class,k [1],k [1]\n1,2,3\n", "distinct names"),
        ("a.csv", "class,k [1]\n1,abc\n", "a number"),
        ("a.csv", "class,k [1]\n1,2\n1,3\n", "distinct whole numbers of classes"),
        ("a.csv", "class,k [1]\nx,2\n", "distinct whole numbers of classes"),
        ("a.nml", "k = 1\n", "one group"),
        ("a.nml", "&a\nk = 1\n", "a / at the end"),
        ("a.nml", "&a\nk = 1, 2\nl = 1\n/\n", "arrays of one length"),
        ("a.nml", "&a\nk =\n/\n", "arrays of one length"),
        ("a.nml", "&a\nk = 1\nk = 2\n/\n", "each name once"),
        ("a.nml", "&a\n1, 2\n/\n", "name = values"),
        ("a.nml", "&a\nk = 1,, 2\n/\n", "a value between two commas"),
        ("a.nml", "&a\nk = 'x\n/\n", "quotes that are closed"),
        ("a.TBL", "x\n", "one table"),
        ("a.TBL", "x\ny\n2,1 'k'\n1, 2\n", "2 rows"),
        ("a.TBL", "x\ny\n1,1 'k k'\n1, 2, 3\n", "distinct names"),
        ("a.TBL", "x\ny\n1,1 'k'\n1, 2, 3, 4\n", "an index, 1 values and perhaps a name"),
    ],
)
def test_no_table(tmp_path, name, content, said):
    path = put(tmp_path, name, content)
    assert said in refusal(path, units={"k": "1"})[str(path)]


def test_values_and_units_of_a_file(tmp_path):
    path = put(tmp_path, "a.csv", "class,k [m s-1],l [furlongs of love]\n1,nan,2\n")
    found = refusal(path, units={"k": "mm d-1"})
    assert "units that can be read" in found["l"]
    assert "as the file says" in found["units['k']"] and "a number in every row" in found["k"]
    assert "nothing there" in next(iter(refusal(tmp_path / "none.csv").values()))
    assert ".csv, .nml or .TBL" in refusal(put(tmp_path, "a.txt", ""))["path"]


def test_classes_that_do_not_fit(tmp_path):
    path = put(tmp_path, "a.csv", "class,class_name,k [1]\n1,sand,0.5\n")
    assert "clay_loam (2)" in refusal(path, onto=soil())["onto"]
    silt = soil(((1, 1, 1), (1, 1, 1)), "silt")
    assert "the name 'sand' of class 1" in refusal(path, onto=silt)["onto"]
    assert "integer labels" in refusal(path, onto=soil().astype(float))["onto"]


def test_cells_that_do_not_fit(tmp_path):
    path = tmp_path / "a.csv"
    grid().dpl.to_table(path)
    assert "no 41." in refusal(path, onto=soil().isel(lat=[0]))["onto"]
    assert "'lon'" in refusal(path, onto=soil().drop_vars("lon"))["onto"]
    assert "one row for each cell" in refusal(path, onto=soil().isel(lon=0)).get("onto", "")
