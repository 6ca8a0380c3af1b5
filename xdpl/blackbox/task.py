"""One task of a black box: some runs, and what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Failure", "Outcome", "Task", "together"]


class Failure(Exception):
    """A task has failed; says why."""


@dataclass(frozen=True)
class Task:
    """Runs that a program does in one go.

    Parameters
    ----------
    forcings : dict of str to ndarray of float64, (time, run)
        In declared units.
    parameters : dict of str to ndarray of float64, (run,)
    time : Index, (time,)
        Dates.
    batch : bool
        Whether the program takes a dim of sites; else there is one run.
    """

    forcings: dict[str, np.ndarray]
    parameters: dict[str, np.ndarray]
    time: pd.Index
    batch: bool

    @property
    def runs(self) -> int:
        """Number of runs."""
        return int(next(iter(self.forcings.values())).shape[1])

    def alone(self) -> list[Task]:
        """A task for each run."""
        return [
            Task(
                {k: v[:, i : i + 1] for k, v in self.forcings.items()},
                {k: v[i : i + 1] for k, v in self.parameters.items()},
                self.time,
                self.batch,
            )
            for i in range(self.runs)
        ]


@dataclass(frozen=True)
class Outcome:
    """What came of a task.

    Parameters
    ----------
    outputs : dict of str to ndarray of float64, (time, run)
        NaN of runs that have failed.
    messages : tuple of str, (run,)
        Why a run has failed; empty of one that has not.
    seconds : ndarray, (run,)
        What a run took; of a batch each has the same share.
    """

    outputs: dict[str, np.ndarray]
    messages: tuple[str, ...]
    seconds: np.ndarray

    @classmethod
    def failed(cls, task: Task, names: Sequence[str], message: str, seconds: float) -> Outcome:
        """Of a task none of whose runs gave anything."""
        none = {k: np.full((len(task.time), task.runs), np.nan) for k in names}
        return cls(none, (message,) * task.runs, np.full(task.runs, seconds / task.runs))

    @classmethod
    def of(cls, outputs: dict[str, np.ndarray], task: Task, seconds: float) -> Outcome:
        """Of outputs of the right shape; a run with other than finite numbers has failed, all of it."""
        messages = [""] * task.runs
        for name, values in outputs.items():
            odd = (~np.isfinite(values)).sum(axis=0)
            for run in np.flatnonzero(odd):
                steps = f"{odd[run]} of {len(values)} steps"
                messages[run] = messages[run] or f"output {name!r} is not finite at {steps}"
        bad = np.array([bool(message) for message in messages])
        kept = {k: np.where(bad, np.nan, v) for k, v in outputs.items()}
        return cls(kept, tuple(messages), np.full(task.runs, seconds / task.runs))


def together(outcomes: Sequence[Outcome]) -> Outcome:
    """Outcomes of several tasks as that of one."""
    names = outcomes[0].outputs
    return Outcome(
        {k: np.concatenate([o.outputs[k] for o in outcomes], axis=1) for k in names},
        tuple(message for o in outcomes for message in o.messages),
        np.concatenate([o.seconds for o in outcomes]),
    )
