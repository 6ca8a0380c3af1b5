"""A stand-in for a process model: a network predicts its outputs directly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from xdpl.models.base import Flux, Forcing, Model, Parameter, State

__all__ = ["NetworkOnly"]


@dataclass(frozen=True)
class NetworkOnly(Model):
    """No process at all: the network itself predicts the target from forcings and attributes.

    What pure machine learning gets from the same inputs, to stand beside every score of a
    process model (Kratzert et al. 2019, doi:10.5194/hess-23-5089-2019). It has no
    parameters, no states and no outputs but what it was trained on. `xdpl.learn` takes it
    with a network that reads forcings, such as ``"lstm"``.

    Parameters
    ----------
    like : str or Model
        The process model whose forcings it reads and whose outputs it can predict.
    positive : bool
        Whether a softplus keeps what it predicts above zero, as a flux out of a store is.
    """

    like: Model = field(default="hbv")  # type: ignore[assignment]
    positive: bool = True

    name: ClassVar[str] = "network"
    parameters: ClassVar[tuple[Parameter, ...]] = ()  # type: ignore[misc]
    states: ClassVar[tuple[State, ...]] = ()  # type: ignore[misc]

    def __post_init__(self) -> None:
        from xdpl import models

        object.__setattr__(self, "like", models.get(self.like, "NetworkOnly"))

    @property
    def dt(self) -> float:  # type: ignore[override]
        """Time step of the process model, in days."""
        return self.like.dt

    @property
    def forcings(self) -> tuple[Forcing, ...]:  # type: ignore[override]
        """Those of the process model."""
        return self.like.forcings

    @property
    def fluxes(self) -> tuple[Flux, ...]:  # type: ignore[override]
        """All outputs of the process model."""
        outputs = self.like.all_outputs().values()
        return tuple(Flux(d.name, d.units, d.standard_name, d.long_name) for d in outputs)

    @property
    def outputs(self) -> tuple[str, ...]:  # type: ignore[override]
        """Those of the process model."""
        return self.like.outputs

    def options(self) -> dict[str, Any]:
        """Name and options of the process model, and the sign."""
        like = {"name": self.like.name, "options": self.like.options()}
        return {"like": like, "positive": self.positive}

    def step(self, xp: Any, s: Any, f: Any, p: Any) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Refused: there is no process.

        Raises
        ------
        TypeError
        """
        msg = "NetworkOnly has no step: learn it, then call simulate of the fit"
        raise TypeError(msg)
