import itertools

import numpy as np
import pytest
import torch

import xdpl
from xdpl import networks
from xdpl.errors import InputErrors
from xdpl.networks import MLP
from xdpl.networks.base import Inputs, Sizes


def test_by_name_and_passed_through():
    assert networks.get("mlp") == MLP() == MLP(hidden=(64, 64), dropout=0.0)
    spec = MLP(hidden=(3,))
    assert networks.get(spec) is spec


@pytest.mark.parametrize("name", ["mpl", 3, None])
def test_unknown_name_says_what_there_is(name):
    with pytest.raises(InputErrors, match="learn cannot run") as raised:
        networks.get(name)
    (error,) = raised.value.exceptions
    assert error.subject == "network"
    assert "'mlp'" in error.expected and "xdpl.networks.MLP()" in error.expected
    assert error.got == repr(name) and "mlp" in error.fix


@pytest.mark.parametrize("hidden", [(0,), (8, -1), (2.5,), ("8",)])
def test_widths_are_positive_integers(hidden):
    with pytest.raises(ValueError, match="hidden must be positive integers"):
        MLP(hidden=hidden)


@pytest.mark.parametrize("dropout", [-0.1, 1.0, 2.0, float("nan")])
def test_dropout_is_a_fraction_below_one(dropout):
    with pytest.raises(ValueError, match=r"dropout must be in \[0, 1\)"):
        MLP(dropout=dropout)


@pytest.mark.parametrize("spec", [MLP(), MLP(hidden=()), MLP(hidden=(5, 7, 2), dropout=0.25)])
def test_plain_values_and_back(spec):
    values = spec.to_dict()
    assert values["kind"] == "mlp"
    assert all(isinstance(v, str | float | list) for v in values.values())
    assert MLP.from_dict(values) == spec


def build(spec, n_attributes, n_columns):
    names = [tuple(str(i) for i in range(n)) for n in (n_attributes, n_columns)]
    return spec.build(Sizes(names[0], columns=names[1]))


@pytest.mark.parametrize("hidden", [(), (5,), (5, 7)])
def test_layers_follow_the_specification(hidden):
    body = build(MLP(hidden=hidden), 4, 3)
    shapes = [tuple(m.weight.shape) for m in body if isinstance(m, torch.nn.Linear)]
    widths = (4, *hidden, 3)
    assert shapes == [(b, a) for a, b in itertools.pairwise(widths)]
    np.testing.assert_array_equal(body(Inputs(torch.randn(6, 4))).still.detach().numpy(), np.zeros((6, 3)))


def test_dropout_acts_in_training_only():
    body = build(MLP(hidden=(50,), dropout=0.5), 2, 1)
    torch.nn.init.ones_(body[-1].weight)
    x = Inputs(torch.ones(1, 2))
    body.train()
    assert len({float(body(x).still.detach()) for _ in range(5)}) > 1
    body.eval()
    assert len({float(body(x).still.detach()) for _ in range(5)}) == 1


def test_reachable_from_the_package():
    assert xdpl.networks.MLP is MLP
