"""check(): what is needed, found and converted; raises for nothing in the data."""

import numpy as np
import pytest
import xarray as xr
from model_cases import weather

import xdpl
from xdpl.errors import InputErrors


def kelvin():
    ds = weather().rename(precipitation="pr")
    ds["air_temperature"] = (ds["air_temperature"] + 273.15).assign_attrs(units="K")
    ds["pr"] = (ds["pr"] / 86400).assign_attrs(units="kg m-2 s-1", standard_name="lwe_precipitation_rate")
    return ds


def test_ready():
    check = weather().dpl.check("vic")
    assert check.ok
    assert check.model == "vic"
    assert [r.name for r in check.rows] == list(weather())
    assert {r.action for r in check.rows} == {"as it is"}
    assert repr(check).splitlines()[0] == "vic: ready to run"


def test_prints_needed_found_and_converted():
    lines = repr(kelvin().dpl.check("vic")).splitlines()
    assert lines[1].split("  ")[0] == "forcing"
    assert "needed" in lines[1] and "found" in lines[1]
    assert lines[2].split() == "precipitation mm d-1 pr kg m-2 s-1 converted: × 86400".split()
    assert lines[3].split() == "air_temperature degC air_temperature K converted: - 273.15".split()
    assert lines[4].endswith("as it is")


def test_prints_missing_and_how_to_fix_it():
    ds = weather().drop_vars("potential_evapotranspiration")
    del ds["precipitation"].attrs["units"]
    ds["air_temperature"].attrs["units"] = "m"
    check = ds.dpl.check("hbv")
    assert not check.ok
    text = repr(check)
    assert text.startswith("hbv: cannot run yet, 3 problems\n")
    assert [r.action for r in check.rows] == ["units missing", "units do not convert", "missing"]
    plain = " ".join(text.split())
    for problem in check.problems:
        assert f"- {problem}" in plain
    assert '  fix: ds["potential_evapotranspiration"] = ds.dpl.pet(method=' in text


def test_lines_fit_the_terminal_but_what_is_to_be_copied(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    check = weather()[[]].dpl.check("vic")
    lines = repr(check).splitlines()
    assert lines[0] == "vic: cannot run yet, 3 problems"
    assert max(len(line) for line in lines if not line.startswith("  fix: ")) <= 80
    assert [line[len("  fix: ") :] for line in lines if line.startswith("  fix: ")] == [
        p.fix for p in check.problems
    ]


def test_one_problem():
    check = weather().drop_vars("precipitation").dpl.check("vic")
    assert repr(check).splitlines()[0] == "vic: cannot run yet, 1 problem"


def test_a_slope_and_an_offset_are_shown():
    ds = weather()
    ds["air_temperature"] = (ds["air_temperature"] * 1.8 + 32).assign_attrs(units="degF")
    assert ds.dpl.check("vic").rows[1].action == "converted: × 0.555556 - 17.7778"


def test_mapping_is_shown():
    ds = weather().rename(precipitation="rain")
    assert not ds.dpl.check("vic").ok
    check = ds.dpl.check("vic", forcings={"precipitation": "rain"})
    assert check.ok
    assert check.rows[0].found == "rain"


@pytest.mark.parametrize("broken", ["ready", "not ready"])
def test_agrees_with_simulate(broken):
    ds = weather() if broken == "ready" else weather().drop_vars("air_temperature")
    check = ds.dpl.check("vic")
    if check.ok:
        xdpl.simulate(ds, "vic")
        return
    with pytest.raises(InputErrors) as caught:
        xdpl.simulate(ds, "vic")
    assert [str(e) for e in caught.value.exceptions] == [str(p) for p in check.problems]


def with_units(unit):
    ds = weather()
    ds["precipitation"].attrs["units"] = unit
    return ds


BROKEN = {
    "empty": lambda: xr.Dataset(),
    "only coordinates": lambda: weather()[[]],
    "no time": lambda: weather().isel(time=0),
    "no time left": lambda: weather().isel(time=slice(0)),
    "time of numbers": lambda: weather().assign_coords(time=np.arange(40)),
    "no time coordinate": lambda: weather().drop_vars("time"),
    "time backwards": lambda: weather().isel(time=slice(None, None, -1)),
    "a missing date": lambda: weather().assign_coords(
        time=np.where(np.arange(40) == 7, np.datetime64("NaT"), weather()["time"].values)
    ),
    "chunked in time": lambda: weather().chunk(time=7),
    "no such unit": lambda: with_units("bananas per day"),
    "a number as unit": lambda: with_units(7),
    "an expression as unit": lambda: with_units("import os"),
    "a unit with brackets": lambda: with_units("mm (d-1"),
    "a long number as unit": lambda: with_units("1e400 m"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_never_raises_for_the_data(name):
    check = xdpl.check(BROKEN[name](), "vic")
    assert not check.ok
    assert "cannot run yet" in repr(check)
    assert "cannot run yet" in check._repr_html_()
    with pytest.raises(InputErrors):
        xdpl.simulate(BROKEN[name](), "vic")


def test_raises_for_an_unknown_model():
    with pytest.raises(InputErrors, match=r"check cannot run:\n.*use 'hbv'"):
        weather().dpl.check("hbvv")


def test_html_is_escaped():
    ds = weather().rename(precipitation="<script>alert(1)</script>")
    ds["<script>alert(1)</script>"].attrs["units"] = "<b>mm</b>"
    html = ds.dpl.check("vic", forcings={"precipitation": "<script>alert(1)</script>"})._repr_html_()
    assert "<script>" not in html and "<b>mm" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "&lt;b&gt;mm&lt;/b&gt;" in html
    assert html.count("<tr>") == html.count("</tr>") == 4


def test_html_says_the_same():
    ready, broken = (ds.dpl.check("vic")._repr_html_() for ds in (weather(), weather()[[]]))
    assert ready.startswith("<b>vic</b>: ready to run<table><thead>") and "<ul>" not in ready
    for word in ("forcing", "needed", "found", "units found", "verdict", "as it is"):
        assert f">{word}</t" in ready
    assert broken.startswith("<b>vic</b>: cannot run yet, 3 problems<table>")
    assert broken.count("<li>") == broken.count("<br>fix: ") == 3
