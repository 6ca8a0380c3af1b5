"""What labels cost: datasets in and out against the bare engine, and against pyet."""

import numpy as np

import xdpl
from xdpl.engines.array import run

from .ratios import ratio


class Simulate:
    """`simulate` on a dataset against the engine on its arrays."""

    unit = "share of the time of simulate that the engine takes"

    def setup(self):
        self.ds = xdpl.data.twin(shape=(20, 20), years=1)
        self.model = xdpl.models.get("vic")
        self.forcings = {f.name: self.ds[f.name].values.reshape(365, -1) for f in self.model.forcings}
        self.parameters = {k: np.full(400, v, "f4") for k, v in self.model.defaults().items()}

    def labelled(self):
        return xdpl.simulate(self.ds, self.model)

    def bare(self):
        return run(self.model, self.forcings, self.parameters, outputs=self.model.outputs)

    def track_engine_share(self):
        return ratio(self.labelled, self.bare)


class Evapotranspiration:
    """Potential evapotranspiration against `pyet`."""

    unit = "times faster than pyet"

    def setup(self):
        import pyet

        self.ds = xdpl.data.twin(shape=(20, 20), years=2)
        self.temperature = self.ds["air_temperature"]
        latitude = np.deg2rad(self.ds["lat"]).broadcast_like(self.temperature.isel(time=0))
        self.pyet = lambda: pyet.oudin(self.temperature, latitude)

    def ours(self):
        return xdpl.pet(self.ds, "oudin")

    def track_oudin(self):
        return ratio(self.ours, self.pyet)
