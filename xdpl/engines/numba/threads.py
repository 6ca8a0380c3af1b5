"""A pool of threads that kernels share: one per processor, whoever calls.

Kernels release the interpreter lock and call nothing back, so that tasks never wait for one another: callers
in many threads (dask, say) may use the pool at the same time. A forked process begins with a pool of its own.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor

__all__ = ["count", "run"]

_pool: ThreadPoolExecutor | None = None
_size = 0
_lock = threading.Lock()


def count() -> int:
    """Threads to use: `XDPL_NUM_THREADS`, or the processors this process may run on."""
    chosen = os.environ.get("XDPL_NUM_THREADS", "")
    if chosen.isdecimal() and int(chosen) > 0:
        return int(chosen)
    if chosen:
        msg = f"XDPL_NUM_THREADS: expected a number of at least 1, got {chosen!r}; fix: unset it"
        raise ValueError(msg)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run(task: Callable[[int, int], None], pieces: Collection[tuple[int, int]]) -> None:
    """Call a task for ranges, some of them at the same time; the caller works too."""
    threads = min(count(), len(pieces))
    if threads <= 1:
        for piece in pieces:
            task(*piece)
        return
    left = iter(pieces)
    lock = threading.Lock()
    failed = threading.Event()

    def work() -> None:
        while not failed.is_set():
            with lock:
                piece = next(left, None)
            if piece is None:
                return
            try:
                task(*piece)
            except BaseException:
                # An interrupt too: the other threads end with the piece they are at.
                failed.set()
                raise

    futures: list[Future[None]] = [_executor().submit(work) for _ in range(threads - 1)]
    try:
        work()
    finally:
        # Arrays must not be freed under a thread that still works on them.
        for future in futures:
            future.cancel() or future.exception()
    for future in futures:
        if not future.cancelled():
            future.result()


def _executor() -> ThreadPoolExecutor:
    global _pool, _size
    with _lock:
        if _pool is None or _size < count():
            _size = count()
            _pool = ThreadPoolExecutor(_size, thread_name_prefix="xdpl")
        return _pool


def _forget() -> None:
    """Start afresh in a forked process: threads are not copied."""
    global _pool, _lock
    _pool, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
