import dataclasses

import numpy as np
import pytest
import xarray as xr
from helpers_learn import quick, world

import xdpl


def test_text(fit):
    lines = repr(fit).splitlines()
    assert lines[0] == "<xdpl.Fit>"
    facts = {line[2:14].strip(): line[14:] for line in lines[1:]}
    assert facts == {
        "model": f"vic ({len(fit.model.parameters)} parameters)",
        "target": "soil_moisture (variable 'soil_moisture')",
        "attributes": "sand, clay, ndvi, elevation",
        "network": f"mlp 4 → 64 → 64 → {len(fit.model.parameters)}",
        "training": "22 sites, 2001-02-01 to 2001-08-31",
        "validation": "2001-09-01 to 2001-10-31",
        "loss": "nrmse, seed 0",
        "warm-up": "15 steps, with gradient",
        "stopped": f"finished after 8 of 8 epochs, best epoch {fit.settings['best_epoch']}",
        "loss there": facts["loss there"],
    }
    best = fit.history.isel(epoch=fit.settings["best_epoch"] - 1)
    assert facts["loss there"] == (
        f"{best['loss'].item():.4f}, validation {best['validation_loss'].item():.4f}"
    )
    assert max(map(len, lines)) <= 100


def test_many_attributes_are_wrapped(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    ds = world()
    names = [f"attribute_{i}" for i in range(12)]
    text = repr(quick(ds.assign({name: ds["sand"] for name in names}), attributes=names))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 60
    start = lines.index("  attributes  attribute_0, attribute_1, attribute_2,")
    assert lines[start + 1] == " " * 14 + "attribute_3, attribute_4, attribute_5,"


def test_without_validation():
    text = repr(quick())
    assert "none: the last weights count" in text
    assert "validation 0" not in text and "nan" not in text


def test_html_has_the_same_facts(fit):
    html = fit._repr_html_()
    assert html.startswith("<b>xdpl.Fit</b><table>") and html.count("<tr>") == html.count("</tr>") == 10
    for word in ("vic (", "sand, clay, ndvi, elevation", "2001-02-01 to 2001-08-31", "best epoch"):
        assert word in html


def test_html_is_escaped():
    ds = world().rename(sand="<b>sand</b>", runoff="q & r")
    fit = quick(ds, attributes=["<b>sand</b>"], target={"runoff": "q & r"})
    html = fit._repr_html_()
    assert "<b>sand" not in html and "&lt;b&gt;sand&lt;/b&gt;" in html
    assert "q &amp; r" in html
    assert "<b>sand</b>" in repr(fit)


def test_history_is_a_dataset(fit):
    history = fit.history
    assert isinstance(history, xr.Dataset) and dict(history.sizes) == {"epoch": 8}
    names = {"loss", "validation_loss", "learning_rate", "gradient_norm", "seconds"}
    assert set(history) == names
    assert all(a.dtype == np.float64 and a.dims == ("epoch",) for a in history.values())
    np.testing.assert_array_equal(history["epoch"], np.arange(1, 9))


def test_fields_cannot_be_replaced(fit):
    with pytest.raises(dataclasses.FrozenInstanceError):
        fit.scaling.attributes.mean = np.zeros(4)


def test_reachable_from_the_package(fit):
    assert isinstance(fit, xdpl.Fit)
