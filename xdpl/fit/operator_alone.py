"""What observation operators do by themselves: fitted to a simulation that is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
import xarray as xr

from xdpl import units
from xdpl.labelled.grid import Grid
from xdpl.labelled.lookup import in_units
from xdpl.observation import GlobalAffine, SiteAffine
from xdpl.observation.learned import learned
from xdpl.training.losses import Spread
from xdpl.training.objective import Answers, Objective
from xdpl.training.observer import Level, Observer
from xdpl.training.observing import cost_unit, trusted_sites
from xdpl.training.statistics import level, spread

if TYPE_CHECKING:
    from xdpl.errors import Problems
    from xdpl.fit.result import Fit

__all__ = ["operator_alone"]

# Two numbers of each site, from one gradient of all: these reach the minimum to four digits.
_STEPS, _RATE = 600, 0.05


def operator_alone(
    fit: Fit,
    output: str,
    simulated: xr.DataArray,
    observed: xr.DataArray,
    sites: xr.DataArray,
    problems: Problems,
) -> xr.Dataset:
    """Scale and offset that the operator of a fit would have learned of another simulation.

    They minimise what the training minimised, the loss of the target and the penalty, over
    the training period in one piece, with a network that does not move.

    Parameters
    ----------
    fit : Fit
    output : str
        A target of the fit.
    simulated, observed : DataArray, (time, ...)
        Of all sites; the simulated in the units of the model.
    sites : DataArray of bool, (...)
        Those the operator is fitted to.
    problems : Problems

    Returns
    -------
    Dataset
        As `Fit.observation`; that of the fit itself, if its operator is not trained.
    """
    operator = fit.operators[output]
    if not isinstance(operator, GlobalAffine | SiteAffine):
        return fit.observation
    period = fit.observation.attrs["period"]
    plain = in_units(observed, fit.model.output(output).units, problems)
    ds = xr.Dataset({"simulated": units.magnitude(simulated), "observed": plain}).drop_attrs()
    grid = Grid.of(ds, ["simulated"])
    chosen = np.flatnonzero(grid.flatten(sites, bool))
    # Statistics are those of the whole training period, losses of its days after the warm-up.
    whole = grid.flatten(ds["observed"].sel(time=slice(*fit.settings["train"])), np.float32)[:, chosen]
    now = ds.sel(time=slice(*period))
    sim, obs = (grid.flatten(now[k], np.float32)[:, chosen] for k in ("simulated", "observed"))
    every = np.ones(len(chosen), bool)
    std = spread(whole, every)
    lies = Level(level(whole, every), every, float(np.median(std)))
    loss, weight = fit.settings["loss"][output], fit.settings["weights"][output]
    operators = {output: operator}
    costs = {output: cost_unit(loss, weight, lies)}
    trusted = {k: v[chosen] for k, v in trusted_sites(operators, grid).items()}
    observer = Observer(operators, {output: lies}, {}, costs, trusted)
    spreads = {output: Spread(torch.tensor(std, dtype=torch.float32), lies.typical)}
    answers = Answers({output: torch.from_numpy(obs)}, spreads)
    _minimise(observer, Objective({output: loss}, {output: weight}), {output: torch.from_numpy(sim)}, answers)
    return learned(fit.model, operators, observer.values(), chosen, grid, period)


def _minimise(
    observer: Observer, objective: Objective, simulated: dict[str, torch.Tensor], answers: Answers
) -> None:
    count = next(iter(simulated.values())).shape[1]
    sites = torch.arange(count)
    optimiser = torch.optim.Adam(observer.parameters(), lr=_RATE)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, _STEPS)
    for _ in range(_STEPS):
        optimiser.zero_grad()
        objective(observer(simulated, sites), answers).backward()
        optimiser.step()
        falling.step()
