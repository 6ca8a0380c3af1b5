"""A task as a call of a Python function, in a process that can be killed."""

from __future__ import annotations

import contextlib
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from xdpl.blackbox.labels import datasets
from xdpl.blackbox.processes import Processes, kill, tail
from xdpl.blackbox.task import Failure, Task
from xdpl.blackbox.worker import READY, call, receive, send

if TYPE_CHECKING:
    from xdpl.models import BlackBox

__all__ = ["Here", "Worker", "pickled"]


def pickled(function: Callable[..., Any]) -> bytes:
    """A function for another process.

    Raises
    ------
    TypeError
        If it is not in a module that the process can import, and cloudpickle is not installed or
        cannot take it either.
    """
    reason: Exception = TypeError("it is defined in the session")
    if getattr(function, "__module__", None) != "__main__":
        try:
            return pickle.dumps(function)
        except (AttributeError, TypeError, pickle.PicklingError) as error:
            reason = error
    try:
        import cloudpickle
    except ImportError:
        raise TypeError(str(reason)) from reason
    try:
        data: bytes = cloudpickle.dumps(function)
    except Exception as error:  # of whatever the function holds
        raise TypeError(str(error)) from error
    return data


class Here:
    """Calls the function in this process.

    Parameters
    ----------
    model : BlackBox
    """

    def __init__(self, model: BlackBox) -> None:
        self._model = model

    def do(self, task: Task) -> dict[str, np.ndarray]:
        """Outputs (time, run) of a task.

        Raises
        ------
        Failure
        """
        forcings, parameters = datasets(task, self._model)
        return call(self._model.run, forcings, parameters, [f.name for f in self._model.fluxes])

    def close(self) -> None:
        """Nothing is left running."""


class Worker:
    """Calls the function in a process that lives until a task kills it.

    Not `multiprocessing`: it imports the main module of the user again, and cannot kill one worker.

    Parameters
    ----------
    model : BlackBox
    processes : Processes
    """

    def __init__(self, model: BlackBox, processes: Processes) -> None:
        self._model = model
        self._processes = processes
        self._process: subprocess.Popen[bytes] | None = None
        self._log: Path | None = None

    def do(self, task: Task) -> dict[str, np.ndarray]:
        """Outputs (time, run) of a task.

        Raises
        ------
        Failure
            If the function fails or takes too long, or the process dies.
        """
        names = [flux.name for flux in self._model.fluxes]
        reply = self._ask(pickle.dumps((*datasets(task, self._model), names)))
        fine, result = pickle.loads(reply)
        if not fine:
            raise Failure(result)
        outputs: dict[str, np.ndarray] = result
        return outputs

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            kill(process)
            process.wait()
            for stream in (process.stdin, process.stdout):
                # What was not taken any more cannot be flushed.
                with contextlib.suppress(OSError):
                    stream.close()  # type: ignore[union-attr]
            self._processes.ended(process)
        if self._log is not None:
            self._log.unlink(missing_ok=True)
            self._log = None

    def _ask(self, request: bytes) -> bytes:
        process = self._process or self._start()
        limit = self._model.timeout
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            kill(process)

        timer = None if limit is None else threading.Timer(limit, expire)
        if timer is not None:
            timer.start()
        reply = _exchange(process, request)
        if timer is not None:
            timer.cancel()
        if reply is None or expired.is_set():
            self._fail(process, f"killed after {limit:g} s" if expired.is_set() else None)
        return reply

    def _start(self) -> subprocess.Popen[bytes]:
        """Begin a process, and wait until it has imported what it needs."""
        data = pickled(self._model.run)  # type: ignore[arg-type]
        # The function may be in a module that only this process knows where to find.
        code = f"import sys; sys.path[:] = {sys.path!r}; from xdpl.blackbox.worker import main; main()"
        with tempfile.NamedTemporaryFile(prefix="xdpl-worker-", delete=False) as log:
            self._log = Path(log.name)
            pipe = subprocess.PIPE
            process = self._processes.start([sys.executable, "-c", code], stdin=pipe, stdout=pipe, stderr=log)
        self._process = process
        if _exchange(process, data) != READY:
            self._fail(process, None)
        return process

    def _fail(self, process: subprocess.Popen[bytes], how: str | None) -> NoReturn:
        code = _ended(process)
        said = "" if self._log is None else tail(self._log)
        self.close()
        died = f"exit code {code}" if code >= 0 else f"signal {-code}"
        msg = f"{how or f'the process of the function died, {died}'}{said}"
        raise Failure(msg)


def _exchange(process: subprocess.Popen[bytes], request: bytes) -> bytes | None:
    """The answer to a request; None if the process has died."""
    try:
        send(process.stdin, request)  # type: ignore[arg-type]
        return receive(process.stdout)  # type: ignore[arg-type]
    except OSError:
        return None


def _ended(process: subprocess.Popen[bytes]) -> int:
    """Exit code of a process that has closed its output, and so has no more to say."""
    try:
        return process.wait(5.0)
    except subprocess.TimeoutExpired:
        kill(process)
        return process.wait()
