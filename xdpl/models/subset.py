"""A model of which some parameters only are free; the others have one value everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from xdpl.errors import Problems
from xdpl.models.base import Flux, Forcing, Model, Parameter, State

__all__ = ["SUFFIX", "Subset"]

#: Of the name.
SUFFIX = "-subset"


@dataclass(frozen=True, repr=False)
class Subset(Model):
    """Another model with fewer parameters: those that observations can tell, or that shall be learned.

    Parameters
    ----------
    model : str or Model
        With a step, and without routes.
    parameters : sequence of str
        Which parameters are left, in the order of the model.
    values : mapping of str to float, optional
        Of the others, in declared units; their defaults if not given.

    Raises
    ------
    InputErrors
        If names are not those of parameters, values are out of bounds, or the model is a black box or routes.
    """

    model: Model
    parameters: tuple[Parameter, ...] = field()
    values: tuple[tuple[str, float], ...] = ()

    def __init__(
        self, model: str | Model, parameters: Sequence[str], values: Mapping[str, float] | None = None
    ) -> None:
        from xdpl import models

        problems = Problems("Subset")
        whole = models.get(model, problems.call)
        values = {} if values is None else values
        _check(whole, parameters, values, problems)
        problems.raise_if_any()
        kept = tuple(p for p in whole.parameters if p.name in parameters)
        others = {p.name: p.default for p in whole.parameters if p.name not in parameters}
        object.__setattr__(self, "model", whole)
        object.__setattr__(self, "parameters", kept)
        object.__setattr__(self, "values", tuple((others | {k: float(v) for k, v in values.items()}).items()))

    @property
    def name(self) -> str:  # type: ignore[override]
        """That of the model, and that it is not all of it."""
        return f"{self.model.name}{SUFFIX}"

    @property
    def dt(self) -> float:  # type: ignore[override]
        """Time step of the model, in days."""
        return self.model.dt

    @property
    def forcings(self) -> tuple[Forcing, ...]:  # type: ignore[override]
        """Those of the model."""
        return self.model.forcings

    @property
    def states(self) -> tuple[State, ...]:  # type: ignore[override]
        """Those of the model."""
        return self.model.states

    @property
    def fluxes(self) -> tuple[Flux, ...]:  # type: ignore[override]
        """Those of the model."""
        return self.model.fluxes

    @property
    def outputs(self) -> tuple[str, ...]:  # type: ignore[override]
        """Those of the model."""
        return self.model.outputs

    def options(self) -> dict[str, Any]:
        """Name and options of the model, what is free, and the values of what is not."""
        like = {"name": self.model.name, "options": self.model.options()}
        return {"like": like, "parameters": [p.name for p in self.parameters], "values": dict(self.values)}

    def step(self, xp: Any, s: Any, f: Any, p: Any) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """The step of the model."""
        return self.model.step(xp, s, f, self._whole(p))

    def initial_states(self, xp: Any, p: Any) -> Mapping[str, Any]:
        """Those of the model."""
        return self.model.initial_states(xp, self._whole(p))

    def _whole(self, p: Any) -> Any:
        # Arrays, as the model has them of its own parameters.
        zero = p[0] * 0.0
        return self.model.pack("parameters", p._asdict() | {k: zero + v for k, v in self.values})


def _check(model: Model, names: Any, values: Any, problems: Problems) -> None:
    from xdpl.models.black_box import BlackBox

    if isinstance(model, BlackBox) or model.routes:
        got = f"{model.name!r}, {'a black box' if isinstance(model, BlackBox) else 'which routes'}"
        fix = "declare fewer parameters" if isinstance(model, BlackBox) else "learn all its parameters"
        problems.add("model", expected="a model with a step, without routes", got=got, fix=fix)
    known = {p.name: p for p in model.parameters}
    listed = not isinstance(names, str) and isinstance(names, Sequence)
    listed = listed and all(isinstance(name, str) for name in names)
    if not (listed and names and len({*names}) == len(names) and {*names} <= known.keys()):
        expected = f"some of {', '.join(known)}, each once"
        problems.add("parameters", expected=expected, got=repr(names), fix="name some of them")
    if not isinstance(values, Mapping):
        fix = "values={'<parameter>': <number>}"
        problems.add("values", expected="a mapping of parameters to numbers", got=repr(values), fix=fix)
        return
    for name, value in values.items():
        number = isinstance(value, Real) and not isinstance(value, bool)
        if name not in known or (listed and name in names):
            expected = "parameters of the model that are not free"
            problems.add("values", expected=expected, got=repr(name), fix="leave it out")
        elif not (number and known[name].lower <= value <= known[name].upper):
            expected = f"{name} between {known[name].lower:g} and {known[name].upper:g}"
            problems.add("values", expected=expected, got=repr(value), fix="a value within the bounds")
