"""The nugget against a variogram written as loops, and against fields whose nugget is known."""

import dask
import numpy as np
import pint
import pytest
import xarray as xr
from scipy.optimize import minimize

from xdpl.errors import InputErrors
from xdpl.evaluation import nugget

EARTH = 6371.0


def placed(values, lat, lon):
    coords = {
        "lat": ("site", np.asarray(lat, float), {"units": "degrees_north"}),
        "lon": ("site", np.asarray(lon, float), {"units": "degrees_east"}),
    }
    return xr.DataArray(np.asarray(values, float), coords, "site")


def distances(lat, lon):
    """Great-circle distances (site, site) in km, by the haversine formula."""
    north, east = np.radians(lat), np.radians(lon)
    half = np.sin((north[:, None] - north) / 2) ** 2
    half += np.cos(north)[:, None] * np.cos(north) * np.sin((east[:, None] - east) / 2) ** 2
    return 2 * EARTH * np.arcsin(np.sqrt(half))


def made(fraction, n=250, length=300.0, seed=0):
    """A Gaussian field with an exponential variogram of sill 1 and a nugget."""
    rng = np.random.default_rng(seed)
    lat, lon = rng.uniform(30, 45, n), rng.uniform(-110, -90, n)
    covariance = (1 - fraction) * np.exp(-distances(lat, lon) / length) + fraction * np.eye(n)
    return placed(np.linalg.cholesky(covariance) @ rng.normal(size=n), lat, lon)


@pytest.mark.parametrize("seed", [2, 7])
def test_by_hand(seed):
    field = made(0.3, n=40, seed=seed)
    found = nugget(field, classes=6)
    apart = distances(field.lat.values, field.lon.values)
    limit = apart.max() / 2
    pairs = [[] for _ in range(6)]
    for i in range(40):
        for j in range(i):
            if apart[i, j] <= limit:
                which = min(int(6 * apart[i, j] / limit), 5)
                pairs[which].append((apart[i, j], (field.values[i] - field.values[j]) ** 2 / 2))
    h, gamma = np.array([np.mean(p, axis=0) for p in pairs if p]).T
    count = np.array([len(p) for p in pairs if p])

    def misfit(coefficients):
        c0, c1, length = np.exp(coefficients)
        return (count * (gamma - c0 - c1 * (1 - np.exp(-h / length))) ** 2).sum() / count.sum()

    c0, c1, length = np.exp(minimize(misfit, np.log([0.3, 0.7, 300.0]), method="Nelder-Mead", tol=1e-12).x)
    assert h[0] < length < limit
    np.testing.assert_allclose(found["correlation_length"], length, rtol=0.02)
    np.testing.assert_allclose(found["nugget_fraction"], c0 / (c0 + c1), atol=0.01)
    assert found["correlation_length"].attrs["units"] == "km"


@pytest.mark.parametrize(("fraction", "low", "high"), [(0.0, 0.0, 0.2), (0.4, 0.3, 0.5), (1.0, 0.85, 1.0)])
def test_a_known_nugget_is_found(fraction, low, high):
    found = [float(nugget(made(fraction, seed=s))["nugget_fraction"]) for s in range(6)]
    assert low <= np.mean(found) <= high


def test_units_do_not_matter():
    field = made(0.3, n=80)
    xr.testing.assert_allclose(nugget(1e-6 * field + 3.0), nugget(field), rtol=1e-4)


def test_many_sites_are_taken_in_tiles(monkeypatch):
    field = made(0.3, n=80)
    whole = nugget(field)
    monkeypatch.setattr("xdpl.evaluation.spatial.variogram._TILE", 7)
    xr.testing.assert_allclose(nugget(field), whole)


def test_largest_distance():
    field = made(0.5, n=80)
    near = field[(field.lat < 38) & (field.lon < -100)]
    furthest = 0.5 * distances(near.lat.values, near.lon.values).max()
    xr.testing.assert_allclose(nugget(near, furthest=furthest), nugget(near))
    assert nugget(field, furthest=500.0)["correlation_length"] <= 500.0


def test_slices_lazy_quantified_and_unknown_sites():
    one, other = made(0.2, n=60), made(0.2, n=60) ** 2
    other[:9] = np.nan
    field = xr.concat([one, other], "seed")
    expected = xr.concat([nugget(one), nugget(other[9:])], "seed", coords="minimal", compat="override")
    xr.testing.assert_allclose(nugget(field), expected)

    def refuse(*_, **__):
        raise AssertionError("computed too early")

    with dask.config.set(scheduler=refuse):
        lazy = nugget(field.chunk(seed=1, site=20))
    assert lazy["nugget_fraction"].chunks == ((1, 1),)
    xr.testing.assert_allclose(lazy.compute(scheduler="synchronous"), expected)
    registry = pint.UnitRegistry()
    quantified = nugget(field.copy(data=registry.Quantity(field.values, "m")))
    assert quantified["correlation_length"].data.units == registry.Unit("km")


def test_nothing_to_say_is_nan():
    field = made(0.3, n=30)
    for empty in (xr.zeros_like(field), field.where(field.lat > 90), field[:2]):
        assert nugget(empty).isnull().all().to_array().all()


def test_every_problem_at_once():
    bare = made(0.3, n=30).drop_vars("lat")
    with pytest.raises(InputErrors, match="nugget cannot run") as caught:
        nugget(bare, classes=2, furthest=-1.0)
    assert [e.subject for e in caught.value.exceptions] == ["latitude", "classes", "furthest"]
