"""Moran's I against a double loop over sites, on the globe."""

import math

import dask
import numpy as np
import pint
import pytest
import xarray as xr

from xdpl.errors import InputErrors
from xdpl.evaluation import morans_i


def placed(values, lat, lon, dims=("site",)):
    coords = {
        "lat": (dims, np.asarray(lat, float), {"units": "degrees_north"}),
        "lon": (dims, np.asarray(lon, float), {"units": "degrees_east"}),
    }
    return xr.DataArray(np.asarray(values, float), coords, dims)


def scattered(n=40, seed=0):
    rng = np.random.default_rng(seed)
    lat, lon = rng.uniform(30, 50, n), rng.uniform(-110, -80, n)
    return placed(np.sin(lat / 3) + np.cos(lon / 5) + 0.3 * rng.normal(size=n), lat, lon)


def central_angle(a, b):
    """The haversine formula."""
    (north, east), (other_north, other_east) = np.radians(a), np.radians(b)
    half = math.sin((other_north - north) / 2) ** 2
    half += math.cos(north) * math.cos(other_north) * math.sin((other_east - east) / 2) ** 2
    return 2 * math.asin(math.sqrt(half))


def by_hand(field, neighbours):
    values, places = field.values, list(zip(field.lat.values, field.lon.values, strict=True))
    z = values - values.mean()
    total = weights = 0.0
    for i, place in enumerate(places):
        order = sorted((central_angle(place, other), j) for j, other in enumerate(places) if j != i)
        near = [j for angle, j in order if angle <= order[neighbours - 1][0] + 1e-9]
        for j in near:
            total += z[i] * z[j] / len(near)
            weights += 1 / len(near)
    return len(values) / weights * total / (z**2).sum()


@pytest.mark.parametrize("neighbours", [1, 4, 8])
def test_by_hand(neighbours):
    field = scattered()
    found = morans_i(field, neighbours=neighbours)
    assert found.dims == () and found.name == "morans_i"
    assert found.attrs["units"] == "1"
    np.testing.assert_allclose(found, by_hand(field, neighbours), rtol=1e-12)


def test_a_ring_by_hand():
    """Two neighbours each, on the equator, across the date line: +1 and -1 in turn give -1."""
    lon = np.arange(0.0, 360.0, 30.0)
    alternating = placed(np.tile([1.0, -1.0], 6), np.zeros(12), lon)
    np.testing.assert_allclose(morans_i(alternating, neighbours=2), -1.0)
    # Two halves of equal values: four sites of twelve have a neighbour in the other half.
    halves = placed(np.repeat([1.0, -1.0], 6), np.zeros(12), lon)
    np.testing.assert_allclose(morans_i(halves, neighbours=2), 1 - 4 / 12)


def grid(values):
    lat, lon = 40.0 + 0.5 * np.arange(values.shape[-2]), -100.0 + 0.5 * np.arange(values.shape[-1])
    coords = {
        "lat": ("lat", lat, {"units": "degrees_north"}),
        "lon": ("lon", lon, {"units": "degrees_east"}),
    }
    extra = [f"d{i}" for i in range(values.ndim - 2)]
    return xr.DataArray(values, coords, (*extra, "lat", "lon"))


def test_a_grid_in_any_order_of_dims():
    """Sites of a grid are equally far: the result knows no first among them."""
    field = grid(np.random.default_rng(0).normal(size=(5, 7)))
    stacked = field.stack(site=("lat", "lon")).reset_index("site")
    flat = placed(stacked.values, stacked.lat.values, stacked.lon.values)
    expected = by_hand(flat, 3)
    np.testing.assert_allclose(morans_i(field, neighbours=3), expected, rtol=1e-10)
    np.testing.assert_allclose(morans_i(field.transpose(), neighbours=3), expected, rtol=1e-10)
    np.testing.assert_allclose(morans_i(field[::-1], neighbours=3), expected, rtol=1e-10)


def test_noise_has_none_and_a_slope_has_much():
    rng = np.random.default_rng(1)
    noise = morans_i(grid(rng.normal(size=(300, 8, 8))))
    np.testing.assert_allclose(noise.mean(), -1 / 63, atol=0.01)
    assert morans_i(grid(np.add.outer(np.arange(12.0), np.arange(12.0)))) > 0.85


def test_unknown_sites_are_left_out():
    field = scattered()
    gone = field.copy()
    gone[[3, 17, 30]] = np.nan
    np.testing.assert_allclose(morans_i(gone), by_hand(gone.dropna("site"), 8), rtol=1e-12)
    unplaced = field.assign_coords(lat=field.lat.where(gone.notnull()).assign_attrs(field.lat.attrs))
    np.testing.assert_allclose(morans_i(unplaced), morans_i(gone))


def test_nothing_to_say_is_nan():
    field = scattered(12)
    assert np.isnan(morans_i(xr.full_like(field, 0.1)))
    assert np.isnan(morans_i(field.where(field.lat > 100)))
    assert np.isnan(morans_i(field[:8], neighbours=8))
    assert np.isfinite(morans_i(field[:9], neighbours=8))


def test_slices_lazy_and_quantified():
    field = xr.concat([scattered(), scattered() ** 2, scattered().where(scattered() > 0)], "seed")
    expected = [float(morans_i(part.dropna("site"))) for part in field]
    found = morans_i(field.transpose("site", "seed"))
    assert found.dims == ("seed",)
    np.testing.assert_allclose(found, expected)

    def refuse(*_, **__):
        raise AssertionError("computed too early")

    with dask.config.set(scheduler=refuse):
        lazy = morans_i(field.chunk(seed=1, site=10))
    assert lazy.chunks == ((1, 1, 1),)
    np.testing.assert_allclose(lazy.compute(scheduler="synchronous"), expected)
    registry = pint.UnitRegistry()
    quantified = morans_i(field.copy(data=registry.Quantity(field.values, "m")))
    assert quantified.data.units == registry.dimensionless
    np.testing.assert_allclose(quantified.data.magnitude, expected)


def test_every_problem_at_once():
    bare = scattered().drop_vars("lat").assign_coords(lon=("site", np.zeros(40)))
    with pytest.raises(InputErrors, match="morans_i cannot run") as caught:
        morans_i(bare, neighbours=0)
    assert [e.subject for e in caught.value.exceptions] == ["latitude", "longitude", "neighbours"]
    with pytest.raises(InputErrors, match="one for each of several sites"):
        morans_i(scattered()[0])
