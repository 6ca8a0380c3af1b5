"""A model as if it were somebody else's program: run in processes of its own, without gradients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from xdpl.models import BlackBox, Flux, Model
from xdpl.simulate import simulate

__all__ = ["boxed"]


@dataclass(frozen=True)
class _Program:
    """Runs a model on the labelled arrays that a black box gets."""

    model: Model
    outputs: tuple[str, ...]

    def __call__(self, forcings: xr.Dataset, parameters: xr.Dataset) -> Mapping[str, np.ndarray]:
        found = simulate(forcings, self.model, parameters, outputs=list(self.outputs))
        return {k: found[k].transpose("time", "site").values for k in self.outputs}


def boxed(model: Model, *outputs: str, **options: Any) -> BlackBox:
    """A black box around a model, with some of its outputs.

    Parameters
    ----------
    model : Model
    *outputs : str
    **options
        Of `xdpl.models.BlackBox`.
    """
    declared = (model.output(k) for k in outputs)
    fluxes = tuple(Flux(d.name, d.units, d.standard_name, d.long_name) for d in declared)
    program = _Program(model, outputs)
    return BlackBox(model.name, model.forcings, model.parameters, fluxes, program, dt=model.dt, **options)
