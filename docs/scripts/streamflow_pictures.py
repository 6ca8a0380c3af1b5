"""Draw the pictures of the page "Streamflow in ungauged basins" from docs/results/streamflow.jsonl.

python docs/scripts/streamflow_pictures.py
"""

import json
from pathlib import Path

import matplotlib as mpl
import numpy as np
import xarray as xr

mpl.use("agg")
import matplotlib.pyplot as plt

from xdpl import plot
from xdpl.demo.streamflow import prepare_mopex

DOCS = Path(__file__).parent.parent
TITLES = {"time": "another decade", "ungauged": "ungauged basins", "regions": "ungauged regions"}
MODELS = {"dynamic": "HBV, dynamic", "static": "HBV, static", "lstm": "LSTM alone"}


def runs():
    lines = (DOCS / "results" / "streamflow.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def of_sites(rows, experiment, model):
    """NSE of each site, mean of seeds."""
    found = [r["nse_of_sites"] for r in rows if (r["experiment"], r.get("model")) == (experiment, model)]
    nse = xr.DataArray(np.mean(found, axis=0), dims="basin", attrs={"units": "1"}) if found else None
    return None if nse is None else xr.Dataset({"nse": nse})


def distributions(rows):
    known = [k for k in TITLES if of_sites(rows, k, "dynamic") is not None]
    figure, axes = plt.subplots(1, len(known), figsize=(4.2 * len(known), 4.2), layout="constrained")
    for ax, experiment in zip(np.atleast_1d(axes), known, strict=True):
        each = {label: of_sites(rows, experiment, k) for k, label in MODELS.items()}
        plot.cdf({k: v for k, v in each.items() if v is not None}, ax=ax)
        ax.set_title(TITLES[experiment])
    figure.savefig(DOCS / "img" / "streamflow_cdf.svg")


def budyko(rows):
    found = [r for r in rows if r["experiment"] == "balance" and r["model"] == "dynamic"][-1]
    names = ("aridity_index", "evaporative_index", "observed_evaporative_index")
    balance = xr.Dataset({k: ("basin", found[k], {"units": "1"}) for k in names})
    figure, ax = plt.subplots(figsize=(6.4, 4.6), layout="constrained")
    plot.budyko(balance, ax=ax)
    figure.savefig(DOCS / "img" / "streamflow_budyko.svg")


def places(rows):
    ds = prepare_mopex()
    experiment = "ungauged"
    found = of_sites(rows, experiment, "dynamic")["nse"]
    nse = xr.DataArray(found.values, ds["latitude"].coords, "basin", attrs=found.attrs)
    figure = plot.maps(xr.Dataset({"nse": nse}))
    figure.savefig(DOCS / "img" / "streamflow_map.svg")


def main():
    rows = runs()
    distributions(rows)
    if any(r["experiment"] == "balance" for r in rows):
        budyko(rows)
    if any(r["experiment"] == "ungauged" and r["model"] == "dynamic" for r in rows):
        places(rows)


if __name__ == "__main__":
    main()
