"""What gives parameters to any site, learned or not: how its simulations are run and scored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import Any

import xarray as xr

from xdpl.labelled import schema
from xdpl.labelled.tree import method_over_nodes
from xdpl.models import Model
from xdpl.simulate import simulate

__all__ = ["ParameterSource", "has_attributes", "has_forcings", "has_target", "simulate_with"]


def has_attributes(source: ParameterSource, ds: xr.Dataset, **_: Any) -> list[str]:
    """Attributes of a source that the node of a tree has."""
    return [k for k in source.attributes if k in ds]


def has_forcings(source: ParameterSource, ds: xr.Dataset, **_: Any) -> list[str]:
    """Forcings of a source that the node of a tree has."""
    return list(schema.present(ds, source.model, forcings=source.forcings_in(ds)))


def has_target(
    source: ParameterSource, ds: xr.Dataset, target: str | Mapping[str, str] | None = None, **_: Any
) -> list[str]:
    """Observed targets that the node of a tree has."""
    wanted = [target] if isinstance(target, str) else (source.targets | dict(target or {})).values()
    return [v for v in wanted if v in ds.data_vars]


class ParameterSource(ABC):
    """A model with a way from what is known of a site to its parameters.

    Attributes
    ----------
    model : Model
    attributes : dict of str to str or None
        Names of the attributes and the units they had in training.
    forcings : dict of str to str
        Which variable was which forcing.
    settings : dict
        How it was made, as plain values: ``targets`` and ``members`` among them.
    """

    model: Model
    attributes: dict[str, str | None]
    forcings: dict[str, str]
    settings: dict[str, Any]

    @abstractmethod
    def simulate(self, ds: Any, **options: Any) -> Any:
        """Run the model with the parameters of the sites of a dataset."""

    @method_over_nodes(has_target)
    def evaluate(
        self,
        ds: xr.Dataset,
        *,
        time: slice | None = None,
        target: str | Mapping[str, str] | None = None,
        forcings: Mapping[str, str] | None = None,
    ) -> xr.Dataset:
        """Score the simulated against the observed target.

        Parameters
        ----------
        ds : Dataset or DataTree
            With forcings, the target and what `parameters` needs; of a tree, the nodes
            that have the target. The whole record is run, so
            that what comes before `time` warms the states up.
        time : slice, optional
            Period that is scored, by dates.
        target : str or mapping of str to str, optional
            Observed variable, if it has another name than in training; of several
            targets, a mapping of outputs to variables.
        forcings : mapping of str to str, optional
            As in `xdpl.simulate`.

        Returns
        -------
        Dataset
            Metrics per site, pooled ones as `pooled_*`, and, where the model has
            precipitation and potential evapotranspiration, `worst_*` of the terciles
            of dryness; these are NaN where there are too few sites for three. In
            units of the target (of a target in m3 s-1, those of its depth),
            quantified if it is. Of several targets along a dim `target`. Lazy where `ds`
            is. A network with a history reads what was observed before `time`, and
            nothing without it. The attribute ``comment`` says where scores and the
            training loss differ in kind.

        Raises
        ------
        InputErrors
            If something is missing or has wrong units.
        """
        from xdpl.fit.scoring import evaluate

        run = partial(self._scored, time=time)
        return evaluate(self, ds, time=time, target=target, forcings=forcings, simulate=run)

    @property
    def targets(self) -> dict[str, str]:
        """Outputs that were trained on, and the variable each was observed in."""
        return dict(self.settings["targets"])

    @property
    def target(self) -> str:
        """The first of the outputs that were trained on."""
        return next(iter(self.targets))

    @property
    def target_variable(self) -> str:
        """The variable it was observed in."""
        return self.targets[self.target]

    def forcings_in(self, ds: xr.Dataset) -> dict[str, str] | None:
        """The mapping of the training, as far as the dataset has those variables."""
        mapping = {k: v for k, v in self.forcings.items() if v in ds.variables}
        return mapping or None

    def _scored(self, ds: xr.Dataset, *, time: slice | None, **options: Any) -> xr.Dataset:
        """The simulation that is scored over a period."""
        scored: xr.Dataset = self.simulate(ds, **options)
        return scored


def simulate_with(source: ParameterSource, ds: xr.Dataset, parameters: xr.Dataset, **options: Any) -> Any:
    """A run with some parameters; the mean over members, if there are some."""
    options = {"forcings": source.forcings_in(ds)} | options
    if source.settings["members"] > 1:
        options = {"average": "member"} | options
    return simulate(ds, source.model, parameters, **options)
