"""Worked examples of FAO-56 and equations that can be solved by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xdpl import evaporation as ev
from xdpl.evaporation.humidity import SEA_LEVEL_PRESSURE


def one(x):
    return np.asarray([x], dtype=float)


def test_example_2_pressure_and_psychrometric_constant():
    pressure = ev.pressure_from_elevation(one(1800.0))
    np.testing.assert_allclose(pressure, 81.8, atol=0.05)
    np.testing.assert_allclose(ev.psychrometric_constant(pressure), 0.054, atol=0.0005)
    assert ev.pressure_from_elevation(one(0.0))[0] == SEA_LEVEL_PRESSURE


def test_example_3_saturation():
    es = ev.saturation_vapour_pressure(np.asarray([24.5, 15.0]))
    np.testing.assert_allclose(es, [3.075, 1.705], atol=0.001)
    np.testing.assert_allclose(es.mean(), 2.39, atol=0.005)


def test_slope_is_the_derivative_of_saturation():
    t, h = np.linspace(-40.0, 50.0, 31), 1e-4
    difference = (ev.saturation_vapour_pressure(t + h) - ev.saturation_vapour_pressure(t - h)) / (2 * h)
    np.testing.assert_allclose(ev.saturation_slope(t), difference, rtol=3e-4)


def test_example_8_extraterrestrial_radiation():
    day = one(246.0)  # 3 September
    declination = ev.solar_declination(day)
    np.testing.assert_allclose(ev.inverse_relative_distance(day), 0.985, atol=5e-4)
    np.testing.assert_allclose(declination, 0.120, atol=1e-3)
    np.testing.assert_allclose(ev.sunset_hour_angle(one(-20.0), declination), 1.527, atol=5e-4)
    np.testing.assert_allclose(ev.extraterrestrial_radiation(one(-20.0), day), 32.2, atol=0.05)


def test_example_14_wind():
    np.testing.assert_allclose(ev.wind_at_two_metres(one(3.2), 10.0), 2.4, atol=0.05)
    # The coefficients of eq. 47 are rounded.
    np.testing.assert_allclose(ev.wind_at_two_metres(one(3.2), 2.0), 3.2, rtol=1e-3)


def test_wind_below_the_profile_raises():
    with pytest.raises(ValueError, match=r"height: expected more than 0\.0947 m, got 0\.01"):
        ev.wind_at_two_metres(one(3.2), 0.01)


def test_example_17_bangkok():
    es = ev.saturation_vapour_pressure(np.asarray([34.8, 25.6])).mean(keepdims=True)
    args = (one(30.2), one(14.33), one(2.0), es, one(2.85), ev.pressure_from_elevation(one(2.0)))
    np.testing.assert_allclose(ev.penman_monteith(*args, soil_heat=0.14), 5.72, atol=0.01)


def test_example_18_uccle():
    high, low = ev.saturation_vapour_pressure(np.asarray([21.5, 12.3]))
    saturation, actual = 0.5 * (high + low), 0.5 * (low * 0.84 + high * 0.63)
    wind = ev.wind_at_two_metres(one(10.0 / 3.6))
    np.testing.assert_allclose(wind, 2.078, atol=5e-4)
    assert (round(saturation, 3), round(actual, 3)) == (1.997, 1.409)
    pressure = ev.pressure_from_elevation(one(100.0))
    et0 = ev.penman_monteith(one(16.9), one(13.28), wind, one(saturation), one(actual), pressure)
    np.testing.assert_allclose(et0, 3.88, atol=0.01)


def test_example_20_lyon():
    ra = ev.extraterrestrial_radiation(one(45.72), one(196.0))
    np.testing.assert_allclose(ra, 40.55, atol=0.1)
    np.testing.assert_allclose(ev.hargreaves(one(14.8), one(26.6), ra), 5.0, atol=0.06)


def test_oudin_by_hand():
    pe = ev.oudin(np.asarray([-10.0, -5.0, 0.0, 20.0]), np.full(4, 24.5))
    np.testing.assert_allclose(pe, [0.0, 0.0, 0.5, 2.5], rtol=1e-12)


def test_priestley_taylor_by_hand():
    slope = 4098 * 0.6108 * math.exp(17.27 * 20 / 257.3) / 257.3**2
    expected = 1.26 * slope / (slope + 0.665e-3 * 90.0) * (15.0 - 1.0) / (2.501 - 2.361e-3 * 20.0)
    got = ev.priestley_taylor(one(20.0), one(15.0), one(90.0), soil_heat=1.0)
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_net_radiation_by_hand():
    # A surface at 0 degC emits 315.66 W m-2.
    np.testing.assert_allclose(ev.net_radiation(one(100.0), one(300.0), one(0.0)), 77.0 - 15.66, atol=0.01)
    grey = ev.net_radiation(one(100.0), one(300.0), one(0.0), albedo=0.5, emissivity=0.9)
    np.testing.assert_allclose(grey, 50.0 - 0.9 * 15.66, atol=0.01)
    np.testing.assert_allclose(ev.megajoules_per_day(one(100.0)), 8.64, rtol=1e-12)


def test_vapour_pressure_inverts_specific_humidity():
    e, p = np.asarray([0.1, 1.0, 4.0]), 90.0
    q = 0.622 * e / (p - 0.378 * e)
    np.testing.assert_allclose(ev.vapour_pressure_from_specific_humidity(q, p), e, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("pole", [-90.0, 90.0])
def test_polar_day_and_night(pole, dtype):
    days = np.asarray([172.0, 355.0], dtype=dtype)  # the solstices
    latitude = np.asarray([pole], dtype=dtype)
    angle = ev.sunset_hour_angle(latitude, ev.solar_declination(days))
    radiation = ev.extraterrestrial_radiation(latitude, days)
    summer, winter = (0, 1) if pole > 0 else (1, 0)
    np.testing.assert_allclose(angle[[summer, winter]], [math.pi, 0.0], rtol=1e-6)
    assert radiation.dtype == dtype
    assert radiation[winter] == 0.0
    # At the pole the sun circles at the height of its declination: S sin(declination).
    expected = 24 * 60 * 0.082 * (0.967 if pole > 0 else 1.0325) * math.sin(0.409)
    np.testing.assert_allclose(radiation[summer], expected, rtol=1e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(latitude=st.floats(-90, 90), day=st.integers(1, 366))
def test_extraterrestrial_radiation_is_bounded(latitude, day, dtype):
    ra = ev.extraterrestrial_radiation(np.asarray([latitude], dtype=dtype), np.asarray([day], dtype=dtype))
    assert -1e-4 < ra[0] < 48.6


def test_missing_values_stay_missing():
    nan, x = one(np.nan), one(10.0)
    results = [
        ev.wind_speed(nan, x),
        ev.wind_speed(x, nan),
        ev.extraterrestrial_radiation(nan, x),
        ev.oudin(nan, x),
        ev.oudin(x, nan),
        ev.hargreaves(nan, x, x),
        ev.hargreaves(x, nan, x),
        ev.hargreaves(x, x + 5, nan),
        ev.priestley_taylor(x, nan, x),
        ev.penman_monteith(x, x, nan, x, x, x),
        ev.penman_monteith(x, x, x, x, nan, x),
    ]
    assert np.isnan(results).all()


def test_negative_values_are_zero():
    low = one(-200.0)
    assert ev.priestley_taylor(one(5.0), low, 100.0) == 0.0
    assert ev.penman_monteith(one(5.0), low, one(1.0), one(0.8), one(0.8), 100.0) == 0.0
    assert ev.hargreaves(one(-30.0), one(-20.0), one(10.0)) == 0.0
    assert ev.hargreaves(one(20.0), one(19.0), one(10.0)) == 0.0
    assert ev.oudin(one(20.0), one(-1e-9)) == 0.0
