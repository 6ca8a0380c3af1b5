"""MOPEX prepared for learning, and its climate indices."""

import numpy as np
import pytest
import xarray as xr

from xdpl import data
from xdpl.demo import streamflow
from xdpl.demo.climate import climate_indices
from xdpl.demo.streamflow import TEST, TRAIN, attributes_of, prepare_mopex


@pytest.fixture
def opened(sample_data):
    return data.open("mopex438_1970-1990")


@pytest.mark.data
def test_basins_and_variables(opened):
    ds = prepare_mopex()
    kept = (opened["forcing_complete"] == 1) & (opened["q_valid_fraction"] > 0.99)
    assert ds.sizes == {"time": 7305, "basin": 359} and int(kept.sum()) == 359
    np.testing.assert_array_equal(ds["basin"], opened["basin"][kept.values])
    np.testing.assert_array_equal(ds["streamflow"], opened["q"][kept.values].transpose("time", "basin"))
    middle = 0.5 * (opened["tasmin"] + opened["tasmax"])[kept.values].transpose("time", "basin")
    np.testing.assert_allclose(ds["air_temperature"], middle, rtol=1e-6)
    ds.isel(basin=[0], time=slice(30)).dpl.simulate("hbv")  # names and units are those of HBV
    assert len(attributes_of(ds)) == 76
    ever = (opened["forcing_complete"] == 1) & opened["q"].notnull().any("time")
    assert prepare_mopex(observed=0.0).sizes["basin"] == int(ever.sum()) == 415


@pytest.mark.data
def test_attributes_know_nothing_of_the_test_period(opened, monkeypatch):
    ds = prepare_mopex()
    later = (opened["time"] >= np.datetime64(TEST.start)) & opened["time"].notnull()
    series = ["pr", "tasmin", "tasmax", "evspsblpot", "q"]
    changed = opened.assign({k: opened[k].where(~later, 2.0 * opened[k] + 1.0) for k in series})
    monkeypatch.setattr(streamflow.data, "open", lambda name: changed)
    other = prepare_mopex()
    assert not other["precipitation"].equals(ds["precipitation"])
    xr.testing.assert_equal(other[attributes_of(ds)], ds[attributes_of(ds)])
    # All of them are there to be learned from, none is another by a slip.
    spans = {k: ds[k].values for k in attributes_of(ds)}
    assert all(np.isfinite(v).all() and v.std() > 0 for v in spans.values())
    assert ds["time"].sel(time=TRAIN)[-1] < np.datetime64(TEST.start)


def test_climate_indices_by_hand():
    days = 4 * 365 + 1
    time = xr.date_range("2001-01-01", periods=days, freq="D")
    phase = 2 * np.pi * (np.asarray(time.dayofyear)) / 365.25
    rain = np.where(np.arange(days) % 10 == 0, 20.0, 0.5)
    warmth = 5.0 + 12.0 * np.cos(phase - 3.4)
    series = [
        xr.DataArray(v, {"time": time}, dims="time") for v in (rain, warmth, 1.0 + 0.5 * np.cos(phase - 3.4))
    ]
    found = {k: float(v) for k, v in climate_indices(*series).items()}
    mean = rain.mean()
    assert found["mean_precipitation"] == pytest.approx(mean)
    assert found["aridity"] == pytest.approx(series[2].values.mean() / mean)
    assert found["log_aridity"] == pytest.approx(np.log(series[2].values.mean() / mean))
    assert found["snow_fraction"] == pytest.approx(rain[warmth < 0].sum() / rain.sum())
    assert found["temperature_amplitude"] == pytest.approx(12.0, rel=1e-6)
    # One wet day in ten, of 20 mm; nine days with less than 1 mm between two of them.
    assert found["high_precipitation_frequency"] == pytest.approx(147 / days)
    assert found["high_precipitation_duration"] == pytest.approx(1.0)
    assert found["low_precipitation_frequency"] == pytest.approx(1 - 147 / days)
    assert found["low_precipitation_duration"] == pytest.approx(9.0, rel=0.01)
    assert found["precipitation_spread"] == pytest.approx(rain.std())
    assert found["log_precipitation_quantile"] == pytest.approx(np.log(20.0))
    assert found["precipitation_amplitude"] < 0.05


def test_seasonality_has_the_sign_of_summer_rain():
    time = xr.date_range("2001-01-01", periods=1461, freq="D")
    phase = 2 * np.pi * np.asarray(time.dayofyear) / 365.25

    def of(shift):
        rain = xr.DataArray(2.0 + np.cos(phase - shift), {"time": time}, dims="time")
        warmth = xr.DataArray(8.0 * np.cos(phase - 3.4), {"time": time}, dims="time")
        return float(climate_indices(rain, warmth, rain)["seasonality"])

    assert of(3.4) == pytest.approx(0.5, rel=1e-3)
    assert of(3.4 + np.pi) == pytest.approx(-0.5, rel=1e-3)
    assert abs(of(3.4 + np.pi / 2)) < 1e-3
