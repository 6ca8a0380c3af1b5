"""Learning and calibrating as a part of an experiment: a part that was interrupted is none."""

from __future__ import annotations

import json
from typing import Any

import xarray as xr

from xdpl.calibrate import calibrate
from xdpl.experiments.case import Case
from xdpl.fit import Fit
from xdpl.learn import learn
from xdpl.models import NetworkOnly

__all__ = ["calibrate_whole", "learn_alone", "learn_whole"]


def learn_whole(ds: xr.Dataset, **options: Any) -> Fit:
    """As `xdpl.learn`.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C, which `learn` itself takes for an end.
    """
    fit: Fit = learn(ds, **options)
    if fit.settings["stopped"] == "interrupted":
        raise KeyboardInterrupt
    return fit


def learn_alone(case: Case, sites: xr.DataArray, seed: int) -> Fit:
    """A network without a process model, an LSTM if the case says nothing else, trained at some sites."""
    options = {"network": "lstm"} | case.learning_alone(int(sites.sum()), sites=sites, seed=seed)
    if not isinstance(options["model"], NetworkOnly):
        options["model"] = NetworkOnly(case.process)
    return learn_whole(case.data, **options)


def calibrate_whole(ds: xr.Dataset, *args: Any, **options: Any) -> xr.Dataset:
    """As `xdpl.calibrate`.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C, which `calibrate` itself takes for an end.
    """
    theta = calibrate(ds, *args, **options)
    if json.loads(theta.attrs["calibration"])["stopped"] == "interrupted":
        raise KeyboardInterrupt
    return theta
