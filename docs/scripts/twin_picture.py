"""Draw docs/img/twin.png from the result of `xdpl demo`.

python docs/scripts/twin_picture.py xdpl-demo/fit.zarr
"""

import sys

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np

import xdpl

SHOWN = ("porosity", "residual_fraction", "canopy_fraction", "ksat")


def main(path):
    ds = xdpl.data.twin()
    fit = xdpl.load(path)
    theta = fit.parameters(ds)
    figure = plt.figure(figsize=(11, 6.6), layout="constrained")
    grid = figure.add_gridspec(3, 4, height_ratios=(1, 1, 0.85))
    for column, name in enumerate(SHOWN):
        true, learned = ds[f"true_{name}"], theta[name]
        low, high = float(true.min()), float(true.max())
        for row, (title, array) in enumerate((("true", true), ("learned", learned))):
            ax = figure.add_subplot(grid[row, column])
            mesh = ax.pcolormesh(ds["lon"], ds["lat"], array, vmin=low, vmax=high, shading="nearest")
            ax.set_title(f"{title} {name.replace('_', ' ')}", fontsize=10)
            ax.tick_params(labelsize=7, labelbottom=row == 1, labelleft=column == 0)
        figure.colorbar(mesh, ax=figure.axes[-2:], shrink=0.8, label=theta[name].attrs["units"])
    ax = figure.add_subplot(grid[2, :])
    held = xdpl.evaluation.random_folds(ds["sand"], k=5, seed=0) == 0
    error = (
        (ds["true_soil_moisture"] - ds.dpl.simulate("vic")["soil_moisture"])
        .sel(time="2003")
        .std("time")
        .where(held)
    )
    where = {k: int(v) for k, v in error.argmax(("lat", "lon")).items()}
    site = ds.isel(where).sel(time="2003")
    default, learned = (
        run["soil_moisture"].isel(where).sel(time="2003")
        for run in (ds.dpl.simulate("vic"), fit.simulate(ds))
    )
    ax.plot(site["time"], site["soil_moisture"], ".", color="0.6", markersize=3, label="observed (not used)")
    ax.plot(site["time"], default, color="C1", linewidth=1, label="default parameters")
    ax.plot(site["time"], site["true_soil_moisture"], color="k", linewidth=1.6, label="truth")
    ax.plot(site["time"], learned, color="C0", linewidth=1.2, linestyle="--", label="learned parameters")
    ax.set_ylabel("soil moisture (m3 m-3)")
    ax.set_title("test year at a site the network never saw", fontsize=10)
    ax.set_xlim(np.datetime64("2003-01-01"), np.datetime64("2003-12-31"))
    ax.legend(frameon=False, ncols=4, fontsize=8, loc="upper right")
    ax.set_ylim(top=1.25 * ax.get_ylim()[1])
    figure.savefig("docs/img/twin.png", dpi=110)


if __name__ == "__main__":
    main(*sys.argv[1:])
