"""From a checked request to a fit: tensors, network, training."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr

from xdpl import engines, units
from xdpl.engines.tracing.trace import step_of
from xdpl.errors import Problems, short
from xdpl.fit.ensemble import Ensemble
from xdpl.fit.result import Fit
from xdpl.labelled import schema
from xdpl.labelled.attrs import model_hash
from xdpl.labelled.choices import after_warmup
from xdpl.labelled.grid import Grid
from xdpl.models import NetworkOnly
from xdpl.networks.assemble import assemble
from xdpl.networks.bounded import ParameterNetwork
from xdpl.networks.series import SeriesNetwork
from xdpl.objectives import GroupDRO
from xdpl.training.arrays import Arrays, Period, gather, periods
from xdpl.training.forward import Alone, Forward
from xdpl.training.logbook import check_log
from xdpl.training.loop import Course, Outcome, train
from xdpl.training.objective import Answers, Objective
from xdpl.training.parallel import Team, join
from xdpl.training.plan import Plan
from xdpl.training.regimes import Emphasis
from xdpl.training.request import Inputs, Request, check_seeds, inspect
from xdpl.training.samples import Batch, Samples
from xdpl.training.tensors import tensors
from xdpl.training.windows import Windows

__all__ = ["run", "run_seeds"]

# Sites that are validated at once.
_TILE = 128


def run(
    ds: xr.Dataset, request: Request, *, progress: bool, checkpoint: Path | None, log: Path | None = None
) -> Fit:
    """Check, gather, train; arguments as in `xdpl.learn`."""
    problems = Problems(_call(request))
    device = _device(request.device, problems)
    _check_folder(checkpoint, problems)
    check_log(log, problems)
    engines.check(request.engine, device.type == "cuda", problems)
    inputs = inspect(ds, request, problems)
    request = request.plain()
    # Dims by name, so that a transposed dataset gives the same fit.
    grid = Grid.of(ds.transpose(*sorted(ds.dims, key=str)), _variables(inputs))
    when = periods(ds, request.train, request.validate)
    arrays = gather(ds, inputs, grid, request.sites, request.validate, when, problems, request.groups)
    samples = tensors(arrays, inputs.network, device)
    team = join(device)
    windows = _windows(request, arrays, when, inputs, team, problems)
    engine = engines.choose(samples.attributes) if request.engine is None else request.engine
    plan = Plan(
        request.epochs,
        request.learning_rate,
        request.schedule,
        request.pretrain,
        request.weight_decay,
        request.clip,
        request.patience,
        request.seed,
    )
    targets = tuple(inputs.targets)
    if engine != "array" and not isinstance(inputs.model, NetworkOnly):
        # What kernels cannot run is said before the bar appears.
        step_of(inputs.model, targets)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(request.seed)
        network = assemble(
            inputs.network,
            inputs.model,
            inputs.columns,
            arrays.scaling,
            list(inputs.attributes),
            targets,
            request.dynamic_dropout,
        ).to(device)
        forward = (
            Alone(network)
            if isinstance(network, SeriesNetwork)
            else Forward(inputs.model, network, targets, engine, request.warmup_gradient)
        )
        course = Course(
            network,
            forward,
            _objective(inputs, request, arrays),
            samples,
            windows,
            _validation(samples, arrays, when, request),
            team,
        )
        described = _described(inputs, request, plan, windows, engine)
        outcome = train(
            course,
            plan,
            progress=progress,
            checkpoint=checkpoint,
            log=log,
            fingerprint=_fingerprint(arrays, described | {"layers": repr(network)}, when),
        )
    return _fit(inputs, request, arrays, network.cpu(), outcome, described, when, ds)


def run_seeds(
    ds: xr.Dataset,
    request: Request,
    seeds: list[int],
    *,
    progress: bool,
    checkpoint: Path | None,
    log: Path | None = None,
) -> Ensemble:
    """Train once for each seed; an interruption ends it after the fit it fell into.

    A fit that was interrupted before its first epoch was over is left out, unless it is the only one.
    """
    problems = Problems(_call(request))
    check_seeds(seeds, problems)
    if problems.found:
        # Before the first training, with everything else that is wrong.
        inspect(ds, request, problems)
    fits: list[Fit] = []
    for seed in seeds:
        own = None if checkpoint is None else checkpoint.with_name(f"{checkpoint.name}.{seed}")
        folder = None if log is None else log / str(seed)
        fit = run(ds, replace(request, seed=seed), progress=progress, checkpoint=own, log=folder)
        if fit.history.sizes["epoch"] or not fits:
            fits.append(fit)
        if fit.settings["stopped"] == "interrupted":
            break
    return Ensemble(tuple(fits))


def _call(request: Request) -> str:
    model = request.model
    name = model if isinstance(model, str) else getattr(model, "name", short(model))
    return f"learn({name!r})"


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


def _windows(
    request: Request,
    arrays: Arrays,
    when: dict[str, Period],
    inputs: Inputs,
    team: Team,
    problems: Problems,
) -> Windows:
    first, last = when["train"]
    first = after_warmup(first, last, request.warmup, problems)
    for name, observed in arrays.observed.items():
        if problems.found or not np.isnan(observed[first : last + 1, arrays.training]).all():
            continue
        problems.add(
            inputs.targets[name].variable,
            expected=f"observations in the training period after {request.warmup} steps of warm-up",
            got="only NaN",
            fix="a shorter warmup, or a later or longer train period",
        )
    problems.raise_if_any()
    window = min(request.window, last - first + 1)
    sites = torch.from_numpy(np.flatnonzero(arrays.training))
    most = len(sites) * max(1, round((last - first + 1) / window))
    batch = min(request.batch, most)
    if batch < team.size:
        problems.add(
            "batch",
            expected=f"at least one series for each of {team.size} processes",
            got=f"{batch} series",
            fix="fewer processes, or a larger batch",
        )
        problems.raise_all()
    return Windows(sites, first, last, request.warmup, window, batch, request.coverage)


def _validation(
    samples: Samples, arrays: Arrays, when: dict[str, Period], request: Request
) -> list[tuple[Batch, Answers]]:
    if request.validate is None:
        return []
    first, last = when["validate"]
    sites = torch.from_numpy(np.flatnonzero(arrays.validating))
    parts = []
    # In tiles: a network keeps its hidden states of the whole record for each site at once.
    for tile in sites.split(_TILE):
        starts = torch.full_like(tile, first)
        # All the record before the period warms the states up, as it will in a simulation.
        batch = samples.cut(tile, starts, first, last - first + 1)
        parts.append((batch, samples.answers(tile, starts, last - first + 1)))
    return parts


def _fingerprint(arrays: Arrays, described: dict[str, Any], when: dict[str, Period]) -> str:
    digest = hashlib.sha256(json.dumps(described | {"periods": when}, sort_keys=True).encode())
    for values in (
        *arrays.forcings.values(),
        *arrays.observed.values(),
        arrays.attributes,
        arrays.training,
        arrays.validating,
        *([] if arrays.groups is None else [arrays.groups]),
    ):
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def _described(inputs: Inputs, request: Request, plan: Plan, windows: Windows, engine: str) -> dict[str, Any]:
    """Settings as plain values."""
    return dataclasses.asdict(plan) | {
        "model_hash": model_hash(inputs.model),
        "network": inputs.network.to_dict(),
        "members": request.members,
        "dynamic": list(inputs.columns.dynamic),
        "dynamic_dropout": request.dynamic_dropout,
        "targets": {k: f.variable for k, f in inputs.targets.items()},
        "loss": inputs.losses,
        "weights": {k: float(v) for k, v in inputs.weights.items()},
        "objective": request.how,
        **({"group_dro": dataclasses.asdict(_rule(request))} if request.how == "group-dro" else {}),
        "engine": engine,
        "first": windows.first,
        "last": windows.last,
        "warmup": windows.warmup,
        "warmup_gradient": request.warmup_gradient,
        "window": windows.window,
        "batch": windows.batch,
        "coverage": windows.coverage,
    }


def _fit(
    inputs: Inputs,
    request: Request,
    arrays: Arrays,
    network: ParameterNetwork | SeriesNetwork,
    outcome: Outcome,
    described: dict[str, Any],
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
    history = history.assign(_history_of_groups(outcome, arrays.labels, epochs))
    held_out = isinstance(request.validate, xr.DataArray)
    settings = {k: v for k, v in described.items() if k not in ("first", "last", "network", "model_hash")} | {
        "train": spans["train"],
        "validate": spans.get("validate"),
        "validation_sites": int(arrays.validating.sum()) if held_out else None,
        "training_sites": int(arrays.training.sum()),
        "stopped": outcome.stopped,
        "best_epoch": outcome.best_epoch + 1,
    }
    return Fit(
        model=inputs.model,
        network_spec=inputs.network,
        network=network,
        attributes={k: units.read(v) for k, v in inputs.attributes.items()},
        scaling=arrays.scaling,
        forcings=schema.sources(inputs.forcings.values(), inputs.targets.values()),
        history=history,
        settings=settings,
    )


def _history_of_groups(outcome: Outcome, labels: tuple[int, ...], epochs: np.ndarray) -> xr.Dataset:
    """Losses, weights and cosines of groups over (epoch, group, ...), of whole epochs."""
    count = len(epochs)
    dims = {"loss": ("epoch", "group"), "weight": ("epoch", "group"), "cosine": ("epoch", "group", "other")}
    said = {
        "loss": "loss of each group, mean over updates",
        "weight": "weight of each group before the epoch",
        "cosine": "cosine between the gradients of two groups before the epoch",
    }
    found = {
        f"group_{k}": (dims[k], np.asarray(v[:count], dtype=np.float64), {"long_name": said[k]})
        for k, v in outcome.groups.items()
    }
    coords = {"group": list(labels), "other": list(labels)} if found else {}
    return xr.Dataset(found, {"epoch": epochs} | coords)


def _objective(inputs: Inputs, request: Request, arrays: Arrays) -> Objective:
    weights = {k: float(v) for k, v in inputs.weights.items()}
    if arrays.groups is None:
        return Objective(inputs.losses, weights, request.how)
    rule = _rule(request) if request.how == "group-dro" else None
    return Objective(inputs.losses, weights, request.how, Emphasis(len(arrays.labels), rule))


def _rule(request: Request) -> GroupDRO:
    return request.objective if isinstance(request.objective, GroupDRO) else GroupDRO()


def _variables(inputs: Inputs) -> list[str]:
    return [v for f in inputs.forcings.values() for k, v in f.sources.items() if k != "area"]
