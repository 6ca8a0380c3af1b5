"""A network of another package: a specification and a module, passed as an instance."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
import xarray as xr
from helpers_learn import Bucket, problems, quick, world

import xdpl
from xdpl.errors import InputErrors
from xdpl.networks import Network, from_dict
from xdpl.networks.base import Inputs, Outputs, Sizes


@dataclass(frozen=True)
class Seasonal(Network):
    """Linear in the attributes; what moves is also linear in the forcings of the day."""

    scale: float = 1.0

    kind: ClassVar[str] = "seasonal"
    reads_forcings: ClassVar[bool] = True

    def build(self, sizes: Sizes) -> torch.nn.Module:
        return _Lines(self, sizes)


class _Lines(torch.nn.Module):
    def __init__(self, spec: Seasonal, sizes: Sizes) -> None:
        super().__init__()
        self.scale, self.moving = spec.scale, list(sizes.moving)
        self.site = torch.nn.Linear(len(sizes.attributes), len(sizes.columns))
        self.day = torch.nn.Linear(len(sizes.forcings), len(sizes.moving))
        for layer in (self.site, self.day):
            torch.nn.init.zeros_(layer.weight)
            torch.nn.init.zeros_(layer.bias)

    def forward(self, inputs: Inputs) -> Outputs:
        still = self.site(inputs.attributes)
        return Outputs(still, still[:, self.moving] + self.scale * self.day(inputs.forcings))


@pytest.fixture(scope="module")
def fit():
    return quick(network=Seasonal(scale=2.0), dynamic=["leak"], learning_rate=0.05)


def test_it_learns_what_moves(fit):
    theta = fit.parameters(world())
    assert theta["leak"].dims == ("time", "lat", "lon") and theta["split"].dims == ("lat", "lon")
    assert (theta["leak"].std("time") > 0).all()
    # Linear in the rain of the day: the same rain, the same leak.
    rain = world()["precipitation"].isel(lat=0, lon=0).values
    dry = theta["leak"].isel(lat=0, lon=0).values[rain == rain.min()]
    np.testing.assert_allclose(dry, dry[0])


def test_saved_and_loaded_with_its_specification(fit, tmp_path):
    fit.save(tmp_path / "fit")
    loaded = xdpl.load(tmp_path / "fit", model=Bucket(), network=Seasonal(scale=2.0))
    xr.testing.assert_equal(loaded.parameters(world()), fit.parameters(world()))
    for options, fix in (({}, "network=<its specification>"), ({"network": Seasonal()}, "leave network out")):
        with pytest.raises(InputErrors) as raised:
            xdpl.load(tmp_path / "fit", model=Bucket(), **options)
        assert fix in problems(raised)[str(tmp_path / "fit")]


def test_it_is_not_known_by_name(fit):
    with pytest.raises(ValueError, match="no network 'seasonal' in xdpl"):
        from_dict(fit.network_spec.to_dict())
