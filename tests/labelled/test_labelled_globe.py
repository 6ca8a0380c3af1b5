import numpy as np
import pytest

from xdpl.labelled.globe import unit_vectors

RADIUS = 6371.0


def distance(a, b):
    """Along a great circle, km, as the straight distance says it."""
    one, other = (unit_vectors(np, *(np.array([v]) for v in p))[0] for p in (a, b))
    return 2.0 * RADIUS * np.arcsin(np.linalg.norm(one - other) / 2.0)


def haversine(a, b):
    (p, q), (r, s) = np.radians(a), np.radians(b)
    share = np.sin((r - p) / 2) ** 2 + np.cos(p) * np.cos(r) * np.sin((s - q) / 2) ** 2
    return 2.0 * RADIUS * np.arcsin(np.sqrt(share))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((0.0, 0.0), (0.0, 90.0), RADIUS * np.pi / 2),
        ((0.0, 0.0), (1.0, 0.0), RADIUS * np.pi / 180),
        ((90.0, 12.0), (90.0, -77.0), 0.0),
        ((-90.0, 0.0), (90.0, 0.0), RADIUS * np.pi),
        ((60.0, 0.0), (60.0, 180.0), RADIUS * np.pi / 3),
        ((0.0, 179.5), (0.0, -179.5), RADIUS * np.pi / 180),
        ((20.0, 350.0), (20.0, -10.0), 0.0),
    ],
)
def test_known_distances(a, b, expected):
    assert distance(a, b) == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_two_cities():
    # Paris and New York, 5837 km on a sphere.
    assert distance((48.8566, 2.3522), (40.7128, -74.0060)) == pytest.approx(5837.0, abs=1.0)


def test_all_namespaces_and_the_haversine(backend):
    rng = np.random.default_rng(2)
    north, east = rng.uniform(-90, 90, 20), rng.uniform(-180, 360, 20)
    vectors = backend.numpy(unit_vectors(backend.xp, backend.array(north), backend.array(east)))
    np.testing.assert_allclose((vectors**2).sum(axis=1), 1.0, rtol=1e-14)
    for i in range(1, 20):
        chord = np.linalg.norm(vectors[0] - vectors[i])
        expected = haversine((north[0], east[0]), (north[i], east[i]))
        assert 2.0 * RADIUS * np.arcsin(chord / 2.0) == pytest.approx(expected, rel=1e-9)
