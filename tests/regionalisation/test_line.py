import math

import numpy as np
import pytest

from xdpl.models import Parameter
from xdpl.regionalisation.line import MARGIN, from_line, to_line

LINEAR = Parameter("a", 10.0, 30.0, "mm", 15.0)
LOG = Parameter("k", 0.01, 100.0, "d-1", 1.0, "", "log")


def test_odds_by_hand():
    # 15 is a quarter of the way: odds of one to three.
    np.testing.assert_allclose(to_line(LINEAR, np.array([15.0, 20.0])), [math.log(1 / 3), 0.0], atol=1e-15)
    # 0.1 is the first of four decades.
    np.testing.assert_allclose(to_line(LOG, np.array([0.1, 1.0])), [math.log(1 / 3), 0.0], atol=1e-15)


@pytest.mark.parametrize("p", [LINEAR, LOG])
def test_at_a_bound_is_the_margin_away(p):
    ends = math.log(MARGIN / (1 - MARGIN))
    np.testing.assert_allclose(to_line(p, np.array([p.lower, p.upper])), [ends, -ends], rtol=1e-12)


def test_back_in_any_namespace(backend):
    for p in (LINEAR, LOG):
        values = np.linspace(p.lower + 0.02 * (p.upper - p.lower), p.upper * 0.9, 7)
        back = from_line(backend.xp, p, backend.array(to_line(p, values)))
        np.testing.assert_allclose(backend.numpy(back), values, rtol=1e-12)


@pytest.mark.parametrize("p", [LINEAR, LOG])
def test_far_out_is_in_bounds(p):
    back = from_line(np, p, np.array([-1e9, -600.0, 600.0, 1e9]))
    assert (back >= p.lower).all() and (back <= p.upper).all()
    np.testing.assert_allclose(back, [p.lower, p.lower, p.upper, p.upper], rtol=1e-12)
