"""The error of sample data that could not be brought here."""

from __future__ import annotations

__all__ = ["DataError"]


class DataError(OSError):
    """A file of the sample data could not be fetched, checked, stored or read.

    Parameters
    ----------
    subject : str
        The file, URL or folder it is about.
    expected, got : str
        What was needed and what happened.
    fix : str
        What to do about it.
    """

    def __init__(self, subject: str, *, expected: str, got: str, fix: str) -> None:
        self.subject = subject
        self.expected = expected
        self.got = got
        self.fix = fix
        super().__init__(f"{subject}: expected {expected}, got {got}; fix: {fix}")

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.subject, self.expected, self.got, self.fix)


def _rebuild(subject: str, expected: str, got: str, fix: str) -> DataError:
    return DataError(subject, expected=expected, got=got, fix=fix)
