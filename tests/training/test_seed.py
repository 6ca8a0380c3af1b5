import numpy as np
import pytest
import torch
from helpers_learn import assert_same_fit, fitted, problems, quick, weights

import xdpl
from xdpl.errors import InputErrors
from xdpl.training import entry, loop

DROPOUT = xdpl.networks.MLP(hidden=(8,), dropout=0.3)


@pytest.mark.parametrize("network", ["mlp", DROPOUT], ids=["mlp", "dropout"])
def test_same_seed_same_weights(network):
    torch.manual_seed(1)
    a = quick(network=network, seed=4)
    torch.manual_seed(2)
    b = quick(network=network, seed=4)
    assert_same_fit(a, b)


def test_other_seed_other_weights():
    a, b = quick(seed=0), quick(seed=1)
    assert not np.array_equal(weights(a), weights(b))
    assert a.history["loss"][0] != b.history["loss"][0]


def test_global_generators_are_left_alone():
    torch.manual_seed(7)
    np.random.seed(7)  # noqa: NPY002
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    quick(network=DROPOUT, seed=4)
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)  # noqa: NPY002


def test_global_generator_is_left_alone_by_an_error(tmp_path):
    quick(checkpoint=tmp_path / "c", epochs=2)
    before = torch.get_rng_state()
    with pytest.raises(InputErrors):
        quick(checkpoint=tmp_path / "c", epochs=3)
    assert torch.equal(torch.get_rng_state(), before)


def test_default_dtype_and_threads_are_left_alone():
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    quick()
    assert (torch.get_default_dtype(), torch.get_num_threads()) == (dtype, threads)


def test_device_by_name():
    assert_same_fit(quick(device="cpu"), quick(device=torch.device("cpu")))
    assert all(v.device.type == "cpu" for v in fitted().network.parameters())


@pytest.mark.parametrize("seeds", [[], [0, -1], [0, 1.5], [0, True], ["0"], [1, 1], [np.int64(1), 1]])
def test_seeds_are_checked_before_the_first_training(seeds, monkeypatch):
    monkeypatch.setattr(entry, "train", lambda *a, **k: pytest.fail("something was trained"))
    with pytest.raises(InputErrors, match=r"learn\('bucket'\) cannot run") as raised:
        quick(seed=seeds, epochs=0, target="flow")
    found = problems(raised)
    assert set(found) == {"seed", "epochs", "target"}
    assert "integers of at least 0 that differ" in found["seed"] and repr(seeds) in found["seed"]


def test_seeds_of_numpy_and_ranges():
    fits = quick(seed=[np.int64(2), 0], epochs=1)
    assert fits.seeds == [2, 0] and all(type(seed) is int for seed in fits.seeds)
    assert quick(seed=range(2), epochs=1).seeds == [0, 1]


@pytest.mark.parametrize(("epoch", "seeds"), [(1, [0]), (4, [0]), (5, [0, 1])])
def test_an_interruption_keeps_what_was_learned(epoch, seeds, monkeypatch):
    """Three epochs each: a fit without a whole epoch is no member, unless it is the only one."""
    begun, clean = [], loop._epoch

    def stopping(*args):
        begun.append(args)
        if len(begun) == epoch:
            raise KeyboardInterrupt
        return clean(*args)

    monkeypatch.setattr(loop, "_epoch", stopping)
    fits = quick(seed=range(3)).fits
    assert [fit.settings["seed"] for fit in fits] == seeds and len(begun) == epoch
    assert sum(fit.history.sizes["epoch"] for fit in fits) == epoch - 1
