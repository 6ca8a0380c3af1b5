"""The optimiser loop: seeded, validated, checkpointed, safe to interrupt."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from xdpl import engines
from xdpl.engines.tracing.trace import remembering
from xdpl.models import Model
from xdpl.networks.bounded import ParameterNetwork
from xdpl.training import checkpoints
from xdpl.training.losses import LOSSES
from xdpl.training.progress import Progress
from xdpl.training.samples import Batch, Samples, Windows

__all__ = ["Outcome", "Plan", "train"]


_HISTORY = ("loss", "validation_loss", "learning_rate", "gradient_norm", "seconds")


@dataclass(frozen=True)
class Plan:
    """How to train, as plain values that a fit stores.

    Parameters
    ----------
    target : str
        Output of the model that is compared.
    loss : str
    epochs : int
    learning_rate : float
        Of Adam at the start; falls to zero along a cosine.
    warmup_gradient : bool
        Whether gradients flow through the warm-up.
    clip : float
        Largest norm of the gradient.
    patience : int
        Epochs without a better validation loss before stopping.
    seed : int
    engine : str
    """

    target: str
    loss: str
    epochs: int
    learning_rate: float
    warmup_gradient: bool
    clip: float
    patience: int
    seed: int
    engine: str


@dataclass
class Outcome:
    """What training leaves: history, the best epoch, and why it stopped."""

    history: dict[str, list[float]] = field(default_factory=lambda: {k: [] for k in _HISTORY})
    best_epoch: int = 0
    best_loss: float = float("inf")
    stopped: str = ""


def predict(model: Model, network: ParameterNetwork, batch: Batch, plan: Plan) -> Tensor:
    """Simulate the target of a batch, (window, series)."""
    parameters = network(batch.attributes)
    state = None
    if batch.warmup and not plan.warmup_gradient:
        before = {k: v[: batch.warmup] for k, v in batch.forcings.items()}
        with torch.no_grad():
            still = {k: v.detach() for k, v in parameters.items()}
            _, state = engines.run(plan.engine, model, before, still)
        after = {k: v[batch.warmup :] for k, v in batch.forcings.items()}
        series, _ = engines.run(plan.engine, model, after, parameters, initial=state, outputs=(plan.target,))
        return series[plan.target]
    series, _ = engines.run(plan.engine, model, batch.forcings, parameters, outputs=(plan.target,))
    return series[plan.target][batch.warmup :]


def train(
    model: Model,
    network: ParameterNetwork,
    samples: Samples,
    windows: Windows,
    plan: Plan,
    *,
    validation: Batch | None,
    progress: bool,
    checkpoint: Path | None,
    fingerprint: str,
) -> Outcome:
    """Train a network in place; it ends with its best weights.

    Parameters
    ----------
    model : Model
    network : ParameterNetwork
    samples : Samples
    windows : Windows
    plan : Plan
    validation : Batch, optional
        Scored after every epoch; decides which weights are best and when to stop.
    progress : bool
    checkpoint : Path, optional
        Written after every epoch; resumed from if it exists.
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
    optimiser = torch.optim.Adam(network.parameters(), lr=plan.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, plan.epochs)
    generator = torch.Generator().manual_seed(plan.seed)
    run = checkpoints.Run(network, optimiser, schedule, generator, Outcome(), _copy(network), fingerprint)
    if checkpoint is not None and checkpoint.exists():
        checkpoints.restore(run, checkpoint)
    outcome = run.outcome
    first = len(outcome.history["loss"])
    bar = Progress(plan.epochs, first, progress)
    try:
        for epoch in range(first, plan.epochs):
            if outcome.stopped == "early":
                break
            started = time.perf_counter()
            # Dropout draws from the global generator: seeded per epoch, a resumed run draws the same.
            torch.manual_seed(plan.seed * 100_003 + epoch)
            with remembering():
                row = _epoch(model, network, windows.epoch(samples, generator), plan, optimiser)
            row["learning_rate"] = float(schedule.get_last_lr()[0])
            row["seconds"] = time.perf_counter() - started
            schedule.step()
            row["validation_loss"] = _validate(model, network, validation, plan)
            _record(run, row, epoch, plan, validated=validation is not None)
            if checkpoint is not None:
                checkpoints.write(run, checkpoint)
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
    network.load_state_dict(run.best)
    network.eval()
    return outcome


def _epoch(
    model: Model,
    network: ParameterNetwork,
    batches: Iterator[Batch],
    plan: Plan,
    optimiser: torch.optim.Optimizer,
) -> dict[str, float]:
    loss_function = LOSSES[plan.loss]
    losses, norms = [], []
    network.train()
    for batch in batches:
        optimiser.zero_grad()
        loss = loss_function(predict(model, network, batch, plan), batch.observed, batch.scale)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(network.parameters(), plan.clip)
        if not torch.isfinite(norm):
            msg = f"the loss ({loss.item():g}) or its gradient is not finite; a lower learning_rate may help"
            raise FloatingPointError(msg)
        norms.append(norm)
        optimiser.step()
        losses.append(loss.detach())
    return {"loss": float(torch.stack(losses).mean()), "gradient_norm": float(torch.stack(norms).mean())}


def _validate(model: Model, network: ParameterNetwork, validation: Batch | None, plan: Plan) -> float:
    if validation is None:
        return float("nan")
    network.eval()
    with torch.no_grad():
        simulated = predict(model, network, validation, plan)
        return float(LOSSES[plan.loss](simulated, validation.observed, validation.scale))


def _record(run: checkpoints.Run, row: dict[str, float], epoch: int, plan: Plan, *, validated: bool) -> None:
    outcome = run.outcome
    for name in _HISTORY:
        outcome.history[name].append(row[name])
    # Without validation the last weights are the ones that count.
    score = row["validation_loss"] if validated else -float(epoch)
    if score < outcome.best_loss:
        outcome.best_loss, outcome.best_epoch = score, epoch
        run.best = _copy(run.network)
    elif validated and epoch - outcome.best_epoch >= plan.patience:
        outcome.stopped = "early"


def _copy(network: torch.nn.Module) -> dict[str, Tensor]:
    return {k: v.detach().clone() for k, v in network.state_dict().items()}
