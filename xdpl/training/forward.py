"""From a batch to the simulated targets: through a process model, or by a network alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from xdpl import engines
from xdpl.models import Model
from xdpl.networks.bounded import ParameterNetwork
from xdpl.networks.series import SeriesNetwork
from xdpl.training.observer import Observer
from xdpl.training.priors import PRIOR, Departures
from xdpl.training.samples import Batch

if TYPE_CHECKING:
    from xdpl.training.sources import Source

__all__ = ["Alone", "Forward", "Observed"]


@dataclass(frozen=True)
class Forward:
    """Network, model and how the two run together.

    Parameters
    ----------
    model : Model
    network : ParameterNetwork
    targets : sequence of str
        Outputs of the model.
    engine : str
    warmup_gradient : bool
        Whether gradients flow through the warm-up.
    departures : Departures, optional
        Of parameters from their priors.
    source : Source, optional
        What gives series and gradients in place of a run of the model.
    """

    model: Model
    network: ParameterNetwork
    targets: Sequence[str]
    engine: str
    warmup_gradient: bool = True
    departures: Departures | None = None
    source: Source | None = None

    def __call__(self, batch: Batch) -> dict[str, Tensor]:
        """Targets of a batch, (window, series) each, averaged over members.

        While training also what departures from priors cost each series, (1, series), under `PRIOR`.
        """
        values = self.network(batch.inputs)
        out = self._simulated(batch, values)
        if self.departures is not None and self.network.training and batch.sites is not None:
            out[PRIOR] = self.departures(values, batch.sites)[None, :]
        return out

    def _simulated(self, batch: Batch, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        if self.source is not None:
            series = _averaged(self.source, batch, values)
            return {k: v[batch.warmup :] if k in self.targets else v for k, v in series.items()}
        if self.warmup_gradient or not batch.warmup:
            series, _ = self._run(batch.forcings, values, self.targets)
            return {k: v[batch.warmup :] for k, v in series.items()}
        dynamic = self.network.columns.dynamic
        with torch.no_grad():
            before = {k: v[: batch.warmup] for k, v in batch.forcings.items()}
            early = {k: v[: batch.warmup] if k in dynamic else v for k, v in values.items()}
            _, state = self._run(before, early, ())
        after = {k: v[batch.warmup :] for k, v in batch.forcings.items()}
        late = {k: v[batch.warmup :] if k in dynamic else v for k, v in values.items()}
        return self._run(after, late, self.targets, state)[0]

    def _run(
        self,
        forcings: Mapping[str, Tensor],
        values: Mapping[str, Tensor],
        outputs: Sequence[str],
        state: Mapping[str, Tensor] | None = None,
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        members = self.network.columns.members
        return engines.run(
            self.engine,
            self.model,
            forcings,
            values,
            initial=state,
            outputs=tuple(outputs),
            members=members if members > 1 else None,
            states=not outputs,
        )


def _averaged(source: Source, batch: Batch, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What a source gives (time, series), averaged over members, which are further series to it."""
    members = max((len(v) for v in values.values() if v.ndim > 1), default=1)
    count = next(iter(batch.forcings.values())).shape[1]
    many = {k: v.repeat(1, members) for k, v in batch.forcings.items()}
    each = {k: v.expand(members, count).reshape(-1) for k, v in values.items()}
    begins = None if batch.begins is None else batch.begins.repeat(members)
    series = source(many, each, begins)
    return {k: v.reshape(len(v), members, count).mean(dim=1) for k, v in series.items()}


@dataclass(frozen=True)
class Alone:
    """A network that predicts the targets itself.

    Parameters
    ----------
    network : SeriesNetwork
    """

    network: SeriesNetwork

    def __call__(self, batch: Batch) -> dict[str, Tensor]:
        """Targets of a batch, (window, series) each."""
        return {k: v[batch.warmup :] for k, v in self.network(batch.inputs).items()}


@dataclass(frozen=True)
class Observed:
    """From a batch to what is compared: what simulates, then the operators.

    Parameters
    ----------
    forward : callable
        Batch to simulated targets.
    observer : Observer
    """

    forward: Callable[[Batch], dict[str, Tensor]]
    observer: Observer

    def __call__(self, batch: Batch) -> dict[str, Tensor]:
        """Targets of a batch (window, series), and what the operators cost."""
        simulated = self.forward(batch)
        return self.observer(simulated, batch.sites) if batch.sites is not None else simulated
