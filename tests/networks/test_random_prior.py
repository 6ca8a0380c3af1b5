"""A random function of the attributes: its moments over draws, never trained, kept with a fit."""

import numpy as np
import pytest
import torch
from helpers_learn import Bucket, quick, world

import xdpl
from xdpl.networks import MLP
from xdpl.networks.base import Inputs, Sizes
from xdpl.networks.random_prior import RandomPrior
from xdpl.uncertainty.unbounded import to_unbounded


def test_covariance_over_draws():
    torch.manual_seed(0)
    x = torch.tensor([[0.0, 0.0], [1.0, 1.0], [30.0, -30.0]])
    drawn = torch.stack([RandomPrior(2, 50, 1.8)(x) for _ in range(400)])
    values = drawn.movedim(1, 0).reshape(3, -1)
    expected = 1.8**2 * np.array([[1.0, np.exp(-0.5), 0.0], [np.exp(-0.5), 1.0, 0.0], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose((values @ values.T / values.shape[1]).numpy(), expected, atol=0.2)
    assert abs(float(values.mean())) < 0.1


def test_layers_are_as_without_it():
    sizes = Sizes(("a", "b"), columns=("leak", "split"))
    torch.manual_seed(3)
    plain = MLP((5,)).build(sizes)
    torch.manual_seed(3)
    moved = MLP((5,), prior=1.0).build(sizes)
    for a, b in zip(plain.parameters(), moved.trained.parameters(), strict=True):
        torch.testing.assert_close(a, b)
    assert len(list(moved.parameters())) == len(list(plain.parameters()))
    inputs = Inputs(torch.randn(7, 2))
    assert (plain(inputs).still == 0.0).all() and (moved(inputs).still != 0.0).all()


def test_seeds_begin_apart_and_keep_their_function(tmp_path):
    ensemble = quick(network=MLP((8,), prior=1.8), seed=range(12), epochs=1, learning_rate=1e-9)
    raw = to_unbounded(ensemble.parameters(world()), Bucket())
    assert 1.0 < float(raw["leak"].std("seed").mean()) < 2.6
    ensemble.fits[0].save(tmp_path / "fit")
    again = xdpl.load(tmp_path / "fit", model=Bucket())
    np.testing.assert_array_equal(again.parameters(world())["leak"], ensemble.parameters(world())["leak"][0])
    assert again.network_spec == MLP((8,), prior=1.8)


@pytest.mark.parametrize("prior", [-1.0, float("nan"), float("inf"), True, "wide"])
def test_width_is_checked(prior):
    with pytest.raises(ValueError, match="prior must be a number of zero or more"):
        MLP(prior=prior)
