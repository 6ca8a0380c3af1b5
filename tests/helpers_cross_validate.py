"""A protocol of `Bucket` in a fraction of a second, and how to compare two runs."""

from __future__ import annotations

from typing import Any

import xarray as xr
from helpers_learn import ATTRIBUTES, Bucket, world

import xdpl
from xdpl.evaluation import Ungauged
from xdpl.training.progress import Progress

EARLY = slice("2001-02-01", "2001-04-30")
LATE = slice("2001-05-01", "2001-06-30")
LEARN: dict[str, Any] = {
    "target": "runoff",
    "attributes": ATTRIBUTES,
    "network": xdpl.networks.MLP(hidden=(8,)),
    "epochs": 3,
    "batch": 4,
    "window": 30,
    "warmup": 10,
    "learning_rate": 0.02,
}


def run(ds: xr.Dataset | None = None, models: Any = None, **options: Any) -> xr.Dataset:
    """Two random folds of six sites, trained until April and tested in May and June."""
    defaults = {"protocol": Ungauged(k=2), "train": EARLY, "test": LATE, "progress": False, **LEARN}
    return xdpl.cross_validate(world() if ds is None else ds, models or Bucket(), **(defaults | options))


def assert_same_scores(a: xr.Dataset, b: xr.Dataset) -> None:
    """Identical but for the clock."""
    a, b = (x.drop_vars("seconds").assign_attrs(history="") for x in (a, b))
    xr.testing.assert_identical(a, b)


def stop_at(monkeypatch: Any, epoch: int) -> list[Any]:
    """Ctrl-C at the end of an epoch, counted over all fits; gives the epochs as they are run."""
    seen: list[Any] = []
    update = Progress.update

    def stopping(self: Any, row: Any) -> None:
        seen.append(row)
        update(self, row)
        if len(seen) == epoch:
            raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "update", stopping)
    return seen
