"""A whole network from its specification: for training, and when a fit is loaded."""

from __future__ import annotations

from collections.abc import Sequence

from xdpl.models import Model, NetworkOnly
from xdpl.networks.base import Network, Sizes
from xdpl.networks.bounded import ParameterNetwork
from xdpl.networks.columns import Columns
from xdpl.networks.scaling import Scaling
from xdpl.networks.series import SeriesNetwork

__all__ = ["assemble", "sizes"]


def sizes(model: Model, columns: Columns, attributes: Sequence[str], targets: Sequence[str]) -> Sizes:
    """What goes into a network for a model, and out of it."""
    forcings = tuple(f.name for f in model.forcings)
    if isinstance(model, NetworkOnly):
        return Sizes(tuple(attributes), forcings, (), tuple(targets), tuple(range(len(targets))))
    return Sizes(tuple(attributes), forcings, tuple(targets), columns.names, columns.moving)


def assemble(
    spec: Network,
    model: Model,
    columns: Columns,
    scaling: Scaling,
    attributes: Sequence[str],
    targets: Sequence[str],
    dropout: float = 0.0,
) -> ParameterNetwork | SeriesNetwork:
    """Build a network, with fresh weights.

    Parameters
    ----------
    spec : Network
    model : Model
    columns : Columns
    scaling : Scaling
    attributes, targets : sequence of str
    dropout : float
        Fraction of dynamic parameters that stay still while training.
    """
    body = spec.build(sizes(model, columns, attributes, targets))
    if isinstance(model, NetworkOnly):
        return SeriesNetwork(body, targets, scaling.responses, positive=model.positive)
    return ParameterNetwork(body, columns, dropout=dropout)
