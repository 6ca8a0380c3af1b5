"""Agreement with pyet, an independent implementation; it takes latitude in radians."""

import numpy as np
import pandas as pd
import pytest

from xdpl import evaporation as ev

pyet = pytest.importorskip("pyet")

DAYS = pd.date_range("2015-01-01", "2016-12-31")
DOY = DAYS.dayofyear.to_numpy(dtype=float)
RNG = np.random.default_rng(4)
SEASON = np.sin(2 * np.pi * (DOY - 110) / 365)
MEAN = 8.0 + 14.0 * SEASON + RNG.normal(0, 4, DAYS.size)
LOW, HIGH = MEAN - RNG.uniform(0.5, 9, DAYS.size), MEAN + RNG.uniform(0.5, 9, DAYS.size)
NET = 7.0 + 8.0 * SEASON + RNG.normal(0, 3, DAYS.size)
WIND = RNG.uniform(0.0, 8.0, DAYS.size)
HUMID = RNG.uniform(0.2, 1.0, DAYS.size)
PRESSURE = RNG.uniform(70.0, 102.0, DAYS.size)
# pyet writes pi with ten digits.
RTOL = 1e-9
LATITUDES = [-75.0, -33.5, 0.0, 47.2, 66.0, 80.0]


def series(values):
    return pd.Series(values, DAYS)


def radiation(latitude):
    return ev.extraterrestrial_radiation(np.asarray([latitude]), DOY)


@pytest.mark.parametrize("latitude", LATITUDES)
def test_extraterrestrial_radiation(latitude):
    theirs = pyet.extraterrestrial_r(DAYS, np.deg2rad(latitude)).to_numpy()
    np.testing.assert_allclose(radiation(latitude), theirs, rtol=RTOL, atol=1e-12)


@pytest.mark.parametrize("latitude", LATITUDES)
def test_oudin(latitude):
    theirs = pyet.oudin(series(MEAN), np.deg2rad(latitude)).to_numpy()
    # pyet takes the latent heat at the air temperature, the paper 2.45 MJ kg-1.
    heat = ev.latent_heat_of_vaporisation(MEAN)
    ours = ev.oudin(MEAN, radiation(latitude), latent_heat=heat)
    np.testing.assert_allclose(ours, theirs, rtol=RTOL, atol=1e-12)
    np.testing.assert_allclose(ev.oudin(MEAN, radiation(latitude)), theirs, rtol=0.05, atol=1e-12)


@pytest.mark.parametrize("latitude", LATITUDES)
def test_hargreaves(latitude):
    mean = 0.5 * (LOW + HIGH)
    theirs = pyet.hargreaves(series(mean), series(HIGH), series(LOW), np.deg2rad(latitude)).to_numpy()
    heat = ev.latent_heat_of_vaporisation(mean)
    ours = ev.hargreaves(LOW, HIGH, radiation(latitude), latent_heat=heat)
    np.testing.assert_allclose(ours, theirs, rtol=RTOL, atol=1e-12)
    np.testing.assert_allclose(ev.hargreaves(LOW, HIGH, radiation(latitude)), theirs, rtol=0.05, atol=1e-12)


def test_priestley_taylor():
    theirs = pyet.priestley_taylor(series(MEAN), rn=series(NET), pressure=series(PRESSURE)).to_numpy()
    assert (theirs == 0).any() and (theirs > 3).any()
    np.testing.assert_allclose(ev.priestley_taylor(MEAN, NET, PRESSURE), theirs, rtol=RTOL)


@pytest.mark.parametrize("elevation", [0.0, 350.0, 2800.0])
def test_priestley_taylor_at_an_elevation(elevation):
    theirs = pyet.priestley_taylor(series(MEAN), rn=series(NET), elevation=elevation).to_numpy()
    ours = ev.priestley_taylor(MEAN, NET, ev.pressure_from_elevation(np.asarray([elevation])))
    np.testing.assert_allclose(ours, theirs, rtol=RTOL)


@pytest.mark.parametrize("ends", [True, False])
def test_fao56(ends):
    if ends:
        both = ev.saturation_vapour_pressure(np.stack([LOW, HIGH]))
        saturation, temperatures = both.mean(axis=0), {"tmin": series(LOW), "tmax": series(HIGH)}
    else:
        saturation, temperatures = ev.saturation_vapour_pressure(MEAN), {}
    actual = HUMID * saturation
    theirs = pyet.pm_fao56(
        series(MEAN),
        series(WIND),
        rn=series(NET),
        pressure=series(PRESSURE),
        ea=series(actual),
        **temperatures,
    ).to_numpy()
    assert (theirs > 5).any()
    ours = ev.penman_monteith(MEAN, NET, WIND, saturation, actual, PRESSURE)
    np.testing.assert_allclose(ours, theirs, rtol=RTOL)
