"""Fused kernels against the same step in eager PyTorch and in the engine `array`."""

import pathlib
import re
import resource
import subprocess
import sys

import numpy as np

import xdpl
from xdpl.engines import array, fused
from xdpl.models.hbv import HBV

from .ratios import ratio, seconds

DAYS, MEMBERS = 730, 16
TARGET = {"hbv": "streamflow", "vic": "soil_moisture"}


def unrouted(name):
    """A model by name, without what comes after its step: engines are compared here."""
    return HBV(routing=None) if name == "hbv" else xdpl.models.get(name)


def inputs(model, days, sites, members=None):
    """Random weather, and parameters between a fifth and four fifths of their range, in single precision."""
    rng = np.random.default_rng(0)
    day = np.arange(days)[:, None]
    shape = (days, sites)
    forcings = {
        "precipitation": rng.gamma(0.6, 12.0, shape) * (rng.random(shape) < 0.6),
        "air_temperature": 8 + 12 * np.sin(day / 58) + rng.normal(0, 4, shape),
        "potential_evapotranspiration": 2 + 2 * np.sin(day / 58) * np.ones(shape),
    }
    size = (sites,) if members is None else (members, sites)
    parameters = {
        p.name: p.lower + (p.upper - p.lower) * rng.uniform(0.2, 0.8, size) for p in model.step_parameters
    }
    return tuple({k: v.astype("f4") for k, v in group.items()} for group in (forcings, parameters))


def training_step(engine, model, forcings, parameters, members=MEMBERS):
    """Function that runs forward, averages members, and runs backward to the parameters."""
    import torch

    f = {k: torch.from_numpy(v) for k, v in forcings.items()}
    p = {k: torch.from_numpy(v).requires_grad_() for k, v in parameters.items()}
    target = TARGET[model.name]

    def step():
        series, _ = engine.run(model, f, p, outputs=(target,), members=members)
        return torch.autograd.grad(series[target].sum(), list(p.values()))

    return step


def peak(engine, model, sites):
    """Extra memory of one training step at its peak in a fresh process, bytes."""
    code = f"from benchmarks import kernels; print(kernels.grown({engine!r}, {model!r}, {sites}))"
    root = pathlib.Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])


def grown(engine, model, sites):
    """By how much one training step raises the peak of the memory of this process, bytes."""
    model = unrouted(model)
    engine = {"array": array, "fused": fused}[engine]
    # Libraries and kernels are loaded before, by a run over few days.
    training_step(engine, model, *inputs(model, 4, 16, MEMBERS))()
    step = training_step(engine, model, *inputs(model, DAYS, sites, MEMBERS))
    before = highest()
    step()
    return highest() - before


def highest():
    """Most memory this process has held so far, bytes."""
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        # What getrusage says here begins with the peak of the parent process.
        return 1024 * int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1])
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


class TrainingStep:
    """Forward and backward, two years, sixteen members."""

    params = [["hbv", "vic"], [16, 100, 671]]
    param_names = ["model", "sites"]
    unit = "times faster than eager PyTorch"
    timeout = 600

    def setup(self, model, sites):
        self.model = unrouted(model)
        self.inputs = inputs(self.model, DAYS, sites, MEMBERS)

    def track_against_eager(self, model, sites):
        ours, eager = (training_step(engine, self.model, *self.inputs) for engine in (fused, array))
        return ratio(ours, eager)


class Memory:
    """Memory of a training step of HBV: the peak above the inputs."""

    params = [16, 671]
    param_names = ["sites"]
    unit = "times less than eager PyTorch"
    timeout = 600

    def setup(self, sites):
        pass

    def track_against_eager(self, sites):
        return peak("array", "hbv", sites) / max(peak("fused", "hbv", sites), 1)


class Forward:
    """Ten years of HBV on numpy arrays, one parameter set for each site."""

    params = [16, 1000, 5000]
    param_names = ["sites"]
    unit = "million site-days per second"

    def setup(self, sites):
        self.model = unrouted("hbv")
        self.inputs = inputs(self.model, 3650, sites)

    def track_speed(self, sites):
        run = lambda: fused.run(self.model, *self.inputs, outputs=("streamflow",))  # noqa: E731
        return 3650 * sites / seconds(run) / 1e6

    def track_against_array(self, sites):
        ours, other = (
            (lambda engine=engine: engine.run(self.model, *self.inputs, outputs=("streamflow",)))
            for engine in (fused, array)
        )
        return ratio(ours, other)
