"""From a checked request to a fit: tensors, network, training."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr

from xdpl import engines, networks, units
from xdpl.engines.tracing.trace import step_of
from xdpl.errors import Problems, short
from xdpl.fit.result import Fit
from xdpl.labelled.attrs import model_hash
from xdpl.labelled.grid import Grid
from xdpl.networks.bounded import ParameterNetwork
from xdpl.networks.mlp import build
from xdpl.training.arrays import Arrays, Period, gather, periods
from xdpl.training.loop import Outcome, Plan, train
from xdpl.training.request import Inputs, Request, inspect
from xdpl.training.samples import Batch, Samples, Windows

__all__ = ["run"]


def run(ds: xr.Dataset, request: Request, *, progress: bool, checkpoint: Path | None) -> Fit:
    """Check, gather, train; arguments as in `xdpl.learn`."""
    asked = request.model
    name = asked if isinstance(asked, str) else getattr(asked, "name", short(asked))
    problems = Problems(f"learn({name!r})")
    device = _device(request.device, problems)
    _check_folder(checkpoint, problems)
    engines.check(request.engine, device.type == "cuda", problems)
    inputs = inspect(ds, request, problems)
    request = request.plain()
    # Dims by name, so that a transposed dataset gives the same fit.
    grid = Grid.of(ds.transpose(*sorted(ds.dims, key=str)), _variables(inputs))
    when = periods(ds, request.train, request.validate)
    arrays = gather(ds, inputs, grid, request.sites, request.validate, when, problems)
    samples = _samples(arrays, device)
    windows = _windows(request, arrays, when, inputs.target.variable, problems)
    plan = Plan(
        inputs.output,
        request.loss,
        request.epochs,
        request.learning_rate,
        request.warmup_gradient,
        request.clip,
        request.patience,
        request.seed,
        engines.choose(samples.observed) if request.engine is None else request.engine,
    )
    if plan.engine != "array":
        # What kernels cannot run is said before the bar appears.
        step_of(inputs.model, (inputs.output,))
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(request.seed)
        body = build(inputs.network, arrays.attributes.shape[1], len(inputs.model.parameters))
        network = ParameterNetwork(body, inputs.model.parameters).to(device)
        outcome = train(
            inputs.model,
            network,
            samples,
            windows,
            plan,
            validation=_validation(samples, arrays, when, request),
            progress=progress,
            checkpoint=checkpoint,
            fingerprint=_fingerprint(arrays, plan, windows, when, inputs),
        )
    return _fit(inputs, request, arrays, network.cpu(), outcome, plan, windows, when, ds)


def _device(device: str | torch.device | None, problems: Problems) -> torch.device:
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=device).device
    except (AssertionError, RuntimeError, TypeError) as error:
        problems.add(
            "device",
            expected="a device of torch on this machine",
            got=f"{device!r} ({str(error).splitlines()[0]})",
            fix='device="cpu"',
        )
        return torch.device("cpu")


def _check_folder(checkpoint: Path | None, problems: Problems) -> None:
    if checkpoint is not None and not checkpoint.parent.is_dir():
        problems.add(
            str(checkpoint),
            expected="a checkpoint in a folder that exists",
            got=f"no folder {str(checkpoint.parent)!r}",
            fix="make the folder first",
        )


def _samples(arrays: Arrays, device: torch.device) -> Samples:
    def tensor(values: np.ndarray) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float32, device=device)

    return Samples(
        {k: tensor(v) for k, v in arrays.forcings.items()},
        tensor(arrays.observed),
        tensor((arrays.attributes - arrays.mean) / arrays.std),
        tensor(arrays.scale),
    )


def _windows(
    request: Request, arrays: Arrays, when: dict[str, Period], variable: str, problems: Problems
) -> Windows:
    first, last = when["train"]
    # Without a record before the period, its own first steps warm up.
    first = max(first, request.warmup)
    if first > last:
        problems.add(
            "warmup",
            expected=f"fewer than {last + 1} steps, the record up to the end of the training period",
            got=repr(request.warmup),
            fix="a shorter warmup, or a later or longer train period",
        )
    elif np.isnan(arrays.observed[first : last + 1, arrays.training]).all():
        problems.add(
            variable,
            expected=f"observations in the training period after {request.warmup} steps of warm-up",
            got="only NaN",
            fix="a shorter warmup, or a later or longer train period",
        )
    problems.raise_if_any()
    window = min(request.window, last - first + 1)
    sites = torch.from_numpy(np.flatnonzero(arrays.training))
    most = len(sites) * max(1, round((last - first + 1) / window))
    return Windows(sites, first, last, request.warmup, window, min(request.batch, most))


def _validation(samples: Samples, arrays: Arrays, when: dict[str, Period], request: Request) -> Batch | None:
    if request.validate is None:
        return None
    first, last = when["validate"]
    sites = torch.from_numpy(np.flatnonzero(arrays.validating)).to(samples.observed.device)
    # All the record before the period warms the states up, as it will in a simulation.
    return samples.cut(sites, torch.full_like(sites, first), first, last - first + 1)


def _fingerprint(
    arrays: Arrays, plan: Plan, windows: Windows, when: dict[str, Period], inputs: Inputs
) -> str:
    digest = hashlib.sha256()
    settings = dataclasses.asdict(plan) | {
        "network": inputs.network.to_dict(),
        "model": model_hash(inputs.model),
        "windows": [windows.first, windows.last, windows.warmup, windows.window, windows.batch],
        "periods": when,
    }
    digest.update(json.dumps(settings, sort_keys=True).encode())
    for values in (
        *arrays.forcings.values(),
        arrays.observed,
        arrays.attributes,
        arrays.training,
        arrays.validating,
    ):
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def _fit(
    inputs: Inputs,
    request: Request,
    arrays: Arrays,
    network: ParameterNetwork,
    outcome: Outcome,
    plan: Plan,
    windows: Windows,
    when: dict[str, Period],
    ds: xr.Dataset,
) -> Fit:
    dates = ds["time"].dt.strftime("%Y-%m-%d").values
    spans = {name: [str(dates[first]), str(dates[last])] for name, (first, last) in when.items()}
    epochs = np.arange(1, len(outcome.history["loss"]) + 1)
    history = xr.Dataset(
        {k: ("epoch", np.asarray(v, dtype=np.float64)) for k, v in outcome.history.items()}, {"epoch": epochs}
    )
    history["seconds"].attrs["units"] = "s"
    settings: dict[str, Any] = dataclasses.asdict(plan) | {
        "train": spans["train"],
        "validate": spans.get("validate"),
        "validation_sites": int(arrays.validating.sum())
        if isinstance(request.validate, xr.DataArray)
        else None,
        "training_sites": int(arrays.training.sum()),
        "warmup": windows.warmup,
        "window": windows.window,
        "batch": windows.batch,
        "stopped": outcome.stopped,
        "best_epoch": outcome.best_epoch + 1,
        "target_variable": inputs.target.variable,
    }
    return Fit(
        model=inputs.model,
        network_spec=networks.get(inputs.network),
        network=network,
        attributes={k: units.read(v) for k, v in inputs.attributes.items()},
        mean=arrays.mean,
        std=arrays.std,
        forcings=_sources(inputs),
        history=history,
        settings=settings,
    )


def _variables(inputs: Inputs) -> list[str]:
    return [v for f in inputs.forcings.values() for k, v in f.sources.items() if k != "area"]


def _sources(inputs: Inputs) -> dict[str, str]:
    """Which variable was what, the area of the target among them, so that scoring does the same."""
    sources = {k: v for f in inputs.forcings.values() for k, v in f.sources.items()}
    return sources | ({"area": inputs.target.area} if inputs.target.area else {})
