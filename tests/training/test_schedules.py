"""How the learning rate falls, and what else shapes the steps."""

import math

import numpy as np
import pytest
from helpers_learn import problems, quick, weights

from xdpl.errors import InputErrors

BY_HAND = {
    "constant": [1.0, 1.0, 1.0, 1.0],
    "cosine": [1.0, 0.5 + 0.25 * math.sqrt(2.0), 0.5, 0.5 - 0.25 * math.sqrt(2.0)],
    "exponential": [1.0, 10.0**-0.5, 0.1, 10.0**-1.5],
    "linear": [1.0, 0.75, 0.5, 0.25],
}


@pytest.mark.parametrize("name", BY_HAND)
def test_rates_by_hand(name):
    fit = quick(epochs=4, schedule=name, learning_rate=0.02)
    np.testing.assert_allclose(fit.history["learning_rate"], 0.02 * np.array(BY_HAND[name]), rtol=1e-12)
    assert fit.settings["schedule"] == name


def test_decay_makes_weights_smaller():
    plain, decayed = quick(), quick(weight_decay=1.0)
    assert np.linalg.norm(weights(decayed)) < np.linalg.norm(weights(plain))
    np.testing.assert_array_equal(weights(quick(weight_decay=0)), weights(plain))


def test_a_longer_epoch_covers_more():
    # 6 sites, 89 days, windows of 30: 18 series in 5 updates; log(0.05) / log(59/89) * 6 = 43.7 series in 11.
    one, more = quick(epochs=1), quick(epochs=1, coverage=0.95)
    assert more.settings["coverage"] == 0.95 and one.settings["coverage"] is None
    assert not np.array_equal(weights(one), weights(more))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("schedule", "cos", "one of constant, cosine, exponential, linear"),
        ("schedule", ["cosine"], "one of constant"),
        ("coverage", 1.0, "a number from 0 to below 1"),
        ("coverage", math.nan, "a number from 0 to below 1"),
        ("coverage", "0.9", "a number from 0 to below 1"),
        ("dynamic_dropout", None, "a number from 0 to below 1"),
        ("dynamic_dropout", math.nan, "a number from 0 to below 1"),
        ("weight_decay", -0.1, "a number from 0"),
        ("weight_decay", math.inf, "a number from 0"),
        ("weight_decay", math.nan, "a number from 0"),
        ("weight_decay", None, "a number from 0"),
    ],
)
def test_bad_values(name, value, expected):
    with pytest.raises(InputErrors) as raised:
        quick(**{name: value})
    assert any(e.subject == name and expected in str(e) for e in raised.value.exceptions)
    assert len(problems(raised)) == 1
