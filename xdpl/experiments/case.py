"""What an experiment is made on: a dataset, a model, and how they are learned and calibrated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import xarray as xr

from xdpl import models
from xdpl.errors import Problems
from xdpl.evaluation.declared import METRICS
from xdpl.labelled import schema

if TYPE_CHECKING:
    from xdpl.models import Model

__all__ = ["Case"]

Options = Mapping[str, Any] | Callable[[int], Mapping[str, Any]]


@dataclass(frozen=True)
class Case:
    """A dataset with a model and the settings of everything that is compared on it.

    Parameters
    ----------
    name : str
    ds : Dataset
        Forcings, the target and attributes, on one or more site dimensions.
    model : str or Model
    target : str
        An output of the model, and its observed variable.
    attributes : sequence of str
    train, test : slice
        Periods, by dates.
    score : {"rmse", "ubrmse", "correlation", "nse", "kge_2009", "kge_2012"}
        Metric of `xdpl.evaluation.metrics` that experiments report.
    learn : mapping, or function of the number of training sites
        Options of `xdpl.learn`.
    alone : mapping or function, optional
        Options of `xdpl.learn` for a network without a process model; without them none takes part.
    calibrate : mapping
        Options of `xdpl.calibrate`.
    regionalise : mapping
        Options of `xdpl.regionalise` for donors.
    sites : DataArray of bool, optional
        Sites that take part; all if not given.

    Raises
    ------
    InputErrors
        If the model is not known, a variable is missing, or the score is none.
    """

    name: str
    ds: xr.Dataset
    model: str | Model
    target: str
    attributes: Sequence[str]
    train: slice
    test: slice
    score: str = "rmse"
    learn: Options = field(default_factory=dict)
    alone: Options | None = None
    calibrate: Mapping[str, Any] = field(default_factory=dict)
    regionalise: Mapping[str, Any] = field(default_factory=dict)
    sites: xr.DataArray | None = None

    def __post_init__(self) -> None:
        problems = Problems(f"Case({self.name!r})")
        models.get(self.model, problems.call)
        for name in (self.target, *self.attributes):
            if name not in self.ds:
                known = ", ".join(str(k) for k in self.ds.data_vars)
                problems.add(name, expected=f"a variable of ds: {known}", got="none", fix="name another")
        scores = [metric.name for metric in METRICS if metric.best != "zero"]
        if self.score not in scores:
            fix = 'score="rmse"'
            problems.add("score", expected=f"one of {', '.join(scores)}", got=repr(self.score), fix=fix)
        problems.raise_if_any()

    @property
    def lower_is_better(self) -> bool:
        """Whether the score is an error."""
        return any(metric.name == self.score and metric.best == "low" for metric in METRICS)

    def usable(self) -> xr.DataArray:
        """Sites that take part and have forcings, attributes and observations in both periods."""
        observed = self.ds[self.target]
        found = observed.sel(time=self.train).notnull().any("time")
        found = found & observed.sel(time=self.test).notnull().any("time")
        for name in self.attributes:
            found = found & self.ds[name].notnull()
        problems = Problems(f"Case({self.name!r})")
        for forcing in schema.forcings(self.ds, models.get(self.model, "Case"), None, problems).values():
            found = found & forcing.data.notnull().any("time")
        problems.raise_if_any()
        if self.sites is not None:
            found = found & self.sites
        return found.reset_coords(drop=True)

    def learning(self, count: int, **more: Any) -> dict[str, Any]:
        """Options of `xdpl.learn` for a number of training sites."""
        return self._common() | dict(self.learn(count) if callable(self.learn) else self.learn) | more

    def learning_alone(self, count: int, **more: Any) -> dict[str, Any]:
        """Options of `xdpl.learn` of a network without a process model."""
        options = self.alone or {}
        return self._common() | dict(options(count) if callable(options) else options) | more

    def _common(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "target": self.target,
            "attributes": list(self.attributes),
            "train": self.train,
            "progress": False,
        }
