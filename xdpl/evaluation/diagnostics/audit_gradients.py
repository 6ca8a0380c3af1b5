"""Gradients of a loss by the adjoint, with and without the warm-up, and by differences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from xdpl import engines
from xdpl.calibration.cube import Cube
from xdpl.engines.tracing.trace import remembering
from xdpl.evaluation.diagnostics.case import Case
from xdpl.evaluation.diagnostics.information import shares, slopes
from xdpl.training.losses import LOSSES, Spread
from xdpl.training.statistics import spread

__all__ = ["Gradients", "gradients"]

# Of the bounds. Rounding of a difference falls with the step, what thresholds and bends add grows with it.
_STEP = 1e-6
# Rounding errors of a run, in units of the last place of its series.
_ROUNDING = 64.0


@dataclass(frozen=True)
class Gradients:
    """Of a loss with respect to the shares of the bounds, each (site, parameter).

    Parameters
    ----------
    adjoint : ndarray
    cut : ndarray
        Without what flows through the warm-up.
    score : ndarray
        Of the score.
    central : ndarray
        Central differences; one-sided at a bound.
    bend : ndarray
        How much the differences to both sides differ; NaN at a bound.
    floor : ndarray
        What rounding may make of a difference.
    simulated : ndarray, (time, site)
        After the warm-up.
    """

    adjoint: np.ndarray
    cut: np.ndarray
    score: np.ndarray
    central: np.ndarray
    bend: np.ndarray
    floor: np.ndarray
    simulated: np.ndarray


def gradients(case: Case, loss: str, score: str, engine: str | None) -> Gradients:
    """All of them at the parameters of a case; `loss` and `score` are names of losses."""
    observed = torch.from_numpy(case.observed)
    everywhere = np.ones(len(case.keys), bool)
    std = spread(case.observed, everywhere)
    known = Spread(torch.from_numpy(std), float(np.median(std)))
    with remembering(), np.errstate(all="ignore"):
        series, leaves = _series(case, engine)
        values = series.detach()
        weights = {name: _slope_of(name, values, observed, known) for name in dict.fromkeys((loss, score))}
        adjoint, scored = (_pull(series, leaves, weights[name]) for name in (loss, score))
        # Warmed up to the same states, the series is the same, and so is the slope of the loss.
        cut = _pull(*_series(case, engine, cut=True), weights[loss]) if case.warmup else adjoint
        weight = weights[loss].numpy()
        central, bend, floor = _differences(case, values.numpy(), weight, engine)
    moved = np.stack(list(slopes(case).values()), axis=1)
    return Gradients(adjoint * moved, cut * moved, scored * moved, central, bend, floor, values.numpy())


def _series(case: Case, engine: str | None, *, cut: bool = False) -> tuple[Tensor, list[Tensor]]:
    """The output after the warm-up, and the parameters as leaves of its gradient."""
    forcings = {k: torch.from_numpy(v) for k, v in case.forcings.items()}
    leaves = {k: torch.tensor(v, requires_grad=True) for k, v in case.parameters.items()}
    start = None
    if cut:
        with torch.no_grad():
            before = {k: v[: case.warmup] for k, v in forcings.items()}
            _, start = engines.run(engine, case.model, before, leaves)
        forcings = {k: v[case.warmup :] for k, v in forcings.items()}
    series, _ = engines.run(
        engine, case.model, forcings, leaves, initial=start, outputs=(case.output,), states=False
    )
    return series[case.output][0 if cut else case.warmup :], list(leaves.values())


def _slope_of(name: str, simulated: Tensor, observed: Tensor, known: Spread) -> Tensor:
    """How the loss changes with each simulated value, (time, site)."""
    leaf = simulated.clone().requires_grad_()
    (slope,) = torch.autograd.grad(LOSSES[name](leaf, observed, known), leaf)
    return slope


def _pull(series: Tensor, leaves: list[Tensor], weight: Tensor) -> np.ndarray:
    """Gradient (site, parameter) of the weighted sum of a series."""
    found = torch.autograd.grad(
        series, leaves, weight, retain_graph=True, allow_unused=True, materialize_grads=True
    )
    pulled: np.ndarray = torch.stack(list(found), dim=1).numpy()
    return pulled


def _differences(
    case: Case, simulated: np.ndarray, weight: np.ndarray, engine: str | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Central differences of the series by every share, weighted and summed; their bend and rounding."""
    cube, here = Cube(tuple(case.model.parameters)), shares(case)
    scale = (np.abs(weight) * np.abs(simulated)).sum(axis=0)
    found = []
    for i in range(here.shape[1]):
        sides = np.stack([here, here])
        sides[:, :, i] = np.clip(here[:, i] + np.array([[_STEP], [-_STEP]]), 0.0, 1.0)
        runs, _ = engines.run(
            engine,
            case.model,
            case.forcings,
            cube.values(sides),
            outputs=(case.output,),
            members=2,
            average=False,
            states=False,
        )
        up, down = (runs[case.output][case.warmup :, j] for j in (0, 1))
        rise, fall = sides[0, :, i] - here[:, i], here[:, i] - sides[1, :, i]
        central = ((up - down) * weight).sum(axis=0) / (rise + fall)
        both = (rise > 0.5 * _STEP) & (fall > 0.5 * _STEP)
        ahead, behind = (((v * weight).sum(axis=0)) / _STEP for v in (up - simulated, simulated - down))
        bend = np.where(both, np.abs(ahead - behind), np.nan)
        floor = _ROUNDING * np.finfo(np.float64).eps * scale / (rise + fall)
        found.append((central, bend, floor))
    central, bend, floor = (np.stack(columns, axis=1) for columns in zip(*found, strict=True))
    return central, bend, floor
