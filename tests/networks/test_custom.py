"""A module of the user's own."""

import numpy as np
import pytest
import torch
import xarray as xr
from helpers_learn import Bucket, assert_same_fit, problems, quick, world

import xdpl
from xdpl.errors import InputErrors
from xdpl.models.hbv import HBV
from xdpl.networks import MLP, Custom


class Two(torch.nn.Module):
    """Two attributes to so many columns."""

    def __init__(self, columns=2, width=5):
        super().__init__()
        self.first, self.last = torch.nn.Linear(2, width), torch.nn.Linear(width, columns)
        torch.nn.init.zeros_(self.last.weight)
        torch.nn.init.zeros_(self.last.bias)

    def forward(self, x):
        return self.last(torch.tanh(self.first(x)))


class Weightless(torch.nn.Module):
    def forward(self, x):
        return x


def module(seed=0, **options):
    torch.manual_seed(seed)
    return Two(**options)


def refused(call):
    with pytest.raises(InputErrors) as raised:
        call()
    return problems(raised)


def test_it_learns_and_is_not_changed_itself():
    mine = module()
    before = {k: v.clone() for k, v in mine.state_dict().items()}
    fit = quick(network=mine, learning_rate=0.05)
    assert float(fit.history["loss"][-1]) < float(fit.history["loss"][0])
    assert all(torch.equal(v, before[k]) for k, v in mine.state_dict().items())
    assert mine.training
    theta = fit.parameters(world())
    assert float(theta["leak"].std()) > 0
    assert_same_fit(quick(network=mine, learning_rate=0.05), fit)
    assert_same_fit(quick(network=Custom(mine), learning_rate=0.05), fit)


def test_zeros_are_the_defaults_and_other_weights_are_kept():
    fit = quick(network=module(), epochs=1, learning_rate=1e-9)
    for p in Bucket().parameters:
        np.testing.assert_allclose(fit.parameters(world())[p.name], p.default, rtol=0.01)
    shifted = module()
    torch.nn.init.constant_(shifted.last.bias, 1.0)
    theta = quick(network=shifted, epochs=1, learning_rate=1e-9).parameters(world())
    odds = 0.4 / 0.6 * np.e
    np.testing.assert_allclose(theta["split"], odds / (1 + odds), rtol=1e-4)


def test_it_sees_normalised_attributes():
    fit, ds = quick(network=module(), learning_rate=0.05), world()
    x = np.stack([((ds[k] - ds[k].mean()) / ds[k].std()).values for k in ("sand", "clay")], axis=-1)
    with torch.no_grad():
        raw = fit.network.body.module(torch.tensor(x, dtype=torch.float32)).numpy()
    split = 1.0 / (1.0 + 0.6 / 0.4 * np.exp(-raw[..., 1]))
    np.testing.assert_allclose(fit.parameters(ds)["split"], split, rtol=1e-4)


@pytest.mark.parametrize(
    ("wrong", "got"),
    [
        (Two(columns=3), "(3, 3) for 3 sites"),
        (torch.nn.Linear(4, 2), "RuntimeError"),
        (torch.nn.LSTM(2, 2), "tuple for 3 sites"),
        (Weightless(), "one without weights to train"),
        (Two().double(), "RuntimeError"),
    ],
)
def test_wrong_shapes(wrong, got):
    found = refused(lambda: quick(network=wrong))["network"]
    assert "(site, 2) -> (site, 2), for leak, split" in found and got in found


def test_columns_of_members_are_named():
    found = refused(lambda: quick(network=Two(), members=3))["network"]
    assert "(site, 2) -> (site, 6), for 3 × leak, 3 × split" in found
    fit = quick(network=module(columns=6), members=3)
    assert fit.parameters(world())["leak"].dims == ("member", "lat", "lon")


def test_shared_columns_are_named():
    ds = xdpl.data.twin(shape=(1, 2), years=1)
    ds["streamflow"] = ds["precipitation"]
    options = {"model": HBV(), "target": "streamflow", "members": 2, "train": None}
    found = refused(lambda: quick(ds, network=Two(), **options))["network"]
    assert "2 × beta" in found and ", route_a, route_b" in found


def test_other_problems_are_listed_first():
    found = refused(lambda: quick(network=Two(columns=3), members=0, attributes=["sand", "silt"]))
    assert set(found) == {"members", "silt"}


def test_a_class_is_no_module():
    assert "a torch.nn.Module" in refused(lambda: quick(network=Two))["network"]


def test_it_gives_no_series():
    assert "gives a series" in refused(lambda: quick(network=Two(), dynamic=["leak"]))["dynamic"]


def test_saved_and_loaded(tmp_path):
    fit = quick(network=module(), learning_rate=0.05)
    fit.save(tmp_path / "fit")
    path = tmp_path / "fit"
    loaded = xdpl.load(path, model=Bucket(), network=module(seed=9))
    assert_same_fit(loaded, fit)
    xr.testing.assert_equal(loaded.parameters(world()), fit.parameters(world()))
    found = refused(lambda: xdpl.load(path, model=Bucket()))[str(path)]
    assert "the module 'Two' of the fit" in found and "load(path, network=<the module>)" in found
    for wrong in (module(width=7), torch.nn.Linear(2, 2), MLP()):
        found = refused(lambda wrong=wrong: xdpl.load(path, model=Bucket(), network=wrong))[str(path)]
        assert "the network of the fit" in found and "another one" in found


def test_a_module_for_another_network(tmp_path):
    quick(epochs=1).save(tmp_path / "fit")
    path = tmp_path / "fit"
    assert "leave network out" in refused(lambda: xdpl.load(path, model=Bucket(), network=Two()))[str(path)]
    same = xdpl.load(path, model=Bucket(), network=MLP(hidden=(8,)))
    assert same.network_spec == MLP(hidden=(8,))


def test_a_checkpoint_is_of_one_module(tmp_path):
    path = tmp_path / "run"
    quick(network=module(), checkpoint=path, epochs=2)
    assert_same_fit(quick(network=module(), checkpoint=path, epochs=2), quick(network=module(), epochs=2))
    found = refused(lambda: quick(network=module(width=7), checkpoint=path, epochs=2))
    assert "one of other data or settings" in found[str(path)]


def test_dask_knows_modules_of_one_class_apart():
    ds = world().chunk(lat=1)
    tanh, relu = (torch.nn.Sequential(torch.nn.Linear(2, 2), f()) for f in (torch.nn.Tanh, torch.nn.ReLU))
    relu.load_state_dict(tanh.state_dict())
    names = []
    for made in (tanh, relu):
        fit = quick(network=made, epochs=1, learning_rate=1e-12)
        names.append(fit.parameters(ds)["leak"].data.name)
    assert names[0] != names[1]


def test_report():
    fit = quick(network=module(), epochs=1)
    assert "custom, module Two" in repr(fit)
