"""A library that calls a function, turned into one that is asked and told."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from queue import SimpleQueue

import numpy as np

__all__ = ["Conversation", "Function"]

#: Takes points (candidate, parameter), gives values (candidate,).
Function = Callable[[np.ndarray], np.ndarray]


class _Hush(BaseException):
    """Ends the thread of a conversation; no `Exception`, which the library may catch."""


class Conversation:
    """A solver in a thread of its own, which waits wherever it calls its function.

    The thread ends when the solver does, on `close`, and when nothing refers to the conversation
    any more.

    Parameters
    ----------
    solve : callable
        Takes the function, and calls it until it is satisfied; must not refer to the conversation.
    name : str, optional
        Of the thread.
    """

    def __init__(self, solve: Callable[[Function], object], name: str | None = None) -> None:
        #: Points; None or an error at the end.
        self._questions: SimpleQueue[np.ndarray | BaseException | None] = SimpleQueue()
        #: Values; None asks the thread to end.
        self._answers: SimpleQueue[np.ndarray | None] = SimpleQueue()
        questions, answers = self._questions, self._answers
        self._thread = threading.Thread(target=_run, args=(solve, questions, answers), name=name, daemon=True)
        # Also at the end of the interpreter, where a waiting thread would otherwise be cut off.
        self._end = weakref.finalize(self, _end, self._thread, answers)
        self._thread.start()

    def listen(self) -> np.ndarray | None:
        """The next points (candidate, parameter), None at the end; waits for the solver.

        Raises
        ------
        Exception
            What the solver raised.
        """
        said = self._questions.get()
        if isinstance(said, BaseException):
            raise said
        return said

    def answer(self, values: np.ndarray) -> None:
        """Values (candidate,) of the points; does not wait."""
        self._answers.put(values)

    def close(self) -> None:
        """End the thread, wherever the solver is; waits until it has ended."""
        self._end()


def _run(
    solve: Callable[[Function], object],
    questions: SimpleQueue[np.ndarray | BaseException | None],
    answers: SimpleQueue[np.ndarray | None],
) -> None:
    def function(points: np.ndarray) -> np.ndarray:
        questions.put(points)
        values = answers.get()
        if values is None:
            raise _Hush
        return values

    try:
        solve(function)
    except _Hush:
        return
    # For whoever listens; a thread would print it and go.
    except Exception as error:
        questions.put(error)
    else:
        questions.put(None)


def _end(thread: threading.Thread, answers: SimpleQueue[np.ndarray | None]) -> None:
    answers.put(None)
    # Garbage is collected in any thread.
    if thread is not threading.current_thread():
        thread.join()
