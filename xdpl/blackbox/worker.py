"""A process that calls a function for task after task.

It reads pickles of its parent from the standard input and answers on the standard output. What the
function prints goes elsewhere.
"""

from __future__ import annotations

import os
import pickle
import struct
import sys
import traceback
from importlib import import_module
from typing import IO, Any

__all__ = ["READY", "answer", "call", "main", "receive", "send"]

# Said when all is imported: time is taken from then on.
READY = b"ready"

_LENGTH = struct.Struct("<Q")


def send(stream: IO[bytes], data: bytes) -> None:
    """Write a message."""
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes | None:
    """The next message; None if there are no more."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    data = stream.read(length)
    return data if len(data) == length else None


def call(function: Any, forcings: Any, parameters: Any, names: list[str]) -> dict[str, Any]:
    """Outputs (time, run) of a function.

    Raises
    ------
    Failure
        If it raises, or gives something else.
    """
    from xdpl.blackbox.labels import arrays
    from xdpl.blackbox.task import Failure

    try:
        outputs = function(forcings, parameters)
    except Exception as error:
        said = traceback.format_exception_only(error)[-1].strip()
        frames = traceback.extract_tb(error.__traceback__)[1:]
        where = f" (line {frames[-1].lineno} of {os.path.basename(frames[-1].filename)})" if frames else ""
        msg = f"{said}{where}"
        raise Failure(msg) from error
    return arrays(outputs, names, forcings)


def answer(function: Any, request: bytes) -> bytes:
    """Pickle of whether a call succeeded, and of its outputs or its message."""
    from xdpl.blackbox.task import Failure

    try:
        return pickle.dumps((True, call(function, *pickle.loads(request))))
    except Failure as failure:
        return pickle.dumps((False, str(failure)))


def main() -> None:
    """Take a pickled function, then answer requests until there are no more."""
    # Descriptor 1 goes to the log from here on, also for what C or Fortran code prints.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests = sys.stdin.buffer
    first = receive(requests)
    if first is None:
        return
    function = pickle.loads(first)
    import_module("xdpl.blackbox.labels")
    send(replies, READY)
    while (request := receive(requests)) is not None:
        send(replies, answer(function, request))
