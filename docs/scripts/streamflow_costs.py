"""Measure what learning streamflow costs; adds JSON lines to docs/results/streamflow.jsonl.

    python docs/scripts/streamflow_costs.py learning 0           # a whole training with the MLP, seed 0
    python docs/scripts/streamflow_costs.py epoch mlp lstm       # an epoch by its parts
    python docs/scripts/streamflow_costs.py memory static dynamic lstm

Nothing else should run on the machine.
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import torch
import xarray as xr

from xdpl.demo import streamflow
from xdpl.demo.basins import COMMON, contenders
from xdpl.training.windows import Windows

sys.path.insert(0, str(Path(__file__).parents[2] / "asv_bench"))
from benchmarks.streamflow import WARMUP, WINDOW, Update

HERE = Path(__file__)
RESULTS = HERE.parent.parent / "results" / "streamflow.jsonl"
SITES, DAYS, BATCH = 359, 3653, 100


def learning(seed):
    """Seconds of a whole call, and after which epoch the validation score is within 0.005 of the last."""
    ds = streamflow.prepare_mopex(streamflow.CHOOSE)
    options = COMMON | contenders("time")["static"]
    options |= {"attributes": streamflow.attributes_of(ds), "train": streamflow.CHOOSE, "progress": False}
    started = time.perf_counter()
    fit = ds.dpl.learn(seed=int(seed), **options)
    seconds = time.perf_counter() - started
    nse = float(fit.evaluate(ds, time=streamflow.VALIDATE)["nse"].median())
    epochs = fit.history.sizes["epoch"]
    return {
        "seed": int(seed),
        "seconds": round(seconds, 1),
        "epochs": epochs,
        "validation_nse": round(nse, 4),
    }


def epoch(network):
    """Seconds of an epoch of 100 basins per update in which a day is reached with 99 %."""
    updates = Windows(torch.arange(SITES), 0, DAYS - 1, WARMUP, WINDOW, BATCH, 0.99).updates
    update = Update()
    update.setup(network, BATCH)
    parts = update.shares(repeat=12)
    share = (parts["kernel"] + parts["routing"]) / parts["update"]
    seconds = {k: round(updates * v, 2) for k, v in parts.items()}
    return {"kind": network, "updates": updates, "share_of_the_model": round(share, 3)} | seconds


def memory(model):
    """Peak of a process that learns on 438 basins and 20 years, in GB."""
    done = subprocess.run([sys.executable, HERE, "peak", model], capture_output=True, text=True, check=True)
    return {"model": model, "peak_gb": round(float(done.stdout.split()[-1]), 2)}


def peak(model):
    ds = streamflow.prepare_mopex(observed=0.0)
    # Others stand in for those of the 438 without streamflow, or with gaps in their forcings.
    ds = xr.concat([ds, ds.isel(basin=slice(0, 438 - ds.sizes["basin"]))], "basin")
    options = COMMON | contenders("time")[model] | {"epochs": 1, "pretrain": 0, "progress": False}
    ds.dpl.learn(attributes=streamflow.attributes_of(ds), **options)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9)


def main(what, *names):
    if what == "peak":
        return peak(*names)
    for name in names:
        result = {"learning": learning, "epoch": epoch, "memory": memory}[what](name)
        row = {"experiment": what, "cores": len(os.sched_getaffinity(0))} | result
        print(row, flush=True)
        with RESULTS.open("a") as file:
            print(json.dumps(row), file=file)


if __name__ == "__main__":
    main(*sys.argv[1:])
