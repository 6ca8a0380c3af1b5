"""What runs in place of the model while training, so that there are gradients."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import pandas as pd
    import torch
    from torch import Tensor

    from xdpl.blackbox.failures import Failures
    from xdpl.errors import Problems
    from xdpl.models import Model
    from xdpl.models.ordering import Ordering

__all__ = ["FAILED", "Gradients", "Setting", "Source"]

#: Among what is simulated, (1, series): above 0 where a run has failed. No output of a model has such a name.
FAILED = "failed runs"


@dataclass(frozen=True)
class Setting:
    """What is trained, and where.

    Parameters
    ----------
    model : Model
    ordering : Ordering
        Of its parameters.
    outputs : tuple of str
        That are trained on.
    engine : str
    dates : Index, (time,)
        Of the record.
    device : torch.device
    """

    model: Model
    ordering: Ordering
    outputs: tuple[str, ...]
    engine: str
    dates: pd.Index
    device: torch.device


class Source(Protocol):
    """Gives series with gradients to the parameters, and no others."""

    @property
    def failures(self) -> Failures:
        """Of the runs of the model it made, and how many there were."""
        ...

    def __call__(
        self, forcings: Mapping[str, Tensor], parameters: Mapping[str, Tensor], begins: Tensor | None
    ) -> dict[str, Tensor]:
        """Outputs (time, series), and `FAILED` (1, series) where runs can fail.

        Parameters
        ----------
        forcings : mapping of str to Tensor, (time, series)
        parameters : mapping of str to Tensor, (series,)
        begins : Tensor of int, (series,), optional
            Position of the first step in the dates of the record.
        """
        ...


@runtime_checkable
class Gradients(Protocol):
    """What `xdpl.learn` takes as `gradients`."""

    @property
    def runs_model(self) -> bool:
        """Whether the model itself is run while training."""
        ...

    @property
    def identity(self) -> str:
        """What a fit keeps of it, and a checkpoint belongs to."""
        ...

    def check(self, model: Model, problems: Problems, targets: Collection[str] = ()) -> None:
        """Note a model or targets it cannot be used with."""
        ...

    def source(self, setting: Setting) -> Source:
        """Made ready for a training."""
        ...
