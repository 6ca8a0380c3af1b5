"""Gradients of one series after the other, by runs and by the adjoint; basins to learn from."""

import functools

import numpy as np
import torch
import xarray as xr
from helpers_bucket import PARAMETERS, Twin, days, learnable

import xdpl
from xdpl import engines
from xdpl.models.ordering import Ordering
from xdpl.networks import MLP
from xdpl.training.sources import Setting

SETTINGS = {"target": "runoff", "attributes": ["slope", "soil"], "network": MLP((16,)), "batch": 24}
SETTINGS |= {"window": 60, "warmup": 30, "learning_rate": 0.03, "epochs": 30, "progress": False}
SITES, STEPS, RECORD = 4, 30, 80


def setting(model, outputs=("runoff", "evaporation"), engine=None, ordering=None):
    dates = xr.date_range("2001-01-01", periods=RECORD, use_cftime=False)
    return Setting(model, ordering or Ordering(), outputs, engine, dates, torch.device("cpu"))


def windows():
    """Forcings (time, series) of windows that begin at three dates, and their begins."""
    ds = days(sites=SITES, length=RECORD)
    begins = np.array([7, 0, 7, 50])
    cut = {
        k: torch.tensor(np.stack([v.values[b : b + STEPS, i] for i, b in enumerate(begins)], axis=1))
        for k, v in ds.data_vars.items()
    }
    return cut, torch.tensor(begins)


def estimates(dtype=torch.float64):
    """Parameters (series,) between their bounds, as leaves."""
    values = {"k": [0.02, 0.1, 0.3, 0.6], "capacity": [60.0, 150.0, 35.0, 300.0]}
    return {p.name: torch.tensor(values[p.name], dtype=dtype, requires_grad=True) for p in PARAMETERS}


def weights(seed=2):
    """What each step of each series counts in a loss."""
    return torch.tensor(np.random.default_rng(seed).normal(size=(STEPS, SITES)))


def slopes(series, leaves, retain=False):
    """Gradient (series, parameter) of a weighted sum of both outputs."""
    loss = (weights() * (series["runoff"] + 0.5 * series["evaporation"])).sum()
    found = torch.autograd.grad(loss, list(leaves.values()), retain_graph=retain)
    return torch.stack(found, dim=1).numpy()


def exact(leaves=None):
    """The same by the adjoint of the twin."""
    leaves = estimates() if leaves is None else leaves
    forcings, _ = windows()
    series, _ = engines.run("numba", Twin(), forcings, leaves, outputs=("runoff", "evaporation"))
    return slopes(series, leaves)


@functools.cache
def basins():
    """Twelve basins whose recession and capacity follow two attributes."""
    return learnable(150)


def learn(model, gradients=None, **options):
    return xdpl.learn(basins()[0], model, gradients=gradients, **(SETTINGS | options))


def score(fit):
    return float(fit.evaluate(basins()[0])["nse"].median())
