"""What sections say is what the functions behind them give."""

import json
import re

import numpy as np
import pytest
import xarray as xr
from helpers_report import QUIET, Page, learn

import xdpl
from xdpl.report.gather import gather
from xdpl.report.numbers import number, percent, power_of_ten, with_units


def test_scores(page, fit, ds):
    period = slice("2001-11-01", "2002-12-31")
    scores = fit.evaluate(ds, time=period)
    assert "Days 2001-11-01 to 2002-12-31 (after the training and the validation)" in page.text
    head, *rows = page.table("Scores of soil_moisture")
    assert head[:5] == ["metric", "units", "median", "10 %", "90 %"]
    assert [row[0].split(":")[0] for row in rows] == [m.name for m in xdpl.evaluation.declared.METRICS]
    for row in rows:
        name = row[0].split(":")[0]
        assert row[1] == scores[name].attrs["units"]
        numbers = [scores[name].median(), scores[name].quantile(0.1), scores[name].quantile(0.9)]
        assert row[2:6] == [number(v) for v in (*numbers, scores[f"pooled_{name}"])]
    default = xdpl.simulate(ds, "vic", outputs=["soil_moisture"])["soil_moisture"]
    default = xdpl.evaluation.metrics(*(v.sel(time=period) for v in (default, ds["soil_moisture"])))
    assert rows[0][6] == number(default["rmse"].median())


def test_groups(page, fit, ds):
    scores = fit.evaluate(ds, time=slice("2001-11-01", None))
    medians = xdpl.evaluation.by_group(scores[["rmse", "nse"]], scores["dryness_tercile"])
    head, *rows = page.table("Median scores of soil_moisture, by tercile of dryness")
    assert [row[0] for row in rows] == ["humid", "medium", "dry"]
    assert [int(row[1]) for row in rows] == medians["sites"].values.tolist()
    for name in ("rmse", "nse"):
        (column,) = [i for i, text in enumerate(head) if text.split(" ")[0] == name]
        assert [row[column] for row in rows] == [number(v) for v in medians[name].values]
    assert "rmse (m3 m-3)" in head


def test_own_groups(fit, ds):
    labels = xr.where(ds["sand"] > ds["sand"].median(), 1, 0)
    labels.attrs = {"long_name": "soil", "flag_values": [0, 1], "flag_meanings": "fine very_coarse"}
    text = _text(fit, ds, groups=labels, identifiability=False, sites=0)
    rows = Page(text).table("Median scores of soil_moisture, by soil")[1:]
    assert [row[:2] for row in rows] == [["fine", "10"], ["very coarse", "10"]]


def test_parameters(page, fit, ds):
    theta = fit.parameters(ds)
    rows = page.table("Learned parameters")[1:]
    assert [row[0] for row in rows] == [p.name for p in fit.model.parameters]
    for row, p in zip(rows, fit.model.parameters, strict=True):
        assert row[1:6] == [p.long_name, p.units, number(p.lower), number(p.upper), number(p.default)]
        assert row[6] == number(theta[p.name].median())
    near = xdpl.evaluation.at_bounds(theta)
    assert [row[9] for row in rows] == [percent(near[p.name]) for p in fit.model.parameters]


def test_series(facts, fit, ds):
    nse = fit.evaluate(ds, time=slice("2001-11-01", None))["nse"]
    shown = facts.targets[0].series
    assert [s.rank for s in shown] == ["best", "median", "worst"]
    assert shown[0].score == float(nse.max()) and shown[2].score == float(nse.min())
    lat, lon = (float(v) for v in re.findall(r"[\d.]+", shown[2].site.replace("−", "-")))
    worst = nse.where(nse == nse.min(), drop=True)
    assert (lat, lon) == (float(worst["lat"].item()), abs(float(worst["lon"].item())))
    simulated = fit.simulate(ds, outputs=["soil_moisture"])["soil_moisture"]
    expected = simulated.sel(lat=worst["lat"].item(), lon=worst["lon"].item(), time=slice("2001-11-01", None))
    np.testing.assert_allclose(shown[2].simulated, expected, rtol=1e-6)
    assert shown[2].observed.dims == ("time",) and shown[2].observed.attrs["units"] == "m3 m-3"


@pytest.mark.parametrize(("count", "ranks"), [(0, []), (1, ["median"]), (2, ["best", "worst"])])
def test_number_of_series(fit, ds, count, ranks):
    facts = gather(fit, ds, type(QUIET)(sites=count, identifiability=False, progress=False))
    assert [s.rank for s in facts.targets[0].series] == ranks


def test_learning(page, fit):
    head, *rows = page.table("Some epochs")
    assert head == ["epoch", "loss", "validation loss", "learning rate", "gradient norm", "time (s)"]
    best = fit.settings["best_epoch"]
    assert [row[0] for row in rows] == [f"{i}{' (best)' * (i == best)}" for i in (1, 2, 3)]
    assert [row[1] for row in rows] == [number(v, 4) for v in fit.history["loss"].values]


def test_without_validation(ds, tmp_path):
    fit = learn(ds, validate=None, epochs=1)
    page = Page(fit.report(tmp_path / "report.html").read_text("utf8"))
    assert "validation loss" not in page.table("Some epochs")[0]
    assert "There was no validation" in page.text


def test_identifiability(page, facts, fit, ds):
    test = xdpl.evaluation.transfer_test(fit, ds)
    noise = float(test["training_rmse"].median())
    told = xdpl.evaluation.identifiability(
        ds,
        "vic",
        fit.parameters(ds),
        target="soil_moisture",
        noise=noise,
        time=slice(*fit.observation.attrs["period"]),
        positions=0,
    )
    assert with_units(noise, "m3 m-3") in page.text
    assert f"{number(told['pooled_effective_dimension'])} all together" in page.text
    rows = page.table("What the observations tell")[1:]
    words = ["seen", "traded off", "unseen"]
    assert [row[1] for row in rows] == [words[int(v)] for v in told["pooled_seen"].values]
    for row in rows:
        one = told.sel(parameter=row[0])
        assert row[2:5] == [percent((one["seen"] == k).mean()) for k in range(3)]
        assert row[5] == number(one["standard_error"].median())
    flat = json.loads(told.attrs["flat_directions"])
    assert flat and all(line in page.text for line in flat)


def test_transfer_test(ds, tmp_path):
    fit = learn(ds, observation="site_affine", epochs=2)
    options = {"identifiability": False, "sites": 0, "progress": False}
    page = Page(fit.report(tmp_path / "report.html", ds, **options).read_text("utf8"))
    test = xdpl.evaluation.transfer_test(fit, ds)
    rows = page.table("Transfer test of soil_moisture")[1:]
    names = ["training_rmse", "transfer_rmse", "uncalibrated_rmse", "operator_rmse"]
    assert [row[2] for row in rows] == [number(test[name].median()) for name in names]
    said = f"{test.attrs['status']}: transfer error over training score {number(test['ratio'])}"
    assert said in page.text and f"affine share {number(test['affine_share'])}" in page.text
    scale = page.table("Scale and offset")[1]
    assert scale[:3] == ["scale", "1", "20"]
    assert scale[3] == number(fit.observation["soil_moisture_scale"].median())


def test_settings(page, fit):
    options = dict(row for row in page.table("Options of the training")[1:])
    assert set(fit.settings) <= set(options)
    assert options["window"] == "60" and options["train"] == '["2001-02-01", "2001-08-31"]'
    provenance = dict(row for row in page.table("Provenance")[1:])
    assert fit.observation.attrs["model_hash"] in provenance["model hash"]
    assert provenance["learned with xdpl"] == xdpl.__version__
    roles = {row[0]: row[1:] for row in page.table("Variables")[1:]}
    assert roles["forcing precipitation"] == ["precipitation", "mm d-1"]
    assert roles["attribute sand"] == ["sand", "percent"]


def test_without_a_dataset(fit, tmp_path):
    text = fit.report(tmp_path / "report.html").read_text("utf8")
    page = Page(text)
    assert page.headings() == [
        "Warnings",
        "Learning curve",
        "Observation operator and transfer test",
        "Settings and provenance",
    ]
    assert "Not in this page" in page.text and 'fit.report("report.html", ds)' in page.text
    assert text.index("<aside") < text.index("<main")


def test_numbers():
    assert [number(v) for v in (0, 0.012345, 12345.6, float("nan"), float("-inf"))] == [
        "0",
        "0.0123",
        "12346",
        "missing",
        "−infinite",
    ]
    assert number(-2.5e-7) == "−2.50 × 10⁻⁷" and number(3e9, 1) == "3 × 10⁹"
    assert [with_units(v, "mm d-1") for v in (2, float("nan"))] == ["2.00 mm d-1", "missing"]
    assert with_units(0.5, "1") == "0.500"
    assert percent(0.256) == "26 %" and percent(float("nan")) == "missing"
    assert power_of_ten(1e-3) == "10⁻³"


def _text(fit, ds, **options):
    from xdpl.report.page import page

    return page(gather(fit, ds, type(QUIET)(progress=False, **options)))
