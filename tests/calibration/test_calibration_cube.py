"""Points of the unit cube and the parameters they stand for."""

import numpy as np
import pytest

from xdpl.calibration.cube import Cube
from xdpl.models import Parameter

CUBE = Cube(
    (Parameter("fc", 50.0, 1000.0, "mm", 250.0), Parameter("k", 0.01, 100.0, "d-1", 1.0, scale="log"))
)


def test_linear_and_logarithmic_axes(backend):
    points = backend.array(np.array([[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]]))
    found = CUBE.values(points)
    np.testing.assert_allclose(backend.numpy(found["fc"]), [50.0, 525.0, 1000.0])
    np.testing.assert_allclose(backend.numpy(found["k"]), [0.01, 1.0, 100.0], rtol=1e-12)


def test_the_way_back():
    points = np.random.default_rng(0).random((4, 3, 2))
    np.testing.assert_allclose(CUBE.points(CUBE.values(points)), points, atol=1e-12)


def test_never_outside_the_bounds():
    """In single precision exp(log(b)) may exceed b."""
    for upper in (5000.0, 3.3, 0.7):
        cube = Cube((Parameter("k", 1e-3, upper, "1", 0.01, scale="log"),))
        values = cube.values(np.array([[0.0], [1.0]], np.float32))["k"]
        assert values.min() >= np.float32(1e-3)
        assert values.max() <= np.float32(upper)


def test_the_default_is_a_point():
    assert CUBE.default == pytest.approx([200.0 / 950.0, 0.5])
