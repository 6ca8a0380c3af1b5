"""From a checked request to a fit: tensors, network, training."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr

from xdpl import engines, models
from xdpl.blackbox.failures import Failures
from xdpl.blackbox.session import at_work
from xdpl.engines.tracing.trace import step_of
from xdpl.errors import Problems, short
from xdpl.fit.ensemble import Ensemble
from xdpl.fit.result import Fit
from xdpl.labelled.choices import after_warmup
from xdpl.labelled.grid import Grid
from xdpl.models import BlackBox, Model, NetworkOnly
from xdpl.networks.assemble import assemble
from xdpl.networks.series import SeriesNetwork
from xdpl.surrogate.loop import Loop
from xdpl.surrogate.stopped import AuditError
from xdpl.training.arrays import Arrays, Period, gather, periods
from xdpl.training.described import described, fingerprint, identity
from xdpl.training.fitted import fitted
from xdpl.training.forward import Alone, Forward, Observed
from xdpl.training.logbook import check_log
from xdpl.training.loop import Course, train
from xdpl.training.objective import Answers, Objective
from xdpl.training.observer import Level
from xdpl.training.observing import cost_unit, observer
from xdpl.training.parallel import Team, join
from xdpl.training.plan import Plan
from xdpl.training.priors import departures
from xdpl.training.regimes import Emphasis
from xdpl.training.request import Inputs, Request, check_seeds, inspect
from xdpl.training.samples import Batch, Samples
from xdpl.training.sources import Setting, Source
from xdpl.training.tensors import tensors
from xdpl.training.trained import Trained
from xdpl.training.windows import Windows

__all__ = ["run", "run_seeds", "with_gradients"]

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
    request = replace(request, gradients=with_gradients(request.model, request.gradients, problems))
    _check_engine(request, device, problems)
    inputs = inspect(ds, request, problems)
    request = request.plain()
    # Dims by name, so that a transposed dataset gives the same fit.
    grid = Grid.of(ds.transpose(*sorted(ds.dims, key=str)), _variables(inputs))
    when = periods(ds, request.train, request.validate)
    arrays = gather(ds, inputs, grid, request.sites, request.validate, when, problems, request.groups)
    watching = observer(inputs.operators, inputs.losses, inputs.weights, arrays, grid, inputs.model, problems)
    known = departures(inputs.priors, grid, arrays.kept, _cost_unit(inputs, arrays), problems)
    team = join(device)
    _check_alone(request, team, problems)
    windows = _windows(request, arrays, when, inputs, team, problems)
    if isinstance(request.gradients, Loop):
        from xdpl.surrogate.places import Places
        from xdpl.surrogate.rounds import learn_in_rounds

        loop = request.gradients
        places = Places.of(grid, arrays, loop, request.seed)
        # Each round gathers its own.
        del arrays, watching, known
        paths = {"checkpoint": checkpoint, "log": log}
        return learn_in_rounds(ds, request, inputs, loop, places, run, progress=progress, **paths)
    samples = tensors(arrays, inputs.network, device)
    engine = _engine(request, inputs, samples)
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
    source = _source(request, inputs, engine, ds, device)
    kernel = engines.compiles(inputs.model, engine, samples.attributes)
    if kernel and request.runs_model and not isinstance(inputs.model, NetworkOnly):
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
            else Forward(
                inputs.model,
                network,
                targets,
                engine,
                request.warmup_gradient,
                known if known is None else known.to(device),
                source,
            )
        )
        trained = Trained(network, watching).to(device)
        course = Course(
            trained,
            Observed(forward, watching),
            _objective(inputs, request, arrays),
            samples,
            windows,
            _validation(samples, arrays, when, request),
            team,
            Failures() if source is None else source.failures,
        )
        settings = described(inputs, request, plan, windows, engine)
        # Processes of a black box stay from update to update.
        with at_work(inputs.model) if request.runs_model else nullcontext():
            outcome = train(
                course,
                plan,
                progress=progress,
                checkpoint=checkpoint,
                log=log,
                fingerprint=fingerprint(arrays, settings | identity(network, inputs), when, known),
            )
    course.failures.warn(problems.call, "left out of loss and gradient", stacklevel=3)
    return fitted(inputs, request, arrays, trained.cpu(), outcome, settings, when, ds, grid)


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

    A fit that was interrupted before its first epoch was over is left out, unless it is the only one; so is,
    with a warning, a seed whose surrogate fails its audit after another has a fit.
    """
    problems = Problems(_call(request))
    check_seeds(seeds, problems)
    if problems.found:
        # Before the first training, with everything else that is wrong.
        gradients = with_gradients(request.model, request.gradients, problems)
        inspect(ds, replace(request, gradients=gradients), problems)
    fits: list[Fit] = []
    for seed in seeds:
        own = None if checkpoint is None else checkpoint.with_name(f"{checkpoint.name}.{seed}")
        folder = None if log is None else log / str(seed)
        try:
            fit = run(ds, replace(request, seed=seed), progress=progress, checkpoint=own, log=folder)
        except KeyboardInterrupt:
            # Before there is anything of this seed to keep.
            if not fits:
                raise
            break
        except AuditError as error:
            if not fits:
                error.add_note(f"with seed {seed}")
                raise
            warnings.warn(f"seed {seed} is left out: {error}", RuntimeWarning, stacklevel=3)
            continue
        except Exception as error:
            error.add_note(f"with seed {seed}")
            raise
        if fit.history.sizes["epoch"] or not fits:
            fits.append(fit)
        if fit.settings["stopped"] == "interrupted":
            break
    return Ensemble(tuple(fits))


def with_gradients(model: str | Model, given: Any, problems: Problems) -> Any:
    """What is given; a black box has no gradients, but a surrogate that is made for it and made again."""
    found = models.get(model, problems.call)
    return Loop() if given is None and isinstance(found, BlackBox) else given


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


def _variables(inputs: Inputs) -> list[str]:
    return [v for f in inputs.forcings.values() for k, v in f.sources.items() if k != "area"]


def _objective(inputs: Inputs, request: Request, arrays: Arrays) -> Objective:
    emphasis = None if arrays.groups is None else Emphasis(len(arrays.labels), request.rule)
    return Objective(
        inputs.losses,
        {k: float(v) for k, v in inputs.weights.items()},
        request.how,
        emphasis,
        tuple(k for k, operator in inputs.operators.items() if operator.centred),
    )


def _check_engine(request: Request, device: torch.device, problems: Problems) -> None:
    """Note an engine that is none; of a black box that is run, what keeps its program from running."""
    model = models.get(request.model, problems.call)
    if request.gradients is not None and request.runs_model and isinstance(model, BlackBox):
        # Its series are brought to the host.
        engines.check(request.engine, False, problems, model)
    else:
        engines.check(request.engine, device.type == "cuda", problems)


def _check_alone(request: Request, team: Team, problems: Problems) -> None:
    if request.gradients is not None and request.runs_model and team.size > 1:
        problems.add(
            "gradients",
            expected="one process, since the runs of an update go in parallel as they are",
            got=f"{team.size} processes of torchrun",
            fix="start without torchrun; BlackBox(..., workers=) says how many run at once",
        )


def _engine(request: Request, inputs: Inputs, samples: Samples) -> str:
    if request.runs_model and isinstance(inputs.model, BlackBox):
        return engines.PROCESS
    return engines.choose(samples.attributes) if request.engine is None else request.engine


def _source(
    request: Request, inputs: Inputs, engine: str, ds: xr.Dataset, device: torch.device
) -> Source | None:
    """What runs in place of the model, if something does."""
    if request.gradients is None or isinstance(request.gradients, Loop):
        return None
    setting = Setting(
        inputs.model, inputs.columns.ordering, tuple(inputs.targets), engine, ds.indexes["time"], device
    )
    return request.gradients.source(setting)


def _cost_unit(inputs: Inputs, arrays: Arrays) -> float:
    """What a departure from a prior counts: as much as it does for the targets together."""
    levels = {k: Level(arrays.mean[k], arrays.training, arrays.typical[k]) for k in inputs.targets}
    return sum(cost_unit(inputs.losses[k], float(inputs.weights[k]), levels[k]) for k in levels)
