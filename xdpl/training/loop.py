"""The optimiser loop: seeded, validated, checkpointed, safe to interrupt."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from xdpl.blackbox.failures import Failures
from xdpl.engines.tracing.trace import remembering
from xdpl.training import checkpoints, conflict
from xdpl.training.logbook import Logbook
from xdpl.training.objective import Answers, Objective
from xdpl.training.parallel import Team
from xdpl.training.plan import Plan
from xdpl.training.progress import Progress
from xdpl.training.samples import Batch, Samples
from xdpl.training.schedules import schedule
from xdpl.training.trained import Trained
from xdpl.training.windows import Windows

__all__ = ["Course", "Outcome", "train"]


_HISTORY = ("loss", "validation_loss", "learning_rate", "gradient_norm", "seconds")

Forward = Callable[[Batch], dict[str, Tensor]]


@dataclass
class Outcome:
    """What training leaves: history, the best epoch, and why it stopped."""

    history: dict[str, list[float]] = field(default_factory=lambda: {k: [] for k in _HISTORY})
    best_epoch: int = 0
    best_loss: float = float("inf")
    stopped: str = ""
    #: Per epoch, of groups of sites: losses, weights, and cosines between gradients.
    groups: dict[str, list[Any]] = field(default_factory=dict)
    #: Runs of the model that gradients were made of in whole epochs, and how many of them failed.
    model_runs: int = 0
    failed_runs: int = 0


@dataclass(frozen=True)
class Course:
    """What is trained on, and with.

    Parameters
    ----------
    network : Trained
    forward : callable
        Batch to simulated targets as they are compared, through the network.
    objective : Objective
    samples : Samples
    windows : Windows
    validation : list of pairs of Batch and Answers
        Scored after every epoch; decides which weights are best and when to stop.
    team : Team
    failures : Failures
        Told by what runs the model several times for a gradient.
    """

    network: Trained
    forward: Forward
    objective: Objective
    samples: Samples
    windows: Windows
    validation: list[tuple[Batch, Answers]]
    team: Team = field(default_factory=Team)
    failures: Failures = field(default_factory=Failures)


def train(
    course: Course,
    plan: Plan,
    *,
    progress: bool = False,
    checkpoint: Path | None = None,
    log: Path | None = None,
    fingerprint: str = "",
) -> Outcome:
    """Train a network in place; it ends with its best weights.

    Parameters
    ----------
    course : Course
    plan : Plan
    progress : bool
    checkpoint : Path, optional
        Written after every epoch; resumed from if it exists.
    log : Path, optional
        Folder for TensorBoard.
    fingerprint : str
        Identifies the data and the settings a checkpoint belongs to.

    Returns
    -------
    Outcome
        `stopped` is "finished", "early", "interrupted" or "diverged".

    Raises
    ------
    FloatingPointError
        If the loss or its gradient is not finite before one epoch is complete.

    Notes
    -----
    Ctrl-C ends training with the best weights so far instead of losing them; so,
    with a warning, does a loss or gradient that is not finite.
    """
    team = course.team
    run = _start(course, plan, checkpoint, fingerprint)
    outcome = run.outcome
    first = len(outcome.history["loss"])
    bar = Progress(plan.epochs, first, progress and team.leads)
    logbook = Logbook(log if team.leads else None)
    try:
        for epoch in range(first, plan.epochs):
            if outcome.stopped == "early":
                break
            before = course.failures.runs, len(course.failures.messages)
            _look_at_groups(course, plan, run, epoch)
            row = _timed(course, plan, run, epoch)
            row["validation_loss"] = _validate(course)
            outcome.model_runs += course.failures.runs - before[0]
            outcome.failed_runs += len(course.failures.messages) - before[1]
            _record(run, row, epoch, plan, validated=bool(course.validation))
            if checkpoint is not None and team.leads:
                checkpoints.write(run, checkpoint)
            logbook.write(row, epoch + 1)
            bar.update(row)
        outcome.stopped = outcome.stopped or "finished"
    except KeyboardInterrupt:
        outcome.stopped = "interrupted"
    except FloatingPointError as error:
        done = len(outcome.history["loss"])
        if done == 0:
            raise
        outcome.stopped = "diverged"
        kept = f"the weights of epoch {outcome.best_epoch + 1} are kept"
        warnings.warn(f"epoch {done + 1}: {error}; {kept}", RuntimeWarning, stacklevel=2)
    finally:
        bar.close()
        logbook.close()
    _leave(run)
    return outcome


def _start(course: Course, plan: Plan, checkpoint: Path | None, fingerprint: str) -> checkpoints.Run:
    """A new run, or the one that the checkpoint keeps."""
    network = course.network
    course.team.agree(network)
    groups = network.groups(plan.learning_rate)
    optimiser = torch.optim.AdamW(groups, lr=plan.learning_rate, weight_decay=plan.weight_decay)
    falling = schedule(plan.schedule, optimiser, plan.epochs, plan.pretrain)
    generator = torch.Generator().manual_seed(plan.seed)
    outcome = Outcome()
    emphasis = course.objective.emphasis
    run = checkpoints.Run(
        network, optimiser, falling, generator, outcome, _copy(network), fingerprint, emphasis
    )
    if checkpoint is not None and checkpoint.exists():
        checkpoints.restore(run, checkpoint)
    return run


def _leave(run: checkpoints.Run) -> None:
    """The network as it is handed over: the best weights, all parameters moving, no dropout."""
    run.network.load_state_dict(run.best)
    run.network.let_move(True)
    run.network.eval()


def _timed(course: Course, plan: Plan, run: checkpoints.Run, epoch: int) -> dict[str, float]:
    """One epoch of updates, with the rate it had and the seconds it took."""
    started = time.perf_counter()
    team = course.team
    _seed(plan, team, epoch)
    if plan.pretrain:
        course.network.let_move(epoch >= plan.pretrain)
    with remembering():
        row = _epoch(course, course.windows.epoch(run.generator), plan, run)
    row["learning_rate"] = float(run.schedule.get_last_lr()[0])
    row["seconds"] = time.perf_counter() - started
    run.schedule.step()
    return row


def _seed(plan: Plan, team: Team, epoch: int) -> None:
    """Dropout and SPSA draw from the global generator: seeded per epoch, a resumed run draws the same."""
    torch.manual_seed((plan.seed * 100_003 + epoch) * team.size + team.rank)


def _look_at_groups(course: Course, plan: Plan, run: checkpoints.Run, epoch: int) -> None:
    """Note the weights of groups and whether their gradients agree, before an epoch."""
    emphasis = course.objective.emphasis
    if emphasis is None:
        return
    _seed(plan, course.team, epoch)
    count = emphasis.count
    unknown = torch.full((count, count), torch.nan)
    found = conflict.cosines(course) if conflict.measured(epoch, plan.epochs) else unknown
    for name, values in {"weight": emphasis.shares(), "cosine": found}.items():
        run.outcome.groups.setdefault(name, []).append(values.tolist())


def _epoch(
    course: Course, draws: Iterator[tuple[Tensor, Tensor]], plan: Plan, run: checkpoints.Run
) -> dict[str, float]:
    network, samples, windows, team = course.network, course.samples, course.windows, course.team
    optimiser = run.optimiser
    losses, norms, of_groups = [], [], []
    network.train()
    for sites, starts in draws:
        optimiser.zero_grad()
        batch = samples.cut(team.part(sites), team.part(starts), windows.warmup, windows.window)
        simulated = team.whole(course.forward(batch), len(sites))
        loss, parts = course.objective.training(simulated, samples.answers(sites, starts, windows.window))
        loss.backward()
        team.add_gradients(network)
        norm = torch.nn.utils.clip_grad_norm_(network.parameters(), plan.clip)
        if not torch.isfinite(norm):
            msg = f"the loss ({loss.item():g}) or its gradient is not finite; a lower learning_rate may help"
            raise FloatingPointError(msg)
        norms.append(norm)
        optimiser.step()
        losses.append(loss.detach())
        if parts is not None:
            of_groups.append(parts)
    if of_groups:
        run.outcome.groups.setdefault("loss", []).append(torch.stack(of_groups).nanmean(dim=0).tolist())
    return {"loss": float(torch.stack(losses).mean()), "gradient_norm": float(torch.stack(norms).mean())}


def _validate(course: Course) -> float:
    if not course.validation:
        return float("nan")
    course.network.eval()
    with torch.no_grad():
        parts = [(course.forward(batch), answers) for batch, answers in course.validation]
        simulated = {k: torch.cat([part[k] for part, _ in parts], dim=1) for k in parts[0][0]}
        return float(course.objective(simulated, Answers.joined([answers for _, answers in parts])))


def _record(run: checkpoints.Run, row: dict[str, float], epoch: int, plan: Plan, *, validated: bool) -> None:
    outcome = run.outcome
    for name in _HISTORY:
        outcome.history[name].append(row[name])
    # Without validation the last weights are the ones that count.
    score = row["validation_loss"] if validated else -float(epoch)
    if score < outcome.best_loss:
        outcome.best_loss, outcome.best_epoch = score, epoch
        run.best = _copy(run.network)
    elif validated and epoch - max(outcome.best_epoch, plan.pretrain - 1) >= plan.patience:
        # Not before what is trained last had its epochs.
        outcome.stopped = "early"


def _copy(network: torch.nn.Module) -> dict[str, Tensor]:
    return {k: v.detach().clone() for k, v in network.state_dict().items()}
