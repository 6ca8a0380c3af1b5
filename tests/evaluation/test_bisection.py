import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from xdpl.errors import InputErrors
from xdpl.evaluation import contiguous_regions


def basins(lat, lon):
    coords = {"lat": ("basin", np.asarray(lat, float)), "lon": ("basin", np.asarray(lon, float))}
    return xr.DataArray(np.ones(len(lat)), coords, "basin")


def apart(a, b):
    """Two boxes, (lat, lon) rows, on two sides of a line; sites on it are shared."""
    return any(p[:, i].max() <= q[:, i].min() for i in (0, 1) for p, q in ((a, b), (b, a)))


places = st.tuples(st.integers(-8, 8), st.integers(-8, 8))


@given(st.lists(places, min_size=2, max_size=40), st.data())
def test_regions_partition_the_sites_and_lie_apart(found, data):
    k = data.draw(st.integers(2, len(found)))
    points = np.array(found, float) * [5, 10]
    labels = contiguous_regions(basins(*points.T), k=k).values
    sizes = np.bincount(labels)
    assert len(sizes) == k and sizes.sum() == len(found) and np.ptp(sizes) <= 1
    boxes = [points[labels == i] for i in range(k)]
    assert all(apart(a, b) for i, a in enumerate(boxes) for b in boxes[:i])


@given(st.integers(2, 6), st.integers(2, 6), st.data())
def test_a_transposed_grid_has_the_same_regions(rows, columns, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 9)))
    mask = rng.random((rows, columns)) < 0.8
    mask.flat[:2] = True
    coords = {"lat": np.linspace(30, 40, rows), "lon": np.linspace(0, 20, columns)}
    template = xr.DataArray(mask, coords, ("lat", "lon"))
    k = data.draw(st.integers(2, int(mask.sum())))
    labels = contiguous_regions(template, k=k)
    assert ((labels.values == -1) == ~mask).all()
    assert labels.dims == ("lat", "lon")
    xr.testing.assert_identical(contiguous_regions(template.transpose(), k=k).transpose(), labels)


def test_regions_by_hand():
    # Far from the equator 35 degrees of longitude are shorter than 15 of latitude.
    square = basins([60, 60, 75, 75], [0, 35, 0, 35])
    np.testing.assert_array_equal(contiguous_regions(square, k=2), [0, 0, 1, 1])
    np.testing.assert_array_equal(
        contiguous_regions(basins([0, 0, 15, 15], [0, 35, 0, 35]), k=2), [0, 1, 0, 1]
    )
    # Three regions of seven sites in a row: two in the first, then two and three.
    np.testing.assert_array_equal(contiguous_regions(basins([0] * 7, range(7)), k=3), [0, 0, 1, 1, 2, 2, 2])


def test_a_shared_row_is_cut_once():
    template = xr.DataArray(np.ones((3, 4)), {"lat": [0, 40, 80], "lon": [0, 1, 2, 3]}, ("lat", "lon"))
    expected = [[0, 0, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]]
    np.testing.assert_array_equal(contiguous_regions(template, k=2), expected)


@pytest.mark.parametrize("k", [2, 3, 5, 7, 12])
def test_regions_of_a_grid_are_in_one_piece(k):
    coords = {"lat": np.linspace(25, 50, 26), "lon": np.linspace(-125, -67, 59)}
    labels = contiguous_regions(xr.DataArray(np.ones((26, 59)), coords, ("lat", "lon")), k=k)
    assert [ndimage.label(labels.values == i)[1] for i in range(k)] == [1] * k


def test_other_names_and_two_dimensional_coordinates():
    north, east = np.meshgrid([1.0, 2, 3], [10.0, 20], indexing="ij")
    named = {"latitude": (("y", "x"), north), "longitude": (("y", "x"), east)}
    labels = contiguous_regions(xr.DataArray(np.ones((3, 2)), named, ("y", "x")), "latitude", "longitude", 2)
    np.testing.assert_array_equal(labels, [[0, 1]] * 3)


def test_all_problems_are_listed():
    template = basins([1, 2, 3], [1, 2, 3])
    with pytest.raises(InputErrors) as caught:
        contiguous_regions(template.expand_dims(time=2), "south", "west", k="many")
    assert [e.subject for e in caught.value.exceptions] == ["template", "k", "lat", "lon"]
    with pytest.raises(InputErrors, match="latitudes from -90 to 90 degrees_north, got 100000 to 300000"):
        contiguous_regions(template.assign_coords(lat=template["lat"] * 1e5), k=2)
