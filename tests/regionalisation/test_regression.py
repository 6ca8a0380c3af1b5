import numpy as np
import pytest
import scipy.special

from xdpl.models import Parameter
from xdpl.regionalisation.regression import Regression

LINEAR = Parameter("a", 10.0, 30.0, "mm", 15.0)
LOG = Parameter("k", 0.01, 100.0, "d-1", 1.0, "", "log")


def test_an_exact_relation_by_hand(backend):
    attribute = np.array([1.0, 2.0, 3.0, 5.0])
    odds = 0.5 * attribute - 1.0
    values = np.stack(
        [10.0 + 20.0 * scipy.special.expit(odds), 10.0 ** (4.0 * scipy.special.expit(-odds) - 2)]
    )
    found = Regression.fitted((LINEAR, LOG), values.T, attribute[:, None])
    elsewhere = np.array([0.0, 4.0, 10.0])
    a, k = (backend.numpy(v) for v in found(backend.xp, backend.array(elsewhere[:, None])))
    odds = 0.5 * elsewhere - 1.0
    # Nearly no penalty is left: that of 1e-6.
    np.testing.assert_allclose(a, 10.0 + 20.0 * scipy.special.expit(odds), rtol=1e-5)
    np.testing.assert_allclose(k, 10.0 ** (4.0 * scipy.special.expit(-odds) - 2.0), rtol=1e-4)
    assert found.members == 1


def test_a_site_does_not_depend_on_its_company():
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(40, 7))
    found = Regression.fitted((LINEAR, LOG), rng.uniform(11.0, 29.0, (40, 2)), columns)
    together = found(np, columns)
    for i in (0, 17, 39):
        alone = found(np, columns[i : i + 1])
        for one, all_ in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one, all_[i : i + 1])


@pytest.mark.parametrize("far", [-1e6, 1e6])
def test_far_from_all_sites_it_is_in_bounds(far):
    found = Regression.fitted((LOG,), np.array([[0.02], [1.0], [50.0]]), np.array([[1.0], [2.0], [3.0]]))
    (k,) = found(np, np.array([[far]]))
    assert LOG.lower <= k[0] <= LOG.upper
    assert (k[0] > 1.0) == (far > 0)


def test_values_at_a_bound_stay_finite():
    found = Regression.fitted((LINEAR,), np.array([[10.0], [30.0], [20.0]]), np.array([[1.0], [3.0], [2.0]]))
    (a,) = found(np, np.array([[1.0], [2.0], [3.0]]))
    # The margin, 0.01 of the range, is what comes back.
    np.testing.assert_allclose(a, [10.2, 20.0, 29.8], atol=1e-3)
