"""Measure what the page "Soil moisture from space" reports; writes one JSON line per run.

    python docs/scripts/smap_experiments.py results.jsonl time 0 1 2     # next year, three seeds
    python docs/scripts/smap_experiments.py results.jsonl folds          # five random folds
    python docs/scripts/smap_experiments.py results.jsonl bands          # five longitude bands
    python docs/scripts/smap_experiments.py results.jsonl bands-no-place # without latitude and longitude

Scores of the training year at held-out sites are there to choose settings with; scores of the test year are
reported.
"""

import json
import sys
import time

import numpy as np

import xdpl
from xdpl.demo.satellite import ATTRIBUTES, PLACE, TEST, TRAIN, learn_smap, prepare_smap

METRICS = ("rmse", "ubrmse", "bias", "correlation", "nse", "kge_2009", "kge_2012")


def medians(scores):
    return {k: round(float(scores[k].median()), 4) for k in METRICS}


def uncalibrated(ds):
    sim = ds.dpl.simulate("vic", outputs=["soil_moisture"])["soil_moisture"].sel(time=TEST)
    return medians(xdpl.evaluation.metrics(sim, ds["soil_moisture"].sel(time=TEST)))


def next_year(ds, seed):
    started = time.perf_counter()
    fit = learn_smap(ds, seed=seed, progress=False)
    seconds = time.perf_counter() - started
    scores = fit.evaluate(ds, time=TEST)
    extra = {
        k: round(float(scores[k]), 4)
        for k in ("worst_rmse", "worst_ubrmse", "worst_correlation", "pooled_rmse")
    }
    return {"seed": seed, "seconds": round(seconds), "test": medians(scores) | extra}


def held_out(ds, labels, attributes):
    parts = {"validation": [], "test": []}
    for k in range(int(labels.max()) + 1):
        fit = learn_smap(ds, labels != k, attributes=attributes, progress=False)
        for name, period in (("validation", TRAIN), ("test", TEST)):
            scores = fit.evaluate(ds, time=period)[list(METRICS)]
            parts[name].append(scores.isel(site=np.flatnonzero(labels == k)))
            print(name, k, medians(parts[name][-1]), flush=True)
    import xarray as xr

    return {name: medians(xr.concat(scores, dim="site")) for name, scores in parts.items()}


def main(path, what, *seeds):
    ds = prepare_smap()
    no_place = [name for name in ATTRIBUTES if name not in PLACE]
    folds = xdpl.evaluation.random_folds(ds["sand"], k=5, seed=0)
    bands = xdpl.evaluation.contiguous_bands(ds["sand"], "lon", k=5)
    runs = {
        "uncalibrated": lambda: [{"test": uncalibrated(ds)}],
        "time": lambda: (next_year(ds, int(seed)) for seed in seeds),
        "folds": lambda: [held_out(ds, folds, ATTRIBUTES)],
        "folds-no-place": lambda: [held_out(ds, folds, no_place)],
        "bands": lambda: [held_out(ds, bands, ATTRIBUTES)],
        "bands-no-place": lambda: [held_out(ds, bands, no_place)],
    }
    for result in runs[what]():
        with open(path, "a") as file:
            print(json.dumps({"experiment": what} | result), file=file)


if __name__ == "__main__":
    main(*sys.argv[1:])
