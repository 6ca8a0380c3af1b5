"""What ways to gradients by more runs have in common."""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from xdpl.gradients.moves import Moves
from xdpl.gradients.runs import Runs

if TYPE_CHECKING:
    from torch import Tensor

    from xdpl.errors import Problems
    from xdpl.models import Model
    from xdpl.training.sources import Setting

__all__ = ["Perturbation", "check_step"]


@dataclass(frozen=True)
class Perturbation(ABC):
    """Runs of the model at parameters around those of the network."""

    #: The model itself is run while training.
    runs_model: ClassVar[bool] = True

    @property
    def identity(self) -> str:
        """What a fit keeps of it: its name and its options."""
        return repr(self)

    @abstractmethod
    def runs(self, parameters: int) -> int:
        """Runs of each series of an update, of a model with so many parameters."""

    @abstractmethod
    def moves(self, place: Tensor) -> Moves:
        """Where else to run, of estimates (series, parameter) as shares of the distance between bounds."""

    def check(self, model: Model, problems: Problems, targets: Collection[str] = ()) -> None:
        """Note a model that has nothing to move."""
        if not model.parameters:
            problems.add(
                "gradients",
                expected="a model with parameters, to move them",
                got=f"{model.name!r}, which has none",
                fix="leave gradients out",
            )

    def source(self, setting: Setting) -> Runs:
        """Ready to run the model of a training."""
        return Runs(setting, self.moves)


def check_step(step: Any, problems: Problems, fix: str) -> None:
    """Note a step that is none, or for which there is no room between the bounds."""
    number = isinstance(step, numbers.Real) and not isinstance(step, bool)
    if not (number and 0.0 < float(step) <= 0.5):
        problems.add("step", expected="a number above 0, at most 0.5", got=repr(step), fix=fix)
