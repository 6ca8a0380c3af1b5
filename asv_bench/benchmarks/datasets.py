"""What labels cost: datasets in and out against the bare engine, and against pyet."""

import numpy as np
import xarray as xr

import xdpl
from xdpl.engines import run

from .kernels import inputs
from .ratios import ratio, seconds


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
        return run(None, self.model, self.forcings, self.parameters, outputs=self.model.outputs)

    def track_engine_share(self):
        return ratio(self.labelled, self.bare)


class Streamflow:
    """Ten years of HBV on a dataset with parameters of its own for each basin, streamflow only."""

    params = [50, 5000]
    param_names = ["basins"]
    unit = "million site-days per second"

    def setup(self, basins):
        self.model = xdpl.models.get("hbv")
        forcings, parameters = inputs(self.model, 3650, basins)
        units = {d.name: d.units for d in (*self.model.forcings, *self.model.parameters)}
        ds = xr.Dataset({k: (("time", "basin"), v, {"units": units[k]}) for k, v in forcings.items()})
        self.ds = ds.assign_coords(time=xr.date_range("2000-01-01", periods=3650), basin=np.arange(basins))
        theta = xr.Dataset({k: ("basin", v, {"units": units[k]}) for k, v in parameters.items()})
        self.parameters = theta.assign_coords(basin=self.ds["basin"])

    def track_simulate(self, basins):
        run = lambda: xdpl.simulate(self.ds, self.model, self.parameters, outputs=["streamflow"])  # noqa: E731
        return 3650 * basins / seconds(run) / 1e6


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
