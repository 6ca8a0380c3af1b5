import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from xdpl.errors import InputErrors
from xdpl.evaluation import contiguous_bands, random_folds


@pytest.fixture
def grid():
    rng = np.random.default_rng(3)
    values = rng.random((6, 7))
    values[rng.random((6, 7)) < 0.3] = np.nan
    coords = {"lat": ("lat", np.linspace(50, 40, 6), {"units": "degrees_north"}), "lon": np.arange(7.0)}
    return xr.DataArray(values, coords, ("lat", "lon"), "elevation", {"units": "m", "silly": 1})


masks = hnp.arrays(bool, st.tuples(st.integers(1, 8), st.integers(1, 8))).filter(lambda m: m.sum() >= 2)


def check_partition(labels, valid, k):
    labels, valid = np.asarray(labels), np.asarray(valid)
    assert (labels[~valid] == -1).all()
    sizes = np.bincount(labels[valid], minlength=k)
    assert len(sizes) == k
    assert sizes.sum() == valid.sum()
    assert np.ptp(sizes) <= 1


@given(masks, st.data())
def test_folds_and_bands_partition_the_sites(mask, data):
    k = data.draw(st.integers(2, int(mask.sum())))
    template = xr.DataArray(mask, {"x": np.arange(mask.shape[1])}, ("y", "x"))
    check_partition(random_folds(template, k, seed=data.draw(st.integers(0, 9))), mask, k)
    bands = contiguous_bands(template, "x", k)
    check_partition(bands, mask, k)
    x = np.broadcast_to(np.arange(mask.shape[1]), mask.shape)
    for band in range(k - 1):
        assert x[bands.values == band].max() <= x[bands.values == band + 1].min()


@pytest.mark.parametrize("split", [random_folds, lambda t, k: contiguous_bands(t, "lon", k)])
def test_labels_over_the_template(grid, split):
    labels = split(grid, 4)
    check_partition(labels, grid.notnull(), 4)
    assert labels.dtype == np.int64
    assert labels.dims == ("lat", "lon")
    assert labels.name == "fold"
    assert set(labels.attrs) == {"long_name"}
    assert labels.lat.attrs == {"units": "degrees_north"}
    xr.testing.assert_identical(labels, split(grid.notnull(), 4))
    xr.testing.assert_identical(labels, split(grid.transpose(), 4).transpose())
    xr.testing.assert_identical(labels, split(grid.chunk(lat=2), 4))


def test_seed_decides(grid):
    xr.testing.assert_identical(random_folds(grid, 4, seed=7), random_folds(grid, 4, seed=7))
    assert not random_folds(grid, 4, seed=7).equals(random_folds(grid, 4, seed=8))


def test_integers_are_all_sites():
    check_partition(random_folds(xr.DataArray(np.zeros(11, int), dims="site"), 3), np.ones(11, bool), 3)


def test_bands_by_hand():
    lon = [30.0, -10, 20, 0, 10, 5, 99]
    template = xr.DataArray([1.0, 1, 1, 1, 1, 1, np.nan], {"lon": ("site", lon)}, "site")
    np.testing.assert_array_equal(contiguous_bands(template, "lon", 3), [2, 0, 2, 0, 1, 1, -1])


def test_a_shared_column_is_cut_once():
    template = xr.DataArray(np.ones((4, 3)), {"lon": [0, 1, 2]}, ("lat", "lon"))
    bands = contiguous_bands(template, "lon", 2)
    np.testing.assert_array_equal(bands, [[0, 0, 1], [0, 0, 1], [0, 1, 1], [0, 1, 1]])


def test_bands_along_two_dimensional_coordinate(grid):
    tilted = grid.assign_coords(south=-(grid.lat + 0.1 * grid.lon))
    bands = contiguous_bands(tilted, "south", 3)
    check_partition(bands, grid.notnull(), 3)
    for band in range(2):
        below, above = (tilted.south.values[bands.values == b] for b in (band, band + 1))
        assert below.max() < above.min()


def test_missing_coordinate_matters_at_sites_only():
    template = xr.DataArray([1.0, 1.0, np.nan], {"lon": ("site", [1.0, 2.0, np.nan])}, "site")
    np.testing.assert_array_equal(contiguous_bands(template, "lon", 2), [0, 1, -1])
    with pytest.raises(InputErrors, match="known at every site, got missing at 1 sites"):
        contiguous_bands(template.fillna(1.0), "lon", 2)


@pytest.mark.parametrize("k", [-1, 0, 1, 4])
def test_k_out_of_range(k):
    template = xr.DataArray([1.0, 1.0, 1.0, np.nan], {"site": np.arange(4)}, ("site",))
    for split in (lambda: random_folds(template, k), lambda: contiguous_bands(template, "site", k)):
        with pytest.raises(InputErrors, match=f"k: expected 2 to 3, the number of sites, got {k};"):
            split()


def test_all_problems_are_listed(grid):
    series = grid.expand_dims(time=3).assign_coords(height=2.0)
    for coord, got in {"longitude": "not a coordinate", "height": "a scalar"}.items():
        with pytest.raises(InputErrors, match=got) as caught:
            contiguous_bands(series, coord, k=1)
        assert [e.subject for e in caught.value.exceptions] == ["template", "k", "coord"]
    with pytest.raises(InputErrors, match="static field"):
        random_folds(xr.DataArray(1.0))
