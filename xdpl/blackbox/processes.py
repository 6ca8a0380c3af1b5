"""Child processes that can be killed: all of them, whatever they are doing."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

__all__ = ["Processes", "kill", "tail"]

# Of what a program has printed, in a message.
_LINES, _CHARACTERS = 8, 1000


class Processes:
    """The child processes of a pool, each with its own children in one group."""

    def __init__(self) -> None:
        self._alive: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self.stopped = False

    def start(self, args: list[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start a process.

        Raises
        ------
        InterruptedError
            If all were told to stop.
        """
        with self._lock:
            if self.stopped:
                msg = "the runs were stopped"
                raise InterruptedError(msg)
            # A session of its own: Ctrl-C goes to Python only, and grandchildren are killed as well.
            process = subprocess.Popen(args, start_new_session=True, **options)
            self._alive.add(process)
        return process

    def ended(self, process: subprocess.Popen[bytes]) -> None:
        """Take note that a process is over."""
        with self._lock:
            self._alive.discard(process)

    def stop(self) -> None:
        """Kill all, and start no more."""
        with self._lock:
            self.stopped = True
            for process in self._alive:
                kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its children."""
    if process.poll() is not None:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def tail(log: Path) -> str:
    """The last lines that a program has printed, for a message; empty if there are none."""
    text = log.read_text("utf8", errors="replace") if log.is_file() else ""
    lines = [line.rstrip() for line in text[-_CHARACTERS:].splitlines() if line.strip()]
    return ": " + " | ".join(lines[-_LINES:]) if lines else ""
