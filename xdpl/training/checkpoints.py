"""Checkpoints: everything to continue exactly, as arrays and JSON, without pickle."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import torch

from xdpl.errors import Problems

if TYPE_CHECKING:
    from xdpl.training.loop import Outcome
    from xdpl.training.regimes import Emphasis
    from xdpl.training.trained import Trained

__all__ = ["Run", "restore", "write"]

_FORMAT = "xdpl-checkpoint-1"


@dataclass
class Run:
    """The moving parts of a training run."""

    network: Trained
    optimiser: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    generator: torch.Generator
    outcome: Outcome
    best: dict[str, torch.Tensor]
    fingerprint: str
    emphasis: Emphasis | None = None


def write(run: Run, path: Path) -> None:
    """Write a checkpoint; an interrupted write leaves the old file as it was."""
    arrays = {f"network/{k}": v for k, v in run.network.state_dict().items()}
    arrays |= {f"best/{k}": v for k, v in run.best.items()}
    for index, moments in run.optimiser.state_dict()["state"].items():
        arrays |= {f"optimiser/{index}/{k}": torch.as_tensor(v) for k, v in moments.items()}
    arrays["generator"] = run.generator.get_state()
    if run.emphasis is not None:
        arrays["emphasis"] = run.emphasis.weights
    meta = {
        "format": _FORMAT,
        "fingerprint": run.fingerprint,
        "outcome": asdict(run.outcome),
        "schedule": run.schedule.state_dict(),
        "groups": run.optimiser.state_dict()["param_groups"],
    }
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            np.savez(file, meta=np.array(json.dumps(meta)), **{k: v.cpu().numpy() for k, v in arrays.items()})
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def restore(run: Run, path: Path) -> None:
    """Continue from a checkpoint, in place.

    Raises
    ------
    InputErrors
        If the file is damaged, not a checkpoint, or of another run.
    """
    from xdpl.training.loop import Outcome

    meta, arrays = _read(path)
    if meta["fingerprint"] != run.fingerprint:
        _refuse(
            path,
            "a checkpoint of this run",
            "one of other data or settings",
            "name another file, or delete it",
        )
    run.network.load_state_dict(_part(arrays, "network/"))
    run.best = _part(arrays, "best/")
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in _part(arrays, "optimiser/").items():
        index, name = key.split("/")
        state.setdefault(int(index), {})[name] = value
    run.optimiser.load_state_dict({"state": state, "param_groups": meta["groups"]})
    run.schedule.load_state_dict(meta["schedule"])
    run.generator.set_state(arrays["generator"])
    if run.emphasis is not None:
        run.emphasis.weights = arrays["emphasis"]
    outcome = Outcome(**meta["outcome"])
    if outcome.stopped == "interrupted":
        outcome.stopped = ""
    run.outcome = outcome


def _read(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    try:
        # np.load leaves a path it cannot read open.
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            meta = dict(json.loads(str(file["meta"])))
            arrays = {k: torch.from_numpy(file[k]) for k in file.files if k != "meta"}
    except Exception as error:  # zip and array headers raise whatever a broken byte leads to
        _refuse(
            path, "a checkpoint of xdpl", f"a file that cannot be read ({error})", "delete it to start afresh"
        )
    if meta.get("format") != _FORMAT:
        _refuse(path, f"format {_FORMAT}", repr(meta.get("format")), "delete it to start afresh")
    return meta, arrays


def _refuse(path: Path, expected: str, got: str, fix: str) -> NoReturn:
    problems = Problems("learn")
    problems.add(str(path), expected=expected, got=got, fix=fix)
    problems.raise_all()


def _part(arrays: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
