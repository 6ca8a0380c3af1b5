"""Observation operators with the statistics and the values they need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from xdpl.errors import Problems
from xdpl.labelled.grid import Grid
from xdpl.observation import Frozen, Operator, SiteAffine
from xdpl.observation.frozen import frozen_values
from xdpl.training.arrays import Arrays
from xdpl.training.observer import Level, Observer

if TYPE_CHECKING:
    from xdpl.models import Model

__all__ = ["cost_unit", "observer", "trusted_sites"]

_DIMENSIONAL = ("rmse", "rmse_log", "site_rmse")


def observer(
    operators: Mapping[str, Operator],
    losses: Mapping[str, str],
    weights: Mapping[str, float],
    arrays: Arrays,
    grid: Grid,
    model: Model,
    problems: Problems,
) -> Observer:
    """Operators as a module, with statistics of the training period.

    Raises
    ------
    InputErrors
        If a frozen scale or offset is NaN, infinite or a scale of zero at a site that is used.
    """
    given = {}
    for name, operator in operators.items():
        if isinstance(operator, Frozen):
            values = frozen_values(operator, model.output(name).units, grid)
            scale, offset = (v[arrays.kept] for v in values)
            wrong = ~np.isfinite(scale) | ~np.isfinite(offset) | (scale == 0)
            if wrong.any():
                where = np.flatnonzero(arrays.kept)[int(np.argmax(wrong))]
                problems.add(
                    "observation",
                    expected=f"a finite offset and scale of {name}, the scale not 0, at all sites used",
                    got=f"others at {wrong.sum()} of {wrong.size} sites, first {grid.label(int(where))}",
                    fix="fill them, or leave those sites out with sites=",
                )
            given[name] = scale, offset
    problems.raise_if_any()
    levels = {k: Level(arrays.mean[k], arrays.training, arrays.typical[k]) for k in operators}
    costs = {k: cost_unit(losses[k], weights[k], levels[k]) for k in operators}
    trusted = {k: v[arrays.kept] for k, v in trusted_sites(operators, grid).items()}
    return Observer(operators, levels, given, costs, trusted)


def trusted_sites(operators: Mapping[str, Operator], grid: Grid) -> dict[str, np.ndarray]:
    """Sites (site,) of a grid whose observations are compared as they are, where an operator names some."""
    return {
        name: grid.flatten(operator.trusted, bool)
        for name, operator in operators.items()
        if isinstance(operator, SiteAffine) and operator.trusted is not None
    }


def cost_unit(loss: str, weight: float, level: Level) -> float:
    """What a penalty of one counts: in units of the target where the loss is, so that strengths compare."""
    return weight * (level.unit if loss in _DIMENSIONAL else 1.0)
