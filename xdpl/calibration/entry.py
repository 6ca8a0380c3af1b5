"""From a checked request to calibrated parameters."""

from __future__ import annotations

import hashlib
import json
from contextlib import closing
from typing import Any

import numpy as np
import xarray as xr

from xdpl.blackbox.session import at_work
from xdpl.calibration import result
from xdpl.calibration.arrays import Arrays, gather
from xdpl.calibration.bar import Bar
from xdpl.calibration.cube import Cube
from xdpl.calibration.journal import Journal
from xdpl.calibration.loop import Evaluate, minimise
from xdpl.calibration.problem import Problem
from xdpl.calibration.request import Inputs, Request, inspect
from xdpl.engines.tracing.trace import remembering
from xdpl.errors import Problems, short
from xdpl.labelled.attrs import model_hash
from xdpl.labelled.grid import Grid
from xdpl.models import BlackBox

__all__ = ["run"]

# For each site, where nothing else is said.
_EVALUATIONS = 5000
_EVALUATIONS_WITH_SLOPES = 600


def run(ds: xr.Dataset, request: Request, *, progress: bool) -> xr.Dataset:
    """Check, gather, minimise; arguments as in `xdpl.calibrate`."""
    model = request.model
    name = model if isinstance(model, str) else getattr(model, "name", short(model))
    problems = Problems(f"calibrate({name!r})")
    inputs = inspect(ds, request, problems)
    # Dims by name, so that a transposed dataset gives the same parameters.
    grid = Grid.of(ds.transpose(*sorted(ds.dims, key=str)), inputs.variables)
    arrays = gather(ds, inputs, grid, request, problems)
    settings = _settings(inputs, request, arrays)
    cube = Cube(inputs.free, inputs.ordering)
    problem = Problem(
        inputs.model,
        inputs.output,
        cube,
        arrays.forcings,
        arrays.fixed,
        arrays.observed,
        arrays.warmup,
        request.objective,
        request.engine,
        arrays.time,
    )
    optimiser = inputs.begin(
        arrays.keys,
        len(inputs.free),
        seed=settings["seed"],
        evaluations=settings["evaluations"],
        start=cube.points(arrays.start),
        **request.options,
    )
    bar = Bar(settings["evaluations"] * len(arrays.keys), progress)
    journal = Journal(request.checkpoint, _fingerprint(arrays, settings))
    with closing(journal), closing(bar), closing(optimiser), remembering(), at_work(inputs.model):
        whole = minimise(optimiser, _evaluate(problem, optimiser), journal=journal, watch=bar.update)
    settings["stopped"] = "finished" if whole else "interrupted"
    theta = result.labelled(ds, inputs, grid, arrays, cube, optimiser, settings)
    if isinstance(inputs.model, BlackBox):
        theta.attrs |= problem.failures.attrs()
        problem.failures.warn(problems.call, "infinitely bad", stacklevel=3)
    return theta


def _evaluate(problem: Problem, optimiser: Any) -> Evaluate:
    if not optimiser.needs_slopes:
        return problem
    # PyTorch is imported only where it is needed.
    from xdpl.calibration.slopes import Slopes

    return Slopes(problem)


def _settings(inputs: Inputs, request: Request, arrays: Arrays) -> dict[str, Any]:
    """How it is calibrated, as plain values."""
    method = request.method
    usual = _EVALUATIONS_WITH_SLOPES if method == "gradient" else _EVALUATIONS
    return {
        "method": method if isinstance(method, str) else getattr(method, "__name__", short(method)),
        "options": {k: _plain(v) for k, v in request.options.items()},
        "objective": request.objective,
        "target": inputs.output,
        "variable": inputs.target.variable,
        "evaluations": int(usual if request.evaluations is None else request.evaluations),
        "model_hash": model_hash(inputs.model),
        "train": list(arrays.period),
        "warmup": arrays.warmup,
        "fixed": sorted(inputs.fixed),
        "order": inputs.ordering.names,
        "dtype": np.dtype(request.dtype).name,
        "seed": int(request.seed),
    }


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) else repr(value)


def _fingerprint(arrays: Arrays, settings: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    groups = (arrays.forcings, arrays.fixed, arrays.start)
    for values in (*(v for g in groups for v in g.values()), arrays.observed, arrays.keys):
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()
