"""Calibration of HBV at many basins against spotpy with a compiled scalar HBV, one basin at a time."""

import contextlib
import io
import random
import time

import numba
import numpy as np
import xarray as xr

from xdpl.models.hbv import HBV

from .kernels import inputs

DAYS, EVALUATIONS = 3650, 5000


@numba.njit(fastmath=True)
def streamflow(precipitation, temperature, demand, p):
    """HBV of one basin as a plain loop; parameters in the order of the model, without routing."""
    beta, fc, k0, k1, k2, lp, perc, uzl, tt, cfmax, cfr, cwh = p
    snow = liquid = soil = upper = lower = 0.001
    out = np.empty(precipitation.size)
    for t in range(precipitation.size):
        rain = precipitation[t] if temperature[t] >= tt else 0.0
        snow += precipitation[t] - rain
        melt = min(max(cfmax * (temperature[t] - tt), 0.0), snow)
        snow, liquid = snow - melt, liquid + melt
        refreezing = min(max(cfr * cfmax * (tt - temperature[t]), 0.0), liquid)
        snow, liquid = snow + refreezing, liquid - refreezing
        to_soil = max(liquid - cwh * snow, 0.0)
        liquid -= to_soil
        recharge = (rain + to_soil) * min((soil / fc) ** beta, 1.0)
        soil += rain + to_soil - recharge
        excess = max(soil - fc, 0.0)
        soil -= excess
        soil -= min(soil, demand[t] * min(soil / (lp * fc), 1.0))
        upper += recharge + excess
        seepage = min(upper, perc)
        upper, lower = upper - seepage, lower + seepage
        q0 = k0 * max(upper - uzl, 0.0)
        upper -= q0
        q1 = k1 * upper
        upper -= q1
        q2 = k2 * lower
        lower -= q2
        out[t] = q0 + q1 + q2
    return out


class _Setup:
    """One basin, as spotpy takes it."""

    def __init__(self, model, forcings, observed):
        import spotpy

        # Once: spotpy draws samples of each distribution when it is made.
        self.of = [spotpy.parameter.Uniform(p.name, p.lower, p.upper) for p in model.parameters]
        self.forcings, self.observed = forcings, observed
        self.spread = np.sum((observed - observed.mean()) ** 2)
        self.calls = 0

    def parameters(self):
        import spotpy

        return spotpy.parameter.generate(self.of)

    def simulation(self, vector):
        self.calls += 1
        return streamflow(*self.forcings, np.asarray(list(vector)))

    def evaluation(self):
        return self.observed

    def objectivefunction(self, simulation, evaluation):
        return np.sum((np.asarray(simulation) - evaluation) ** 2) / self.spread


class Calibrate:
    """SCE-UA, 5000 runs of ten years for each basin, in single precision against double."""

    params = [2, 100]
    param_names = ["basins"]
    timeout = 1800

    def setup(self, basins):
        model = self.model = HBV(routing=None)
        forcings, parameters = inputs(model, DAYS, basins)
        units = {d.name: d.units for d in model.forcings}
        ds = xr.Dataset({k: (("time", "basin"), v, {"units": units[k]}) for k, v in forcings.items()})
        ds = ds.assign_coords(time=xr.date_range("2000-01-01", periods=DAYS))
        said = {p.name: {"units": p.units} for p in model.parameters}
        truth = xr.Dataset({k: ("basin", parameters[k], attrs) for k, attrs in said.items()})
        flow = ds.dpl.simulate(model, truth, outputs=["streamflow"])["streamflow"]
        noise = np.random.default_rng(1).lognormal(0.0, 0.2, flow.shape)
        self.ds = ds.assign(streamflow=(flow * noise).assign_attrs(flow.attrs))
        self.calibrate(2)  # compiles

    def calibrate(self, evaluations):
        return self.ds.dpl.calibrate(
            self.model, target="streamflow", warmup=0, evaluations=evaluations, progress=False
        )

    def seconds_of_ours(self):
        """For each basin and 5000 runs."""
        start = time.perf_counter()
        theta = self.calibrate(EVALUATIONS)
        runs = int(theta["evaluations"].sum())
        return (time.perf_counter() - start) * EVALUATIONS / runs

    def seconds_of_spotpy(self):
        """The same for the first basin; of runs of the model, which spotpy counts otherwise."""
        import spotpy

        names = [f.name for f in self.model.forcings]
        forcings = [self.ds[k].isel(basin=0).values.astype(float) for k in names]
        setup = _Setup(self.model, forcings, self.ds["streamflow"].isel(basin=0).values.astype(float))
        random.seed(0)
        with contextlib.redirect_stdout(io.StringIO()):
            kept = {"dbname": "none", "dbformat": "ram", "save_sim": False}
            sampler = spotpy.algorithms.sceua(setup, random_state=0, **kept)
            setup.calls = 0
            start = time.perf_counter()
            sampler.sample(EVALUATIONS, ngs=5, kstop=100, pcento=1e-9, peps=1e-9)
        return (time.perf_counter() - start) * EVALUATIONS / setup.calls

    def track_seconds_per_basin(self, basins):
        return self.seconds_of_ours()

    def track_ratio_to_spotpy(self, basins):
        return self.seconds_of_spotpy() / self.seconds_of_ours()

    track_seconds_per_basin.unit = "seconds for 5000 runs of ten years"
    track_ratio_to_spotpy.unit = "times faster than spotpy with a compiled scalar HBV"
