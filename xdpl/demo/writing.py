"""Write what a demonstration learned: netCDF, the fit, and pictures if matplotlib is there."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import xarray as xr

from xdpl.fit import Fit

__all__ = ["write"]


def write(fit: Fit, ds: xr.Dataset, shown: xr.Dataset, theta: xr.Dataset, out: Path) -> None:
    """Write ``parameters.nc``, ``fit.zarr``, ``parameters.png`` and ``learning.png``.

    Parameters
    ----------
    fit : Fit
    ds : Dataset
        That the parameters are of.
    shown : Dataset
        Parameters to map in the picture.
    theta : Dataset
        All parameters.
    out : Path
        Folder; made if missing. Files of an earlier run are replaced.
    """
    out.mkdir(parents=True, exist_ok=True)
    theta.to_netcdf(out / "parameters.nc", engine="h5netcdf")
    shutil.rmtree(out / "fit.zarr", ignore_errors=True)
    fit.save(out / "fit.zarr")
    written = ["parameters.nc", "fit.zarr"]
    if importlib.util.find_spec("matplotlib") is not None:
        import matplotlib

        matplotlib.use("agg")
        import matplotlib.pyplot as plt

        from xdpl.plot import maps

        maps(shown).savefig(out / "parameters.png", dpi=150)
        figure, ax = plt.subplots(layout="constrained")
        fit.plot.history(ax=ax)
        figure.savefig(out / "learning.png", dpi=150)
        written += ["parameters.png", "learning.png"]
    else:
        print("\nno pictures: pip install 'xdpl[plot]'")
    print(f"\nwritten to {out}/: {', '.join(written)}")
