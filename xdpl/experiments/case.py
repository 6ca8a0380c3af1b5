"""What an experiment is made on: a dataset, a model, and how they are learned and calibrated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import xarray as xr

from xdpl import models, units
from xdpl.data.known import known_parameters
from xdpl.errors import Problems
from xdpl.evaluation.declared import METRICS
from xdpl.labelled import schema
from xdpl.labelled.targets import find_targets

if TYPE_CHECKING:
    from xdpl.models import Model
    from xdpl.surrogate import Loop

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
    same_sites : mapping or function, optional
        Options that replace some of `learn` where another time at the sites of the training is predicted:
        memory of the sites then does no harm.
    alone : mapping or function, optional
        Options of `xdpl.learn` for a network without a process model; without them none takes part.
    history : mapping or function, optional
        Options that replace some of `learn` for a network that reads past observations; without them
        none takes part.
    calibrate : mapping
        Options of `xdpl.calibrate`.
    regionalise : mapping
        Options of `xdpl.regionalise` for donors, such as ``{"donors": 3}``.
    loop : Loop, optional
        How the model is learned through a surrogate, as if it had no gradients.
    sites : DataArray of bool, optional
        Sites that take part; all if not given.
    forcings : mapping of str to str, optional
        Which variable is which forcing, as in `xdpl.simulate`.

    Raises
    ------
    InputErrors
        If the model is not known, a variable is missing or has wrong units, or the score is none.
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
    same_sites: Options = field(default_factory=dict)
    alone: Options | None = None
    history: Options | None = None
    calibrate: Mapping[str, Any] = field(default_factory=dict)
    regionalise: Mapping[str, Any] = field(default_factory=dict)
    loop: Loop | None = None
    sites: xr.DataArray | None = None
    forcings: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        problems = Problems(f"Case({self.name!r})")
        self._found(problems)
        for name in self.attributes:
            if name not in self.ds:
                known = ", ".join(str(k) for k in self.ds.data_vars)
                problems.add(name, expected=f"a variable of ds: {known}", got="none", fix="name another")
        scores = [metric.name for metric in METRICS if metric.best != "zero"]
        if self.score not in scores:
            fix = 'score="rmse"'
            problems.add("score", expected=f"one of {', '.join(scores)}", got=repr(self.score), fix=fix)
        problems.raise_if_any()

    @cached_property
    def data(self) -> xr.Dataset:
        """What is run and compared: forcings and target by the names and in the units of the model.

        Forcings and attributes are NaN at sites that take no part.
        """
        model = self.process
        found = self._found(Problems(f"Case({self.name!r})"))
        said = {d.name: d.units for d in (*model.forcings, model.output(self.target))}
        series = {k: units.magnitude(f.data).assign_attrs(units=said[k]) for k, f in found.items()}
        out = self.ds.assign(series)
        usable = self.usable()
        for name in (*(d.name for d in model.forcings), *self.attributes):
            out[name] = out[name].where(usable).assign_attrs(out[name].attrs)
        return out

    @property
    def process(self) -> Model:
        """The model."""
        return models.get(self.model, f"Case({self.name!r})")

    @property
    def truth(self) -> xr.Dataset:
        """True parameters of a synthetic world that are not at their defaults; empty of another one."""
        return known_parameters(self.data, self.process)

    @property
    def lower_is_better(self) -> bool:
        """Whether the score is an error."""
        return any(metric.name == self.score and metric.best == "low" for metric in METRICS)

    def usable(self) -> xr.DataArray:
        """Sites that take part and have forcings, attributes and observations in both periods."""
        return self._usable

    @cached_property
    def _usable(self) -> xr.DataArray:
        series = self._found(Problems(f"Case({self.name!r})"))
        observed = units.magnitude(series[self.target].data)
        found = observed.sel(time=self.train).notnull().any("time")
        found = found & observed.sel(time=self.test).notnull().any("time")
        for name in self.attributes:
            found = found & self.ds[name].notnull()
        for forcing in series.values():
            found = found & units.magnitude(forcing.data).notnull().any("time")
        if self.sites is not None:
            found = found & self.sites
        return found.reset_coords(drop=True).drop_attrs().compute()

    def _found(self, problems: Problems) -> dict[str, schema.Found]:
        """Forcings and target, found and converted."""
        model = self.process
        found = schema.forcings(self.ds, model, self.forcings, problems)
        dims = dict.fromkeys(str(d) for f in found.values() for d in f.data.dims if d != "time")
        return found | find_targets(self.ds, model, self.target, self.forcings, tuple(dims), problems)

    def learning(self, count: int, *, same_sites: bool = False, **more: Any) -> dict[str, Any]:
        """Options of `xdpl.learn` for a number of training sites."""
        options = self._common() | _of(self.learn, count)
        return options | (_of(self.same_sites, count) if same_sites else {}) | more

    def learning_alone(self, count: int, **more: Any) -> dict[str, Any]:
        """Options of `xdpl.learn` of a network without a process model."""
        return self._common() | _of(self.alone or {}, count) | more

    def learning_from_history(self, count: int, **more: Any) -> dict[str, Any]:
        """Options of `xdpl.learn` of a network that reads past observations."""
        return self.learning(count) | _of(self.history or {}, count) | more

    def _common(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "target": self.target,
            "attributes": list(self.attributes),
            "train": self.train,
            "progress": False,
        }


def _of(options: Options, count: int) -> dict[str, Any]:
    return dict(options(count) if callable(options) else options)
