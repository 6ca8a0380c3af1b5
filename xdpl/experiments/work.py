"""Learning and calibrating as a part of an experiment: a part that was interrupted is none."""

from __future__ import annotations

import json
from typing import Any

import xarray as xr

from xdpl.calibrate import calibrate
from xdpl.fit import Fit
from xdpl.learn import learn

__all__ = ["calibrate_whole", "learn_whole"]


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
