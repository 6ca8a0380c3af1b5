import itertools

import numpy as np

from xdpl.calibration.optimisers.draws import Draws, parents


def test_parents_are_distinct_ranks_in_order():
    drawn = parents(np.random.default_rng(0).random((1000, 7)), 4)
    assert drawn.shape == (1000, 4)
    assert (np.diff(drawn, axis=1) > 0).all()
    assert drawn.min() == 0 and drawn.max() == 6


def test_parents_are_drawn_one_after_the_other_with_triangular_probabilities():
    # All ways to draw 2 of 4 ranks of weights 4, 3, 2, 1, the second among what is left.
    weight = [4, 3, 2, 1]
    expected = {
        pair: sum(weight[i] / 10 * weight[j] / (10 - weight[i]) for i, j in (pair, pair[::-1]))
        for pair in itertools.combinations(range(4), 2)
    }
    assert abs(sum(expected.values()) - 1.0) < 1e-12
    drawn = parents(np.random.default_rng(1).random((200_000, 4)), 2)
    for pair, probability in expected.items():
        share = (drawn == pair).all(axis=1).mean()
        # Four standard errors.
        assert abs(share - probability) < 4 * np.sqrt(probability * (1 - probability) / 200_000)


def test_draws_go_on_where_the_generator_is():
    first, second = (np.random.default_rng(5) for _ in range(2))
    a = Draws.of(first, complexes=2, parameters=3)
    b = Draws.of(first, complexes=2, parameters=3)
    uniforms = second.random((2, 2, 7, 7 + 6))
    for draws, own in zip((a, b), uniforms, strict=True):
        assert draws.parents.shape == (2, 7, 4)
        np.testing.assert_array_equal(draws.replacements[1, 6], own[1, 6, 7:].reshape(2, 3))
        np.testing.assert_array_equal(draws.parents, parents(own[..., :7], 4))
