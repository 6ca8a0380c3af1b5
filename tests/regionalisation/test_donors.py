import numpy as np
import pytest

from xdpl.labelled.globe import unit_vectors
from xdpl.models import Parameter
from xdpl.networks.scaling import Moments
from xdpl.regionalisation import donors as module
from xdpl.regionalisation.donors import Donors

LINEAR = Parameter("a", 0.0, 100.0, "mm", 15.0)
LOG = Parameter("k", 0.01, 100.0, "d-1", 1.0, "", "log")
VALUES = np.array([[10.0, 1.0], [20.0, 10.0], [30.0, 0.1], [40.0, 100.0]])
# Deviations of 3 and 0.5: the second column counts six times as much as its numbers say.
COLUMNS = np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 1.0], [6.0, 1.0]])


def donors(count=2, average="outputs", columns=COLUMNS):
    return Donors.of((LINEAR, LOG), VALUES, columns, Moments.of(columns), count, average)


def test_normalised_distances_by_hand(backend):
    # From (2, 0.4), in deviations: 0.67 and 0.8 to the first, 1.33 and 0.8 to the second,
    # 0.67 and 1.2 to the third, 1.33 and 1.2 to the last.
    found = donors(4).nearest(backend.xp, backend.array(np.array([[2.0, 0.4], [6.0, 1.0]])))
    np.testing.assert_array_equal(backend.numpy(found), [[0, 2, 1, 3], [3, 1, 2, 0]])


def test_complete_sets_of_the_nearest(backend):
    one = donors()
    a, k = (backend.numpy(v) for v in one(backend.xp, backend.array(np.array([[2.0, 0.4], [6.0, 1.0]]))))
    np.testing.assert_array_equal(a, [[10.0, 30.0], [40.0, 20.0]])
    np.testing.assert_array_equal(k, [[1.0, 0.1], [100.0, 10.0]])
    assert one.members == 2


def test_mean_of_parameters_and_of_logarithms(backend):
    one = donors(3, "parameters")
    a, k = (backend.numpy(v) for v in one(backend.xp, backend.array(np.array([[2.0, 0.4]]))))
    np.testing.assert_allclose(a, [20.0], rtol=1e-12)
    np.testing.assert_allclose(k, [(1.0 * 0.1 * 10.0) ** (1 / 3)], rtol=1e-12)
    assert one.members == 1


@pytest.mark.parametrize("average", ["outputs", "parameters"])
def test_a_single_donor_gives_its_values_unchanged(average):
    a, k = donors(1, average)(np, COLUMNS)
    np.testing.assert_array_equal(a, VALUES[:, 0])
    np.testing.assert_array_equal(k, VALUES[:, 1])


def test_equally_near_donors_in_their_order():
    corners = COLUMNS[[3, 1, 0, 2]]
    np.testing.assert_array_equal(
        donors(4, columns=corners).nearest(np, np.array([[3.0, 0.5]])), [[0, 1, 2, 3]]
    )
    # East and west of a place are equally far, but for rounding.
    east = np.array([10.5, 9.5, 10.0, 10.0])
    north = np.array([45.0, 45.0, 45.5, 44.5])
    places = unit_vectors(np, north, east)
    plain = Moments(np.zeros(3), np.ones(3))
    for order in ([0, 1], [1, 0]):
        pair = Donors.of((LINEAR, LOG), VALUES[:2], places[order], plain, 2, "outputs")
        at = unit_vectors(np, np.array([45.0]), np.array([10.0]))
        np.testing.assert_array_equal(pair.nearest(np, at), [[0, 1]])


def test_tiles_do_not_matter(monkeypatch):
    rng = np.random.default_rng(0)
    sites = rng.normal(size=(23, 2))
    whole = donors(3).nearest(np, sites)
    monkeypatch.setattr(module, "_TILE", 5)
    np.testing.assert_array_equal(donors(3).nearest(np, sites), whole)
    assert donors(3).nearest(np, sites[:0]).shape == (0, 3)


def test_nearest_is_that_of_a_plain_loop():
    rng = np.random.default_rng(1)
    columns = rng.normal(size=(4, 2)) * [1.0, 40.0]
    sites = rng.normal(size=(30, 2)) * [1.0, 40.0]
    found = donors(4, columns=columns).nearest(np, sites)
    mean, std = columns.mean(axis=0), columns.std(axis=0)
    for i, site in enumerate(sites):
        apart = [np.hypot(*((site - mean) / std - (c - mean) / std)) for c in columns]
        np.testing.assert_array_equal(found[i], np.argsort(apart))
