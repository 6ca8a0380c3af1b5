"""Measure fused kernels on a GPU; prints one JSON line per model and number of sites.

    python docs/scripts/gpu_kernels.py                        # 730 days, 16 members, float32
    python docs/scripts/gpu_kernels.py --members 1 --days 3650 --models hbv

The first line of each model says how far float64 results are from those of the CPU. Times are medians, in
milliseconds, of the forward run alone, of the adjoint alone, and of a training step (both, through PyTorch).
Site-days count each member.
"""

import argparse
import json
import statistics
import subprocess
import time
from dataclasses import replace

import numpy as np
import torch

import xdpl
from xdpl.engines import array, fused

SITES = (100, 1_000, 10_000, 100_000)
EAGER_SITES = 1_000
TARGET = {"hbv": "streamflow", "vic": "soil_moisture"}


def inputs(model, days, sites, members, device, dtype=torch.float32):
    """Random weather, and parameters between a fifth and four fifths of their range."""
    make = torch.Generator(device).manual_seed(0)

    def uniform(*shape):
        return torch.rand(shape, generator=make, device=device, dtype=dtype)

    rain = uniform(days, sites)
    forcings = {
        "precipitation": 20.0 * rain * rain * rain,
        "air_temperature": 24.0 * uniform(days, sites) - 8.0,
        "potential_evapotranspiration": 6.0 * uniform(days, sites),
    }
    forcings = {d.name: forcings[d.name] for d in model.forcings}
    parameters = {
        p.name: p.lower + (p.upper - p.lower) * (0.2 + 0.6 * uniform(members, sites))
        for p in model.step_parameters
    }
    return forcings, {k: v.requires_grad_() for k, v in parameters.items()}


def wait():
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def seconds(function, repeats):
    """Median time of a function, called once before."""
    function()
    times = []
    for _ in range(repeats):
        wait()
        begun = time.perf_counter()
        function()
        wait()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def backward_seconds(loss, leaves, repeats):
    """Median time of the gradient alone."""
    return seconds(lambda: torch.autograd.grad(loss, leaves, retain_graph=True), repeats)


def peak(function):
    """Memory a function takes at its peak beyond what is held before, MB."""
    if not torch.cuda.is_available():
        return None
    wait()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    function()
    wait()
    return round((torch.cuda.max_memory_allocated() - before) / 1e6, 1)


def measure(engine, model, days, sites, members, device, repeats):
    """Times, rate and memory of an engine."""
    forcings, parameters = inputs(model, days, sites, members, device)
    target, leaves = TARGET[model.name], list(parameters.values())

    def forward():
        return engine.run(model, forcings, parameters, outputs=(target,), members=members)[0][target]

    def forward_only():
        with torch.no_grad():
            forward()

    def training_step():
        torch.autograd.grad(forward().square().mean(), leaves)

    run = seconds(forward_only, repeats)
    back = backward_seconds(forward().square().mean(), leaves, repeats)
    step = seconds(training_step, repeats)
    return {
        "forward_ms": round(1e3 * run, 3),
        "backward_ms": round(1e3 * back, 3),
        "training_step_ms": round(1e3 * step, 3),
        "forward_site_days_per_s": round(days * sites * members / run),
        "training_site_days_per_s": round(days * sites * members / step),
        "forward_peak_MB": peak(forward_only),
        "training_peak_MB": peak(training_step),
    }


def compiled(model):
    """Registers and spilled bytes per thread of the kernels that were measured."""
    from xdpl.engines.cuda.kernels import kernel
    from xdpl.engines.tracing.order import Order
    from xdpl.engines.tracing.trace import step_of

    order = Order(step_of(model, (TARGET[model.name],)), "float32")
    found = {}
    for name, one in (("forward", order), ("backward", replace(order, backward=True))):
        launch = kernel(one).launch
        found[f"{name}_registers"] = max(launch.get_regs_per_thread().values(), default=None)
        found[f"{name}_local_bytes"] = max(launch.get_local_mem_per_thread().values(), default=None)
    return found


def agreement(model, device):
    """Largest differences from the CPU in float64, relative to the largest value of each array."""
    results = []
    for where in ("cpu", device):
        forcings, parameters = inputs(model, 200, 50, 3, "cpu", torch.float64)
        forcings = {k: v.to(where) for k, v in forcings.items()}
        moved = {k: v.to(where) for k, v in parameters.items()}
        series, final = fused.run(model, forcings, moved, outputs=(TARGET[model.name],), members=3)
        loss = series[TARGET[model.name]].square().mean() + sum(v.mean() for v in final.values())
        gradients = torch.autograd.grad(loss, list(parameters.values()))
        results.append(([*series.values(), *final.values()], gradients))
    (values, gradients), (on_gpu, gradients_on_gpu) = results
    return {
        "values": worst(values, on_gpu),
        "gradients": worst(gradients, gradients_on_gpu),
    }


def worst(wanted, got):
    pairs = [(a.detach().cpu().numpy(), b.detach().cpu().numpy()) for a, b in zip(wanted, got, strict=True)]
    return max(float(np.abs(a - b).max() / (np.abs(a).max() or 1.0)) for a, b in pairs)


def machine(device):
    """What it was measured on."""
    about = {"torch": torch.__version__, "xdpl": xdpl.__version__, "device": device}
    if device == "cuda":
        import numba_cuda

        query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        driver = subprocess.run(query, capture_output=True, text=True, check=False).stdout.split("\n")[0]
        about |= {"gpu": torch.cuda.get_device_name(), "driver": driver, "cuda": torch.version.cuda}
        about |= {"numba_cuda": numba_cuda.__version__}
    return about


def attempt(function, *args):
    """What a function gives, or that the memory was too small for it."""
    try:
        return function(*args)
    except torch.OutOfMemoryError as error:
        return {"error": str(error).split("\n")[0]}
    finally:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--models", nargs="+", default=list(TARGET))
    options.add_argument("--sites", nargs="+", type=int, default=SITES)
    options.add_argument("--days", type=int, default=730)
    options.add_argument("--members", type=int, default=16)
    options.add_argument("--repeats", type=int, default=10)
    options.add_argument("--device", default="cuda")
    o = options.parse_args()
    about = machine(o.device)
    for name in o.models:
        model = xdpl.models.get(name)
        print(json.dumps({"model": name, "float64_differences": agreement(model, o.device)}), flush=True)
        for sites in o.sites:
            size = {"model": name, "sites": sites, "days": o.days, "members": o.members}
            args = (model, o.days, sites, o.members, o.device)
            line = {**size, "engine": "fused", "dtype": "float32"}
            line |= attempt(measure, fused, *args, o.repeats)
            if o.device == "cuda":
                line |= compiled(model)
            print(json.dumps({**line, **about}), flush=True)
            if sites == EAGER_SITES:
                line = {**size, "engine": "eager", "dtype": "float32"}
                print(json.dumps({**line, **attempt(measure, array, *args, 2), **about}), flush=True)


if __name__ == "__main__":
    main()
