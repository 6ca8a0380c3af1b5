"""Single steps, with figures by hand: five points in two dimensions, three parents."""

import numpy as np
import pytest

from xdpl.calibration.optimisers.complexes import Complexes
from xdpl.calibration.optimisers.draws import Draws

# From the best to the worst they are at positions 1, 2, 0, 4, 3; the smallest rectangle that holds
# them goes from (0.2, 0.2) to (0.9, 0.7).
POINTS = [[0.5, 0.5], [0.2, 0.4], [0.4, 0.2], [0.9, 0.6], [0.3, 0.7]]
VALUES = [3.0, 1.0, 2.0, 5.0, 4.0]
LANE = np.array([0])


def started(parents):
    """One complex whose points have values, at the first step of a loop."""
    complexes = Complexes(np.array([POINTS]))
    for point, value in zip(POINTS, VALUES, strict=True):
        assert not complexes.waiting.any()
        np.testing.assert_array_equal(complexes.trial, [point])
        complexes.learn(LANE, np.array([value]))
    assert complexes.waiting.all()
    np.testing.assert_array_equal(complexes.order, [[1, 2, 0, 4, 3]])
    places = np.full((1, 5, 2, 2), [[0.25, 0.75], [0.5, 0.125]])
    complexes.start(LANE, Draws(np.full((1, 5, 3), parents), places))
    assert not complexes.waiting.any()
    return complexes


def check(complexes, position, point, value, order):
    """One point has been replaced, and no other; the complex is in order."""
    points, values = np.array(POINTS), np.array(VALUES)
    points[position], values[position] = point, value
    np.testing.assert_allclose(complexes.points[0], points)
    np.testing.assert_array_equal(complexes.values[0], values)
    np.testing.assert_array_equal(complexes.order[0], order)


def test_reflection_is_accepted():
    complexes = started((0, 1, 2))
    # At the centroid (0.3, 0.3) of (0.2, 0.4) and (0.4, 0.2), of (0.5, 0.5).
    np.testing.assert_allclose(complexes.trial, [[0.1, 0.1]])
    complexes.learn(LANE, np.array([1.5]))
    check(complexes, 0, [0.1, 0.1], 1.5, [1, 0, 2, 4, 3])


def test_contraction_is_accepted():
    complexes = started((0, 1, 2))
    complexes.learn(LANE, np.array([3.5]))
    np.testing.assert_allclose(complexes.trial, [[0.4, 0.4]])
    complexes.learn(LANE, np.array([0.5]))
    check(complexes, 0, [0.4, 0.4], 0.5, [0, 1, 2, 4, 3])


@pytest.mark.parametrize("value", [6.0, np.inf, 0.25])
def test_mutation_is_accepted_whatever_it_is(value):
    complexes = started((0, 1, 2))
    # No better is as good as worse.
    complexes.learn(LANE, np.array([3.0]))
    complexes.learn(LANE, np.array([np.inf]))
    # Half of the way from 0.2 to 0.9, an eighth of that from 0.2 to 0.7.
    np.testing.assert_allclose(complexes.trial, [[0.55, 0.2625]])
    complexes.learn(LANE, np.array([value]))
    check(complexes, 0, [0.55, 0.2625], value, [0, 1, 2, 4, 3] if value < 1 else [1, 2, 4, 3, 0])


def test_reflection_out_of_bounds_is_drawn_in_the_hypercube():
    complexes = started((0, 1, 4))
    # Of (0.9, 0.6) it would be (-0.3, 0); in its stead a quarter and three quarters of the ways.
    np.testing.assert_allclose(complexes.trial, [[0.375, 0.575]])
    complexes.learn(LANE, np.array([5.5]))
    # Contraction is still towards the centroid.
    np.testing.assert_allclose(complexes.trial, [[0.6, 0.45]])
    complexes.learn(LANE, np.array([4.5]))
    check(complexes, 3, [0.6, 0.45], 4.5, [1, 2, 0, 4, 3])


def test_as_many_steps_as_points():
    complexes = started((0, 1, 2))
    for _ in range(5):
        assert not complexes.waiting.any()
        complexes.learn(LANE, np.array([complexes.values.min() - 1.0]))
    assert complexes.waiting.all()


def test_lanes_are_at_steps_of_their_own():
    complexes = Complexes(np.array([POINTS, POINTS]))
    both = np.array([0, 1])
    for value in VALUES:
        complexes.learn(both, np.array([value, value]))
    places = np.full((2, 5, 2, 2), [[0.25, 0.75], [0.5, 0.125]])
    parents = np.array([[[0, 1, 2]] * 5, [[0, 1, 4]] * 5])
    complexes.start(both, Draws(parents, places))
    np.testing.assert_allclose(complexes.trial, [[0.1, 0.1], [0.375, 0.575]])
    complexes.learn(both, np.array([9.0, 9.0]))
    complexes.learn(np.array([1]), np.array([9.0]))
    np.testing.assert_allclose(complexes.trial, [[0.4, 0.4], [0.55, 0.2625]])
    complexes.learn(both, np.array([9.0, 4.5]))
    np.testing.assert_allclose(complexes.trial[0], [0.55, 0.2625])
    np.testing.assert_array_equal(complexes.order, [[1, 2, 0, 4, 3], [1, 2, 0, 4, 3]])
