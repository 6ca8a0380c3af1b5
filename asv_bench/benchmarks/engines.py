"""Engine `array`: all sites in one array against one site at a time."""

import numpy as np

import xdpl
from xdpl.engines.array import run

from .ratios import ratio


class Forward:
    """Forward runs of float32 numpy arrays."""

    params = [["vic", "hbv"], [16, 400]]
    param_names = ["model", "sites"]
    unit = "times faster than a loop over sites"

    def setup(self, model, sites):
        self.model = xdpl.models.get(model)
        days = 120
        generator = np.random.default_rng(0)
        day = np.arange(days)[:, None]
        shape = (days, sites)
        self.forcings = {
            "precipitation": generator.gamma(0.3, 8.0, shape).astype("f4"),
            "air_temperature": (10 + 12 * np.sin(day / 58) + generator.normal(0, 3, shape)).astype("f4"),
            "potential_evapotranspiration": (2 + 2 * np.sin(day / 58) * np.ones(shape)).astype("f4"),
        }
        self.parameters = {k: np.full(sites, v, "f4") for k, v in self.model.defaults().items()}

    def together(self):
        return run(self.model, self.forcings, self.parameters, outputs=self.model.outputs)

    def one_by_one(self, most=4):
        # Four sites stand for all: the loop scales with their number.
        for i in range(most):
            forcings = {k: v[:, i : i + 1] for k, v in self.forcings.items()}
            parameters = {k: v[i : i + 1] for k, v in self.parameters.items()}
            run(self.model, forcings, parameters, outputs=self.model.outputs)

    def track_sites_together(self, model, sites):
        return ratio(self.together, self.one_by_one) * sites / 4


class Backward:
    """Forward and backward through time in torch, against forward alone in torch."""

    params = ["vic", "hbv"]
    param_names = ["model"]
    unit = "times a forward run"

    def setup(self, model):
        import torch

        forward = Forward()
        forward.setup(model, 256)
        self.model = forward.model
        self.forcings = {k: torch.from_numpy(v) for k, v in forward.forcings.items()}
        self.parameters = {k: torch.from_numpy(v).requires_grad_() for k, v in forward.parameters.items()}

    def forward(self):
        import torch

        with torch.no_grad():
            return run(self.model, self.forcings, self.parameters, outputs=self.model.outputs)

    def both(self):
        series, _ = run(self.model, self.forcings, self.parameters, outputs=self.model.outputs)
        sum(v.sum() for v in series.values()).backward()

    def track_cost_of_gradient(self, model):
        return ratio(self.forward, self.both)
