"""Measure what the page "Streamflow in ungauged basins" reports; writes one JSON line per run.

    python docs/scripts/streamflow_experiments.py FOLDER time dynamic 0       # protocol, model, seed
    python docs/scripts/streamflow_experiments.py FOLDER ungauged lstm 1      # five random folds
    python docs/scripts/streamflow_experiments.py FOLDER regions static 2     # seven regions
    python docs/scripts/streamflow_experiments.py FOLDER uncalibrated
    python docs/scripts/streamflow_experiments.py FOLDER balance dynamic 0    # of a fit of the protocol time

FOLDER keeps what is finished: the same call goes on where it was interrupted. Lines are added to
`docs/results/streamflow.jsonl`. Nothing here chooses settings: those of
`xdpl.demo.basins.contenders` were chosen within the training period.
"""

import json
import sys
from pathlib import Path

import numpy as np

import xdpl
from xdpl.demo.basins import COMMON, MODEL, contenders
from xdpl.demo.streamflow import TEST, TRAIN, attributes_of, prepare_mopex
from xdpl.evaluation import Temporal, Ungauged, UngaugedRegions, baseflow_index, flow_metrics, water_balance

RESULTS = Path(__file__).parent.parent / "results" / "streamflow.jsonl"
PROTOCOLS = {"time": Temporal(), "ungauged": Ungauged(k=5), "regions": UngaugedRegions(k=7)}
# After a year of warm-up.
LONG = slice("1971-10-01", None)
MEDIANS = ("nse", "kge_2009", "bias", "rmse", "fhv", "flv", "rmse_low", "rmse_high", "peak_timing")


def further(simulated, observed):
    index = {
        "bfi": baseflow_index(simulated),
        "bfi_observed": baseflow_index(observed),
    }
    return flow_metrics(simulated, observed).assign(index)


def described(scores):
    """Medians over sites, each site once, and the NSE of every site."""
    out = {k: round(float(scores[k].median()), 4) for k in MEDIANS}
    out["nse_p10"], out["nse_mean"] = float(scores["nse"].quantile(0.1)), float(scores["nse"].mean())
    # A series that is negative all the time has no baseflow.
    index = np.stack([scores["bfi"].values, scores["bfi_observed"].values])
    out["bfi_correlation"] = float(np.corrcoef(index[:, np.isfinite(index).all(axis=0)])[0, 1])
    return {k: round(v, 4) for k, v in out.items()} | {
        "sites": int(scores["nse"].count()),
        "nse_of_sites": [round(float(v), 3) for v in scores["nse"].values],
    }


def cross_validated(folder, name, label, seed):
    ds = prepare_mopex()
    options = COMMON | {"attributes": attributes_of(ds)}
    models = {label: contenders("time" if name == "time" else "sites")[label]}
    scores = ds.dpl.cross_validate(
        models,
        protocol=PROTOCOLS[name],
        train=TRAIN,
        test=TEST,
        seeds=[seed],
        scores=further,
        out=Path(folder) / name,
        save_fits=True,
        progress=False,
        **options,
    )
    scores = scores.isel(model=0, seed=0)
    each = scores.drop_vars(["seconds", "epochs", "stopped"]).max("fold")
    of_folds = [round(float(v), 4) for v in scores["nse"].median("basin")]
    return {"folds": of_folds} | described(each)


def uncalibrated():
    ds = prepare_mopex()
    sim = ds.dpl.simulate(MODEL, outputs=["streamflow"])["streamflow"].sel(time=TEST)
    observed = ds["streamflow"].sel(time=TEST)
    return described(xdpl.evaluation.metrics(sim, observed).assign(further(sim, observed)))


def fit_of(folder, label, seed):
    return xdpl.load(Path(folder) / "time" / "fits" / f"{label}.0.{seed}.zarr")


def gap(found):
    """Precipitation less observed streamflow against simulated evapotranspiration."""
    evaporated = found["evapotranspiration"]
    return abs(found["precipitation"] - found["observed_streamflow"] - evaporated) / evaporated


def balance(folder, label, seed):
    """Is what nobody calibrated sensible? Evapotranspiration and snow of a fit to streamflow."""
    ds = prepare_mopex()
    outputs = ["streamflow", "evapotranspiration", "snow_water_equivalent"]
    sim = fit_of(folder, label, seed).simulate(ds, outputs=outputs)
    long, test = (water_balance(ds, sim, target="streamflow", time=period) for period in (LONG, TEST))
    excess = (sim["evapotranspiration"] - ds["potential_evapotranspiration"]).max()
    snow, month = sim["snow_water_equivalent"].sel(time=LONG), sim["time"].sel(time=LONG).dt.month
    winter, late = (snow.where(month.isin(m)).mean("time") for m in ([1, 2, 3], [8, 9]))
    cold = ds["air_temperature"].sel(time=LONG).where(month.isin([12, 1, 2])).mean("time")
    ranks = np.corrcoef(winter.rank("basin"), cold.rank("basin"))
    return {
        "within_10_percent": round(float((gap(long) <= 0.1).mean()), 4),
        "within_10_percent_test": round(float((gap(test) <= 0.1).mean()), 4),
        "median_gap": round(float(gap(long).median()), 4),
        "most_above_potential": float(excess),
        "sites_with_late_snow": int((late > 10.0).sum()),
        "most_late_snow": round(float(late.max()), 1),
        "snow_against_winter_temperature": round(float(ranks[0, 1]), 3),
        **{
            name: np.round(long[name].values, 3).tolist()
            for name in ("aridity_index", "evaporative_index", "observed_evaporative_index")
        },
    }


def main(folder, what, *rest):
    seed = int(rest[-1]) if rest else None
    runs = {
        "uncalibrated": uncalibrated,
        "balance": lambda: balance(folder, rest[0], seed),
    }
    label = rest[0] if len(rest) == 2 else None
    result = runs[what]() if what in runs else cross_validated(folder, what, label, seed)
    with RESULTS.open("a") as file:
        print(json.dumps({"experiment": what, "model": label, "seed": seed} | result), file=file)


if __name__ == "__main__":
    main(*sys.argv[1:])
