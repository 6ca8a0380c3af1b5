"""One error that lists every problem of a call."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["InputError", "InputErrors", "Problems", "short"]

_LONGEST = 120


class InputError(ValueError):
    """One thing wrong with the input of a call.

    Parameters
    ----------
    subject : str
        What is wrong: usually a variable, dimension or argument name.
    expected, got : str
        What the call needs and what it found.
    fix : str
        The call or change that repairs it.
    """

    def __init__(self, subject: str, *, expected: str, got: str, fix: str) -> None:
        self.subject = subject
        self.expected = expected
        self.got = got
        self.fix = fix
        super().__init__(f"{subject}: expected {expected}, got {got}; fix: {fix}")

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.subject, self.expected, self.got, self.fix)


def _rebuild(subject: str, expected: str, got: str, fix: str) -> InputError:
    return InputError(subject, expected=expected, got=got, fix=fix)


class InputErrors(ExceptionGroup[InputError], ValueError):
    """All the problems of one call; also a `ValueError`."""

    def derive(self, excs: Any) -> InputErrors:  # type: ignore[override]
        """Keep the class when the group is split or filtered."""
        return InputErrors(self.message, excs)


class Problems:
    """Collect problems and raise them together, before any computing."""

    def __init__(self, call: str) -> None:
        self.call = call
        self.found: list[InputError] = []

    def add(self, subject: str, *, expected: str, got: str, fix: str) -> None:
        """Note one problem; arguments as in `InputError`."""
        self.found.append(InputError(subject, expected=expected, got=got, fix=fix))

    def raise_if_any(self) -> None:
        """Raise `InputErrors` if a problem was noted."""
        if self.found:
            self.raise_all()

    def raise_all(self) -> NoReturn:
        """Raise `InputErrors` with a message that lists every problem."""
        lines = "".join(f"\n  - {problem}" for problem in self.found)
        message = f"{self.call} cannot run:{lines}\n"
        raise InputErrors(message, self.found)


def short(value: object) -> str:
    """Start of the repr of a value, on one line: a dataset or a model has many."""
    text = repr(value)
    first = (text.splitlines() or [""])[0][:_LONGEST]
    return first if first == text else f"{first.rstrip()} …"
