"""What runs of the same model share while it is at work: processes and the archive."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xdpl.blackbox.pool import Pool
from xdpl.models import BlackBox

if TYPE_CHECKING:
    from xdpl.blackbox.recorder import Recorder
    from xdpl.models import Model

__all__ = ["Session", "at_work", "session"]


@dataclass
class Session:
    """Processes and archive of a model, and how many use them."""

    pool: Pool
    recorder: Recorder | None
    users: int = field(default=0)


_open: dict[Any, Session] = {}
_lock = threading.Lock()


@contextlib.contextmanager
def session(model: BlackBox) -> Iterator[Session]:
    """The session of a model; it ends when nobody uses it any more, also blocks of dask in other threads."""
    key = _key(model)
    with _lock:
        if key not in _open:
            _open[key] = _begin(model)
        found = _open[key]
        found.users += 1
    try:
        yield found
    finally:
        with _lock:
            found.users -= 1
            over = not found.users
            if over:
                del _open[key]
        try:
            if found.recorder is not None:
                found.recorder.flush()
        finally:
            if over:
                found.pool.close()


@contextlib.contextmanager
def at_work(model: Model) -> Iterator[None]:
    """Within, processes of a black box stay for the next call; of other models this does nothing."""
    with session(model) if isinstance(model, BlackBox) else contextlib.nullcontext():
        yield


def _key(model: BlackBox) -> Any:
    """The model itself, so that a copy shares its session, unless its function cannot be hashed."""
    try:
        hash(model)
    except TypeError:
        return id(model)
    return model


def _begin(model: BlackBox) -> Session:
    if model.archive is None:
        return Session(Pool(model), None)
    from xdpl.blackbox.recorder import Recorder

    return Session(Pool(model), Recorder(model))
