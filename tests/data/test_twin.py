"""The synthetic world: reproducible, true to its parameters, as noisy as asked."""

import json

import numpy as np
import pytest
import xarray as xr

import xdpl
from xdpl.data.truth import RELATIONS, USUAL
from xdpl.data.weather import daily_weather, smooth_fields
from xdpl.errors import InputErrors

SHAPE = (5, 6)


@pytest.fixture(scope="module")
def world():
    return xdpl.data.twin(SHAPE, years=2)


def truth(ds):
    """The true parameters, as `simulate` takes them."""
    names = [p.name for p in xdpl.models.get("vic").parameters]
    return xr.Dataset({n: ds[f"true_{n}"] for n in names if f"true_{n}" in ds})


def test_same_seed_same_world(world):
    xr.testing.assert_identical(xdpl.data.twin(SHAPE, years=2), world)


def test_other_seed_other_world(world):
    other = xdpl.data.twin(SHAPE, years=2, seed=1)
    assert set(other) == set(world)
    for name in world.data_vars:
        assert not other[name].equals(world[name]), name


def test_contents(world):
    assert world.sizes == {"time": 730, "lat": 5, "lon": 6}
    assert world["precipitation"].dims == ("time", "lat", "lon")
    assert {"sand", "clay", "ndvi", "elevation", "slope", "soil_moisture"} <= set(world)
    for name in world.variables:
        if name != "time":
            assert world[name].attrs["units"], name
    assert (world["precipitation"] >= 0).all()
    assert (world["potential_evapotranspiration"] >= 0).all()
    assert ((world["sand"] + world["clay"]) <= 100).all()
    assert world.dpl.check("vic").ok
    assert world.dpl.check("hbv").ok


@pytest.mark.parametrize("varying", [USUAL, tuple(RELATIONS), ("tt", "cfmax")])
def test_truth_is_in_bounds_and_varies(varying):
    world = xdpl.data.twin(SHAPE, years=1, varying=varying)
    theta = truth(world)
    assert set(theta) == set(varying)
    for p in xdpl.models.get("vic").parameters:
        if p.name in theta:
            assert ((theta[p.name] > p.lower) & (theta[p.name] < p.upper)).all(), p.name
            spread = np.log(theta[p.name]) if p.scale == "log" else theta[p.name]
            width = np.log(p.upper / p.lower) if p.scale == "log" else p.upper - p.lower
            assert spread.std() > 0.02 * width, p.name
    defaults = xdpl.models.get("vic").defaults()
    fixed = {k: v for k, v in defaults.items() if k not in theta}
    assert json.loads(world.attrs["true_defaults"]) == fixed


def test_all_parameters_of_the_model_can_vary():
    assert list(RELATIONS) == list(xdpl.models.get("vic").defaults())


def test_what_varies_is_said_in_the_source(world):
    assert "varying" not in world.attrs["source"]
    other = xdpl.data.twin((2, 2), years=1, varying={"cfmax", "d1"})
    assert other.attrs["source"].endswith("varying=('d1', 'cfmax'))")
    again = eval(other.attrs["source"].removeprefix("xdpl.data."), {"twin": xdpl.data.twin})
    xr.testing.assert_identical(again, other)


def test_varying_parameters_change_neither_weather_nor_attributes(world):
    other = xdpl.data.twin(SHAPE, years=2, varying=())
    for name in ("precipitation", "air_temperature", "potential_evapotranspiration", "sand", "ndvi"):
        xr.testing.assert_identical(other[name], world[name])
    assert not truth(other).data_vars


def test_simulating_the_truth_gives_the_truth(world):
    sim = xdpl.simulate(world, "vic", truth(world), dtype=np.float64)
    for name in ("soil_moisture", "evapotranspiration"):
        np.testing.assert_allclose(sim[name], world[f"true_{name}"], rtol=1e-6, atol=1e-7)
    wrong = xdpl.simulate(world, "vic", dtype=np.float64)
    assert np.abs(wrong["soil_moisture"] - world["true_soil_moisture"]).mean() > 0.01


@pytest.mark.parametrize(("noise", "missing"), [(0.02, 0.5), (0.05, 0.0), (0.0, 0.9)])
def test_noise_and_gaps_are_as_asked(noise, missing):
    ds = xdpl.data.twin(SHAPE, years=1, noise=noise, missing=missing)
    seen = ds["soil_moisture"].notnull()
    count = seen.size
    assert float((~seen).mean()) == pytest.approx(missing, abs=4 * np.sqrt(missing * (1 - missing) / count))
    error = (ds["soil_moisture"] - ds["true_soil_moisture"]).values[seen.values]
    assert error.std() == pytest.approx(noise, rel=4 / np.sqrt(2 * error.size), abs=1e-7)
    assert abs(error.mean()) < 4 * noise / np.sqrt(error.size) + 1e-7


def test_attributes_determine_the_truth_and_slope_does_not():
    """A world with the same seed has one truth whatever the noise."""
    a, b = (xdpl.data.twin(SHAPE, years=1, noise=n) for n in (0.0, 0.1))
    for name in a.data_vars:
        assert a[name].equals(b[name]) is (name != "soil_moisture"), name


@pytest.mark.parametrize(
    ("kwargs", "subject"),
    [
        ({"shape": (0, 3)}, "shape"),
        ({"shape": (3,)}, "shape"),
        ({"shape": (3, 3, 3)}, "shape"),
        ({"years": 0}, "years"),
        ({"noise": -0.1}, "noise"),
        ({"missing": 1.0}, "missing"),
        ({"missing": -0.1}, "missing"),
        ({"missing": float("nan")}, "missing"),
        ({"varying": ("d1", "beta")}, "varying"),
        ({"varying": "d1"}, "varying"),
    ],
)
def test_bad_arguments(kwargs, subject):
    with pytest.raises(InputErrors, match=f"{subject}: expected"):
        xdpl.data.twin(**({"shape": (2, 2), "years": 1} | kwargs))


def test_bad_arguments_are_listed_together():
    with pytest.raises(InputErrors) as caught:
        xdpl.data.twin((0, 0), years=0, noise=-1.0, missing=2.0)
    assert [e.subject for e in caught.value.exceptions] == ["shape", "years", "noise", "missing"]


@pytest.mark.parametrize("shape", [(1, 1), (1, 4)])
def test_small_worlds(shape):
    ds = xdpl.data.twin(shape, years=1)
    assert ds["true_soil_moisture"].notnull().all()


@pytest.mark.parametrize("engine", ["h5netcdf", "zarr"])
def test_writes_as_it_is(world, engine, tmp_path):
    if engine == "zarr":
        world.to_zarr(tmp_path / "twin", zarr_format=2, consolidated=True)
    else:
        world.to_netcdf(tmp_path / "twin", engine=engine)
    with xr.open_dataset(tmp_path / "twin", engine=engine) as back:
        xr.testing.assert_identical(back.load(), world)


def test_weather_is_seeded_and_plausible():
    time = xr.DataArray(np.arange("2001", "2004", dtype="M8[D]").astype("M8[ns]"), dims="time")
    first, again = (daily_weather(np.random.default_rng(3), time, (3, 3)) for _ in range(2))
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
    wet = first["precipitation"] > 0
    assert 0.05 < wet.mean() < 0.6
    assert 50 < 365 * first["precipitation"].mean() < 3000
    summer = first["air_temperature"][180:200].mean()
    assert summer > first["air_temperature"][:20].mean() + 10


def test_smooth_fields_are_smooth_and_standard():
    fields = smooth_fields(np.random.default_rng(0), 400, (12, 12), 4.0)
    assert fields.shape == (400, 12, 12)
    assert fields.mean() == pytest.approx(0.0, abs=0.15)
    assert fields.var() == pytest.approx(1.0, abs=0.15)
    neighbours = np.mean(fields[:, 1:, :] * fields[:, :-1, :])
    assert neighbours == pytest.approx(np.exp(-0.5 / 16) * fields.var(), abs=0.05)
