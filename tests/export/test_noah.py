"""Terms of Noah: what has a column, what has none, and there and back."""

import numpy as np
import pytest
import xarray as xr
from helpers_learn import problems

import xdpl
from xdpl.errors import InputErrors
from xdpl.export import noah

MODEL = xdpl.models.get("noah")


def theta(count=30):
    rng = np.random.default_rng(5)
    found = {
        p.name: ("class", rng.uniform(p.lower, p.upper, count).astype(np.float32), {"units": p.units})
        for p in MODEL.parameters
    }
    return xr.Dataset(found, {"class": np.arange(1, count + 1)})


def test_every_parameter_has_a_place_or_a_reason():
    own = {p.name for p in MODEL.parameters}
    fractions = {"reference_fraction", "wilting_fraction", "dry_fraction"}
    tables = [set(t["names"]) & own for t in (noah.SOILPARM, noah.VEGPARM, noah.GENPARM)]
    places = [*tables, fractions, set(noah.NOT_IN_NOAH)]
    assert set().union(*places) == own and sum(map(len, places)) == len(own)
    for table in (noah.SOILPARM, noah.VEGPARM, noah.GENPARM):
        assert list(table["names"]) == list(table["units"])


def test_by_hand():
    values = {
        "porosity": (0.5, "m3 m-3"),
        "psi_sat": (20.0, "cm"),
        "b": (5.0, "1"),
        "ksat": (86.4, "mm d-1"),
        "reference_fraction": (0.8, "1"),
        "wilting_fraction": (0.25, "1"),
        "dry_fraction": (50.0, "percent"),
    }
    given = xr.Dataset({k: ("class", [v], {"units": u}) for k, (v, u) in values.items()}, {"class": [1]})
    found = noah.soil(given)
    expected = {
        "b": 5.0,
        "dry_content": 0.05,
        "porosity": 0.5,
        "reference_content": 0.4,
        "psi_sat": 0.2,
        "ksat": 1e-6,
        "diffusivity": 2e-6,
        "wilting_content": 0.1,
    }
    assert list(found.data_vars) == list(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(float(found[name][0]), value, rtol=1e-12)
        assert found[name].attrs["units"] == noah.SOILPARM["units"][name]


def test_tables_of_noah_come_back(tmp_path):
    """The 17 parameters through both tables and the rest: the same run."""
    given = theta()
    noah.soil(given).dpl.to_table(tmp_path / "SOILPARM.TBL", **noah.SOILPARM, name="STAS")
    given[list(noah.VEGPARM["names"])].dpl.to_table(tmp_path / "VEGPARM.TBL", **noah.VEGPARM)
    head = (tmp_path / "SOILPARM.TBL").read_text().splitlines()
    assert head[2].split("'")[1].split() == "BB DRYSMC MAXSMC REFSMC SATPSI SATDK SATDW WLTSMC".split()
    onto = given["class"].rename({"class": "cell"}).drop_vars("class", errors="ignore").drop_attrs()
    back = noah.parameters(xdpl.read_table(tmp_path / "SOILPARM.TBL", onto=onto, **noah.SOILPARM))
    plants = xdpl.read_table(tmp_path / "VEGPARM.TBL", onto=onto, **noah.VEGPARM)
    others = [p for p in given.data_vars if p not in back and p not in plants]
    back = back.merge(plants).assign({p: ("cell", given[p].values, given[p].attrs) for p in others})
    ds = xdpl.data.twin(shape=(1, 1), years=1).isel(lat=0, lon=0, time=slice(200), drop=True)
    expected = ds.dpl.simulate("noah", given.rename({"class": "cell"}).drop_vars("cell"))
    found = ds.dpl.simulate("noah", back.drop_vars("cell", errors="ignore"))
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=2e-3, atol=1e-3)


def test_what_is_wrong():
    with pytest.raises(InputErrors) as raised:
        noah.soil(theta().drop_vars("b").assign(ksat=theta()["psi_sat"]))
    assert set(problems(raised)) == {"b", "ksat"}
    table = noah.soil(theta())
    table["wilting_content"] = (table["porosity"] * 1.1).assign_attrs(units="m3 m-3")
    table["diffusivity"] = (table["diffusivity"] * 1.1).assign_attrs(units="m2 s-1")
    with pytest.raises(InputErrors) as raised:
        noah.parameters(table)
    assert set(problems(raised)) == {"wilting_content", "diffusivity"}
    alone = noah.parameters(noah.soil(theta()).drop_vars("diffusivity").assign(lai=theta()["lai"]))
    assert "lai" in alone and "diffusivity" not in alone
