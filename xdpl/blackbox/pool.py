"""Tasks in parallel: tried again where they fail, and taken apart."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, Protocol

import numpy as np

from xdpl.blackbox.processes import Processes
from xdpl.blackbox.task import Failure, Outcome, Task, together

if TYPE_CHECKING:
    from xdpl.models import BlackBox

__all__ = ["Pool"]


class _Hand(Protocol):
    """What does one task after another."""

    def do(self, task: Task) -> dict[str, np.ndarray]: ...

    def close(self) -> None: ...


class Pool:
    """Threads that wait for a process each; several callers may share them.

    Parameters
    ----------
    model : BlackBox
    """

    def __init__(self, model: BlackBox) -> None:
        self._model = model
        self._names = [flux.name for flux in model.fluxes]
        self._processes = Processes()
        self._threads = ThreadPoolExecutor(model.processes, "xdpl-run") if model.processes else None
        self._own = threading.local()
        self._hands: list[_Hand] = []

    def outcomes(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Outcome]]:
        """Position and outcome of every task, in the order in which they end."""
        if self._threads is None:
            yield from ((i, self._numbered(tasks, i)) for i in range(len(tasks)))
            return
        futures: dict[Future[Outcome], int] = {}
        try:
            for i in range(len(tasks)):
                futures[self._threads.submit(self._numbered, tasks, i)] = i
            for future in as_completed(list(futures)):
                yield futures.pop(future), future.result()
        finally:
            # What was not begun when the caller stopped is not begun any more.
            for future in futures:
                future.cancel()

    def close(self) -> None:
        """Kill what is running, and end."""
        self._processes.stop()
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
        for hand in self._hands:
            hand.close()

    def _numbered(self, tasks: Sequence[Task], i: int) -> Outcome:
        # Tasks are made one by one: together they may be far larger than the forcings.
        return self._outcome(tasks[i])

    def _outcome(self, task: Task) -> Outcome:
        begin = time.perf_counter()
        try:
            outputs = self._tried(task)
        except Failure as failure:
            if task.runs > 1:
                # One bad set of parameters must not take the others with it.
                return together([self._outcome(one) for one in task.alone()])
            return Outcome.failed(task, self._names, str(failure), time.perf_counter() - begin)
        return Outcome.of(outputs, task, time.perf_counter() - begin)

    def _tried(self, task: Task) -> dict[str, np.ndarray]:
        left = self._model.retries if task.runs == 1 else 0
        while True:
            try:
                return self._hand().do(task)
            except Failure:
                if not left or self._processes.stopped:
                    raise
                left -= 1

    def _hand(self) -> _Hand:
        """What works for this thread."""
        hand: _Hand | None = getattr(self._own, "hand", None)
        if hand is None:
            hand = self._own.hand = self._new()
            self._hands.append(hand)
        return hand

    def _new(self) -> _Hand:
        from xdpl.models import Command

        if isinstance(self._model.run, Command):
            from xdpl.blackbox.program import Program

            return Program(self._model, self._processes)
        from xdpl.blackbox.function import Here, Worker

        return Worker(self._model, self._processes) if self._threads else Here(self._model)
