"""Measure what the page "How a step becomes a kernel" reports; writes one JSON line per measurement.

python docs/scripts/kernel_ratios.py results.jsonl training     # against eager PyTorch
python docs/scripts/kernel_ratios.py results.jsonl compiled     # against torch.compile, 10 steps at a time
python docs/scripts/kernel_ratios.py results.jsonl memory simulate start learn
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import torch

import xdpl
from xdpl.engines import array, fused

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "asv_bench"))
from benchmarks import kernels
from benchmarks.datasets import Streamflow
from benchmarks.learning import Learn
from benchmarks.ratios import seconds

SITES = {"hbv": (100, 671), "vic": (412,)}
CHUNK = 10


def training():
    for name, counts in SITES.items():
        model = xdpl.models.get(name)
        for sites in counts:
            members = kernels.MEMBERS if name == "hbv" else None
            arrays = kernels.inputs(model, kernels.DAYS, sites, members)
            ours, eager = (
                seconds(kernels.training_step(engine, model, *arrays, members=members), repeat=5)
                for engine in (fused, array)
            )
            yield {"model": name, "sites": sites, "members": members, "fused": ours, "eager": eager}


def compiled():
    """The strongest alternative: a compiled chunk of steps, called in a loop."""
    model = xdpl.models.get("hbv")
    names = [s.name for s in model.states]

    @torch.compile
    def chunk(forcings, parameters, states):
        series, last = array.run(
            model, forcings, parameters, initial=states, outputs=("streamflow",), members=kernels.MEMBERS
        )
        return series["streamflow"], last

    class Chunks:
        @staticmethod
        def run(model, forcings, parameters, *, outputs, members):
            zero = next(iter(parameters.values())).detach() * 0.0
            states = {s.name: zero + s.initial for s in model.states}
            parts = []
            for t in range(0, kernels.DAYS, CHUNK):
                part = {k: v[t : t + CHUNK] for k, v in forcings.items()}
                series, last = chunk(part, parameters, states)
                states = {n: last[n] for n in names}
                parts.append(series)
            return {"streamflow": torch.cat(parts)}, states

    for sites in SITES["hbv"]:
        arrays = kernels.inputs(model, kernels.DAYS, sites, kernels.MEMBERS)
        steps = [kernels.training_step(engine, model, *arrays) for engine in (fused, Chunks)]
        began = time.perf_counter()
        results = [step() for step in steps]
        compiling = time.perf_counter() - began
        for a, b in zip(*results, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-2, atol=1e-3 * float(b.abs().max()))
        ours, other = (seconds(step, repeat=5) for step in steps)
        yield {"sites": sites, "fused": ours, "compiled": other, "compiling": compiling}


def memory():
    for sites in SITES["hbv"]:
        yield {"sites": sites} | {e: kernels.peak(e, "hbv", sites) for e in ("fused", "array")}


def simulate():
    case = Streamflow()
    case.setup(5000)
    labelled = case.track_simulate(5000)
    engine = kernels.Forward()
    engine.setup(5000)
    yield {"basins": 5000, "days": 3650, "simulate": labelled, "engine": engine.track_speed(5000)}


def start():
    code = """
import time
t = time.perf_counter()
import numpy as np, xarray as xr, xdpl
time_ = xr.date_range("2000-01-01", periods=730)
ds = xr.Dataset(coords={{"time": time_}})
for f in xdpl.models.get("vic").forcings:
    ds[f.name] = ("time", "site"), np.random.rand(730, 9), {{"units": f.units}}
ds["sand"] = "site", np.random.rand(9), {{"units": "1"}}
ds["soil_moisture"] = ("time", "site"), np.random.rand(730, 9), {{"units": "m3 m-3"}}
m = time.perf_counter()
{}
print(m - t, time.perf_counter() - t)
"""
    calls = {
        "simulate": "ds.dpl.simulate('hbv')",
        "learn": "ds.dpl.learn('vic', target='soil_moisture', attributes=['sand'], epochs=1, progress=False)",
    }
    for name, call in calls.items():
        with tempfile.TemporaryDirectory() as folder:
            for cache in ("empty", "warm"):
                done = subprocess.run(
                    [sys.executable, "-c", code.format(call)],
                    env=os.environ | {"XDPL_CACHE_DIR": folder},
                    capture_output=True,
                    text=True,
                    check=True,
                )
                data, whole = map(float, done.stdout.split())
                yield {"call": name, "cache": cache, "data": data, "whole": whole}


def learn():
    case = Learn()
    case.setup("vic", 20)
    yield {"sites": 400, "ratio": case.track_against_eager("vic", 20)}


def main(path, *names):
    for name in names:
        for result in globals()[name]():
            line = {"measurement": name} | {
                k: round(v, 4) if isinstance(v, float) else v for k, v in result.items()
            }
            print(line, flush=True)
            with open(path, "a") as file:
                print(json.dumps(line), file=file)


if __name__ == "__main__":
    main(*sys.argv[1:])
