"""What labels cost: datasets in and out against the bare engine, and against pyet."""

import numpy as np
import xarray as xr

import xdpl
from xdpl.engines import run
from xdpl.models.hbv import HBV

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
    """Ten years of HBV without routing, parameters of its own for each basin, streamflow only."""

    params = [50, 5000]
    param_names = ["basins"]
    unit = "million site-days per second"

    def setup(self, basins):
        # The engine alone, which it is compared with, does not route.
        self.model = HBV(routing=None)
        forcings, parameters = inputs(self.model, 3650, basins)
        units = {d.name: d.units for d in (*self.model.forcings, *self.model.parameters)}
        ds = xr.Dataset({k: (("time", "basin"), v, {"units": units[k]}) for k, v in forcings.items()})
        self.ds = ds.assign_coords(time=xr.date_range("2000-01-01", periods=3650), basin=np.arange(basins))
        theta = xr.Dataset({k: ("basin", v, {"units": units[k]}) for k, v in parameters.items()})
        self.parameters = theta.assign_coords(basin=self.ds["basin"])

    def track_simulate(self, basins):
        run = lambda: xdpl.simulate(self.ds, self.model, self.parameters, outputs=["streamflow"])  # noqa: E731
        return 3650 * basins / seconds(run) / 1e6


class Blocks:
    """Ten years of HBV in blocks of sites through dask against the same in one piece."""

    unit = "share of the speed in one piece"

    def setup(self):
        benchmark = Streamflow()
        benchmark.setup(8000)
        self.whole, self.model = benchmark.ds, benchmark.model
        self.lazy = self.whole.chunk(time=-1, basin=1000)

    def in_blocks(self):
        return self.lazy.dpl.simulate(self.model, outputs=["streamflow"]).compute()

    def in_one_piece(self):
        return self.whole.dpl.simulate(self.model, outputs=["streamflow"])

    def track_blocks(self):
        return ratio(self.in_blocks, self.in_one_piece)


class Members:
    """Sixteen parameter sets at every site in one call against one call for each."""

    unit = "times faster than one by one"

    def setup(self):
        self.ds = xdpl.data.twin(shape=(20, 20), years=2)
        values = np.linspace(0.05, 0.4, 16, dtype="f4")
        self.theta = xr.Dataset({"infilt": ("member", values, {"units": "1"})})

    def together(self):
        return self.ds.dpl.simulate("vic", self.theta, outputs=["runoff"])

    def one_by_one(self):
        return [self.ds.dpl.simulate("vic", self.theta.isel(member=i), outputs=["runoff"]) for i in range(16)]

    def track_members(self):
        return ratio(self.together, self.one_by_one)


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
