"""Learn on a synthetic world, where the true parameters are known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from xdpl.data import twin as make_twin
from xdpl.data.known import known_parameters
from xdpl.demo.writing import write
from xdpl.evaluation import random_folds, standard_errors
from xdpl.fit import Fit
from xdpl.learn import learn
from xdpl.simulate import simulate

__all__ = ["TwinResult", "run_twin", "twin"]

ATTRIBUTES = ("sand", "clay", "ndvi", "elevation", "slope")
TRAIN = slice("2001", "2001")
TEST = slice("2003", None)
# A parameter is identifiable when all sites together tell it to half its spread.
IDENTIFIABLE = 0.5


@dataclass(frozen=True)
class TwinResult:
    """What learning on the twin gave.

    Parameters
    ----------
    fit : Fit
    rmse : dict of str to float
        Of soil moisture against the noise-free truth in the test period, m3 m-3:
        "uncalibrated", "trained", "held-out" sites.
    evapotranspiration_rmse : dict of str to float
        Likewise for evapotranspiration, which was never observed, mm d-1.
    recovery : dict of str to tuple
        Per parameter: Spearman correlation with the truth at trained sites, at
        held-out sites, and the standard error in shares of the true spread.
    """

    fit: Fit
    rmse: dict[str, float]
    evapotranspiration_rmse: dict[str, float]
    recovery: dict[str, tuple[float, float, float]]

    def identifiable(self) -> list[str]:
        """Parameters that the data can tell, by their standard error."""
        return [name for name, (_, _, error) in self.recovery.items() if error < IDENTIFIABLE]


def run_twin(ds: xr.Dataset, *, epochs: int = 130, seed: int = 0, progress: bool = True) -> TwinResult:
    """Learn on a year at four fifths of the sites of a twin, test on another year at all sites.

    Parameters
    ----------
    ds : Dataset
        From `xdpl.data.twin`, at least three years.
    epochs, seed, progress
        As in `xdpl.learn`.
    """
    folds = random_folds(ds["sand"], k=5, seed=0)
    fit = learn(
        ds,
        "vic",
        target="soil_moisture",
        attributes=ATTRIBUTES,
        train=TRAIN,
        sites=folds != 0,
        learning_rate=1e-2,
        epochs=epochs,
        seed=seed,
        progress=progress,
    )
    outputs = ["soil_moisture", "evapotranspiration"]
    learned = fit.simulate(ds, outputs=outputs)
    default = simulate(ds, "vic", outputs=outputs)
    groups = {
        "uncalibrated": (default, folds == 0),
        "trained": (learned, folds != 0),
        "held-out": (learned, folds == 0),
    }
    rmse, et_rmse = (
        {name: _rmse(sim[variable], ds[f"true_{variable}"], sites) for name, (sim, sites) in groups.items()}
        for variable in outputs
    )
    return TwinResult(fit, rmse, et_rmse, _recovery(ds, fit, folds))


def _rmse(simulated: xr.DataArray, truth: xr.DataArray, sites: xr.DataArray) -> float:
    square = (simulated - truth).sel(time=TEST).where(sites) ** 2
    return float(np.sqrt(square.mean()))


def _recovery(ds: xr.Dataset, fit: Fit, folds: xr.DataArray) -> dict[str, tuple[float, float, float]]:
    from scipy.stats import spearmanr

    theta = fit.parameters(ds)
    declared = {p.name: p for p in fit.model.parameters}
    truth = known_parameters(ds, fit.model)
    seen = ds.assign(soil_moisture=ds["soil_moisture"].where(folds != 0))
    errors = standard_errors(
        seen, fit.model, truth, target="soil_moisture", noise=_noise(ds), attributes=ATTRIBUTES, time=TRAIN
    )
    recovery = {}
    for name, true in truth.data_vars.items():
        ranks = [
            float(spearmanr(theta[name].values[sites.values], true.values[sites.values]).statistic)
            for sites in (folds != 0, folds == 0)
        ]
        spread = (np.log(true) if declared[str(name)].scale == "log" else true).std()
        error = float(np.sqrt((errors[name] ** 2).mean()) / spread)
        recovery[str(name)] = (ranks[0], ranks[1], error)
    return recovery


def _noise(ds: xr.Dataset) -> float:
    return float((ds["soil_moisture"] - ds["true_soil_moisture"]).std())


def twin(*, out: Path, epochs: int = 130, seed: int = 0, progress: bool = True) -> TwinResult:
    """Make the twin, learn, print scores and recovery, write maps and netCDF to `out`."""
    ds = make_twin()
    print("A synthetic world of 400 sites; the model vic is the truth, its parameters are hidden.\n")
    result = run_twin(ds, epochs=epochs, seed=seed, progress=progress)
    print(result.fit)
    print("\ntest period 2003, error against the noise-free truth (RMSE)")
    print(f"  {'':14}{'soil moisture':>16}{'evapotranspiration':>22}")
    print(f"  {'':14}{'(m3 m-3)':>16}{'(mm d-1, unobserved)':>22}")
    for name, value in result.rmse.items():
        print(f"  {name:14}{value:16.4f}{result.evapotranspiration_rmse[name]:22.3f}")
    print("\nrank correlation of learned with true parameters")
    print(f"  {'':20}{'trained':>9}{'held-out':>10}{'error/spread':>14}")
    known = result.identifiable()
    for name, (trained, held, error) in sorted(result.recovery.items(), key=lambda item: item[1][2]):
        note = "" if name in known else "  not identifiable"
        print(f"  {name:20}{trained:9.2f}{held:10.2f}{error:14.2f}{note}")
    print("  identifiable: standard error of all sites together (Cramér-Rao) below half the true spread")
    theta = result.fit.parameters(ds)
    write(result.fit, ds, theta[list(result.recovery)], theta, out)
    return result
