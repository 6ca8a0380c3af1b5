"""Shared fixtures: array namespaces, a scheduler that counts, reproducible examples."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import array_api_compat
import dask
import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("xdpl", deadline=None, database=None, derandomize=True)
settings.load_profile("xdpl")


@pytest.fixture(autouse=True)
def one_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of a test happens at one time: `history` has seconds, and results are compared with it."""
    monkeypatch.setattr("xdpl.labelled.attrs._now", lambda: "2001-02-03T04:05:06Z")


@dataclass(frozen=True)
class Backend:
    """One array namespace, with the way in and the way out."""

    name: str
    array: Callable[[np.ndarray], Any]
    numpy: Callable[[Any], np.ndarray]

    @property
    def xp(self) -> Any:
        return array_api_compat.array_namespace(self.array(np.zeros(1)))


def _read_only(values: np.ndarray) -> np.ndarray:
    values = np.array(values)
    values.flags.writeable = False
    return values


def _backend(name: str) -> Backend:
    if name == "array_api_strict":
        import array_api_strict

        return Backend(name, array_api_strict.asarray, np.asarray)
    if name == "torch":
        import torch

        return Backend(name, lambda v: torch.tensor(np.array(v)), lambda v: v.detach().numpy())
    return Backend(name, np.array if name == "numpy" else _read_only, np.asarray)


@pytest.fixture(params=["numpy", "read-only", "array_api_strict", "torch"])
def backend(request: pytest.FixtureRequest) -> Backend:
    return _backend(request.param)


class Counter:
    """A dask scheduler that counts how often something is computed."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, dsk: Any, keys: Any, **kwargs: Any) -> Any:
        self.calls += 1
        return dask.get(dsk, keys, **kwargs)


@pytest.fixture
def counter() -> Any:
    scheduler = Counter()
    with dask.config.set(scheduler=scheduler):
        yield scheduler


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed is the same wherever the tests run."""
    monkeypatch.setenv("COLUMNS", "100")
