"""Learn the parameters of process-based models from data, on labelled datasets.

`import xdpl` registers the accessor ``ds.dpl``.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as _version
from typing import TYPE_CHECKING, Any

from xdpl import blackbox, data, evaluation, export, models, objectives, observation, plot, priors
from xdpl.accessor import DplAccessor as _DplAccessor
from xdpl.calibrate import calibrate
from xdpl.check import Check, check
from xdpl.cross_validate import cross_validate
from xdpl.learn import learn
from xdpl.load import load
from xdpl.pet import pet
from xdpl.read_table import read_table
from xdpl.regionalise import regionalise
from xdpl.simulate import simulate
from xdpl.spin_up import spin_up
from xdpl.to_table import to_table
from xdpl.to_zarr import to_zarr

if TYPE_CHECKING:
    from xdpl import gradients, networks, surrogate, uncertainty
    from xdpl.fit import Ensemble, Fit
    from xdpl.regionalisation import Regionalisation

try:
    __version__ = _version("xdpl")
except PackageNotFoundError:  # a source tree that was not installed
    __version__ = "0+unknown"

__all__ = [
    "Check",
    "Ensemble",
    "Fit",
    "Regionalisation",
    "__version__",
    "blackbox",
    "calibrate",
    "check",
    "cross_validate",
    "data",
    "evaluation",
    "export",
    "gradients",
    "learn",
    "load",
    "models",
    "networks",
    "objectives",
    "observation",
    "pet",
    "plot",
    "priors",
    "read_table",
    "regionalise",
    "simulate",
    "spin_up",
    "surrogate",
    "to_table",
    "to_zarr",
    "uncertainty",
]


def __getattr__(name: str) -> Any:
    # What needs torch is imported when first used.
    if name in ("gradients", "networks", "surrogate", "uncertainty"):
        return import_module(f"xdpl.{name}")
    if name in ("Ensemble", "Fit"):
        return getattr(import_module("xdpl.fit"), name)
    if name == "Regionalisation":
        return import_module("xdpl.regionalisation").Regionalisation
    msg = f"module 'xdpl' has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


del _DplAccessor
