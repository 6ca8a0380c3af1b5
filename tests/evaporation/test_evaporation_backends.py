"""Every formula in every namespace; gradients finite at the corners."""

import array_api_compat
import numpy as np
import pytest

from xdpl import evaporation as ev

T = np.asarray([-40.0, -5.0, 0.0, 12.5, 20.0, 45.0])
LATITUDE = np.asarray([-90.0, -66.5, 0.0, 45.0, 70.0, 90.0])
DAY = np.asarray([1.0, 80.0, 172.0, 266.0, 355.0, 366.0])
SHORT = np.asarray([0.0, 50.0, 100.0, 200.0, 300.0, 400.0])
LONG = np.asarray([150.0, 200.0, 300.0, 320.0, 350.0, 450.0])
WIND = np.asarray([0.0, 0.1, 1.0, 2.0, 5.0, 20.0])
Q = np.asarray([0.0, 1e-4, 2e-3, 5e-3, 0.01, 0.02])
P = np.asarray([60.0, 70.0, 80.0, 90.0, 100.0, 105.0])
REACH = np.asarray([0.0, -1.0, 5.0, 10.0, 15.0, 20.0])

CASES = {
    "extraterrestrial_radiation": (ev.extraterrestrial_radiation, (LATITUDE, DAY)),
    "hargreaves": (ev.hargreaves, (T, T + REACH, SHORT / 10)),
    "inverse_relative_distance": (ev.inverse_relative_distance, (DAY,)),
    "latent_heat_of_vaporisation": (ev.latent_heat_of_vaporisation, (T,)),
    "megajoules_per_day": (ev.megajoules_per_day, (SHORT,)),
    "net_radiation": (ev.net_radiation, (SHORT, LONG, T)),
    "oudin": (ev.oudin, (T, SHORT / 10)),
    "penman_monteith": (ev.penman_monteith, (T, SHORT / 20 - 2, WIND, 0.1 * P, 0.05 * P, P)),
    "pressure_from_elevation": (ev.pressure_from_elevation, (10 * LONG,)),
    "priestley_taylor": (ev.priestley_taylor, (T, SHORT / 20 - 2, P)),
    "psychrometric_constant": (ev.psychrometric_constant, (P,)),
    "saturation_slope": (ev.saturation_slope, (T,)),
    "saturation_vapour_pressure": (ev.saturation_vapour_pressure, (T,)),
    "solar_declination": (ev.solar_declination, (DAY,)),
    "sunset_hour_angle": (ev.sunset_hour_angle, (LATITUDE, ev.solar_declination(DAY))),
    "vapour_pressure_from_specific_humidity": (ev.vapour_pressure_from_specific_humidity, (Q, P)),
    "wind_at_two_metres": (ev.wind_at_two_metres, (WIND,)),
    "wind_speed": (ev.wind_speed, (WIND - 1.0, WIND[::-1] - 20.0)),
}


def test_every_function_has_a_case():
    assert sorted(CASES) == sorted(ev.__all__)
    assert ev.__all__ == sorted(ev.__all__)


@pytest.fixture(params=["numpy", "read-only", "array_api_strict", "torch", "dask"])
def make(request):
    name = request.param

    def read_only(x):
        x = x.copy()
        x.flags.writeable = False
        return x

    if name == "numpy":
        return np.asarray
    if name == "read-only":
        return read_only
    if name == "dask":
        array = pytest.importorskip("dask.array")
        return lambda x: array.from_array(x, chunks=2)
    return pytest.importorskip(name).asarray


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES)
def test_namespaces_agree(case, make, dtype):
    function, args = CASES[case]
    result = function(*(make(a.astype(dtype)) for a in args))
    assert type(result) is type(make(T))
    values = np.asarray(result.compute() if hasattr(result, "compute") else result)
    assert values.dtype == dtype
    assert np.isfinite(values).all()
    expected = function(*args)
    assert expected.std() > 0
    rtol = 1e-12 if dtype == np.float64 else 2e-5
    np.testing.assert_allclose(values, expected, rtol=rtol, atol=1e-5 if dtype == np.float32 else 1e-14)


@pytest.mark.parametrize("case", CASES)
def test_inputs_are_not_changed(case):
    function, args = CASES[case]
    copies = [a.copy() for a in args]
    function(*copies)
    for before, after in zip(args, copies, strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES)
def test_gradients_are_finite(case, dtype):
    torch = pytest.importorskip("torch")
    function, args = CASES[case]
    tensors = [torch.tensor(a, dtype=getattr(torch, dtype), requires_grad=True) for a in args]
    function(*tensors).sum().backward()
    for tensor in tensors:
        assert torch.isfinite(tensor.grad).all()
    assert any((tensor.grad != 0).any() for tensor in tensors)


def test_a_calm_has_a_finite_gradient():
    torch = pytest.importorskip("torch")
    calm = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    ev.wind_speed(calm, calm * 2).sum().backward()
    assert calm.grad == 0


SMOOTH = {
    "extraterrestrial_radiation": ([-30.0, 50.0], [40.0, 200.0]),
    "hargreaves": ([5.0, 10.0], [12.0, 30.0], [20.0, 40.0]),
    "net_radiation": ([100.0, 300.0], [200.0, 350.0], [-3.0, 25.0]),
    "oudin": ([3.0, 20.0], [20.0, 40.0]),
    "penman_monteith": ([5.0, 20.0], [8.0, 15.0], [1.0, 3.0], [0.9, 2.3], [0.5, 1.5], [90.0, 100.0]),
    "priestley_taylor": ([5.0, 20.0], [8.0, 15.0], [90.0, 100.0]),
    "vapour_pressure_from_specific_humidity": ([0.003, 0.01], [90.0, 100.0]),
    "wind_speed": ([1.0, -2.0], [0.5, 3.0]),
}


@pytest.mark.parametrize("case", SMOOTH)
def test_gradients_match_finite_differences(case):
    torch = pytest.importorskip("torch")
    tensors = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in SMOOTH[case]]
    assert torch.autograd.gradcheck(CASES[case][0], tensors)


def test_latitude_and_day_broadcast():
    grid = ev.extraterrestrial_radiation(LATITUDE[:, None], DAY[None, :])
    assert grid.shape == (6, 6)
    for i, latitude in enumerate(LATITUDE):
        row = ev.extraterrestrial_radiation(np.full(6, latitude), DAY)
        np.testing.assert_allclose(grid[i], row, rtol=1e-14, atol=1e-14)


def test_dask_stays_dask():
    array = pytest.importorskip("dask.array")
    result = ev.oudin(array.from_array(T, chunks=2), array.from_array(SHORT, chunks=2))
    assert array_api_compat.is_dask_array(result)
    assert result.numblocks == (3,)
