"""The model contract: what a process model declares, and its one-step function."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections import namedtuple
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from xdpl.models import report
from xdpl.models.checks import check_routes

if TYPE_CHECKING:
    from xdpl.models.routes import GammaHydrograph, RouteState

__all__ = ["Declaration", "Flux", "Forcing", "Model", "Parameter", "State"]

Array = Any


@dataclasses.dataclass(frozen=True)
class Declaration:
    """A named quantity of a model.

    Parameters
    ----------
    name : str
        Name in the model; also tried as a variable name in a dataset.
    units : str
        CF units the model computes in.
    standard_name : str
        CF standard name, if there is one; tried after the name.
    long_name : str
        For people.
    statistic : str
        What `cell_methods` says over time where it is not the mean, such as
        "minimum": CF gives daily extremes the standard name of the mean.
    synonyms : tuple of str
        Further standard names under which datasets have it, such as of a mass instead
        of a depth.
    """

    name: str
    units: str
    standard_name: str = ""
    long_name: str = ""
    statistic: str = dataclasses.field(default="", kw_only=True)
    # Not in the repr, of which the hash of a model is made: it says nothing of the model itself.
    synonyms: tuple[str, ...] = dataclasses.field(default=(), kw_only=True, repr=False)


@dataclasses.dataclass(frozen=True)
class Forcing(Declaration):
    """A time-varying input of a model.

    Parameters
    ----------
    name, units, standard_name, long_name, statistic : str
        As in `Declaration`.
    mean_of : tuple of Declaration
        Where a dataset lacks the forcing, the mean of these stands in for it, such as
        of the daily minimum and maximum.
    """

    mean_of: tuple[Declaration, ...] = dataclasses.field(default=(), kw_only=True, repr=False)


class Flux(Declaration):
    """A quantity diagnosed in each step: a flux or any other output."""


@dataclasses.dataclass(frozen=True)
class State(Declaration):
    """A store carried from one step to the next.

    Parameters
    ----------
    name, units, standard_name, long_name, statistic : str
        As in `Declaration`.
    initial : float
        Value before the first step, unless the model overrides `initial_states`.
    """

    initial: float = 0.0


@dataclasses.dataclass(frozen=True)
class Parameter:
    """What is learned: a physical constant of a site.

    Parameters
    ----------
    name : str
    lower, upper : float
        Bounds, in `units`.
    units : str
    default : float
        Value of an uncalibrated run; inside the bounds.
    long_name : str
    scale : {"linear", "log"}
        How the range between the bounds is spanned while learning.

    Raises
    ------
    ValueError
        If the default is not strictly inside the bounds, or a log range
        does not start above zero.
    """

    name: str
    lower: float
    upper: float
    units: str
    default: float
    long_name: str = ""
    scale: Literal["linear", "log"] = "linear"

    def __post_init__(self) -> None:
        if not self.lower < self.default < self.upper:
            msg = f"{self.name}: default {self.default} is not inside ({self.lower}, {self.upper})"
            raise ValueError(msg)
        if self.scale == "log" and self.lower <= 0:
            msg = f"{self.name}: a log scale needs a lower bound above 0, got {self.lower}"
            raise ValueError(msg)


class Model(ABC):
    """A process model as one pure function of one time step.

    Subclasses are frozen dataclasses whose fields are constants a user may set
    (variants, the time step `dt` in days). They declare `forcings`, `parameters`, `states`,
    `fluxes` and `outputs` (names of the main outputs), as class attributes or
    properties, and implement `step`. A model may have `routes`: fluxes that are delayed
    after the step, whose parameters are among `parameters` too.
    """

    name: ClassVar[str]
    dt: float = 1.0
    forcings: tuple[Forcing, ...]
    parameters: tuple[Parameter, ...]
    states: tuple[State, ...]
    fluxes: tuple[Flux, ...]
    outputs: tuple[str, ...]
    routes: tuple[GammaHydrograph, ...] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # `dataclass` writes a `__repr__` of its own, unless it finds one in the class itself.
        base = next(c for c in cls.__mro__ if issubclass(c, Model) and "__repr__" in vars(c))
        cls.__repr__ = vars(base)["__repr__"]  # type: ignore[method-assign]

    def __repr__(self) -> str:
        return report.text(self)

    def _repr_html_(self) -> str:
        return report.html(self)

    @abstractmethod
    def step(self, xp: Any, s: Any, f: Any, p: Any) -> tuple[Mapping[str, Array], Mapping[str, Array]]:
        """Advance all sites by one time step.

        Pure and elementwise: array-API functions of `xp` and operators only,
        no in-place writes, no boolean indexing, no data-dependent shapes.

        Parameters
        ----------
        xp : namespace
            Array-API namespace of the arrays.
        s, f, p : named tuple of arrays, all of one shape
            States, forcings and parameters, in declared units; without the parameters
            of routes.

        Returns
        -------
        states, fluxes : mapping of str to array
            The new value of every declared state and flux.
        """

    @property
    def step_parameters(self) -> tuple[Parameter, ...]:
        """The parameters that `step` takes: those of routes left out.

        Raises
        ------
        ValueError
            If a route names a flux or a parameter that is not declared.
        """
        if not self.routes:
            return self.parameters
        check_routes(self)
        routed = {parameter.name for route in self.routes for parameter in route.parameters}
        return tuple(parameter for parameter in self.parameters if parameter.name not in routed)

    @property
    def route_states(self) -> tuple[RouteState, ...]:
        """What routes carry from one run to the next, besides the states of the step."""
        return tuple(route.state for route in self.routes)

    def initial_states(self, xp: Any, p: Any) -> Mapping[str, Array]:
        """States before the first step, for parameters `p`, in declared units."""
        zero = p[0] * 0.0
        return {state.name: zero + state.initial for state in self.states}

    def defaults(self) -> dict[str, float]:
        """Default value of every parameter, in declared units."""
        return {parameter.name: parameter.default for parameter in self.parameters}

    def options(self) -> dict[str, Any]:
        """The user-settable constants of this instance, plain values."""
        return dataclasses.asdict(self) if dataclasses.is_dataclass(self) else {}

    def output(self, name: str) -> Declaration:
        """Return the declaration of a flux or state.

        Raises
        ------
        KeyError
            If the model has no such output.
        """
        return self.all_outputs()[name]

    def all_outputs(self) -> dict[str, Declaration]:
        """Every flux and state by name."""
        return {declared.name: declared for declared in (*self.fluxes, *self.states)}

    def pack(self, kind: Literal["forcings", "parameters", "states"], values: Mapping[str, Array]) -> Any:
        """Named tuple of `values` in declared order, as `step` takes it; those of routes are left out."""
        declared = self.step_parameters if kind == "parameters" else getattr(self, kind)
        if kind != "forcings" and (routes := self.routes):
            routed = {d.name for route in routes for d in (*route.parameters, route.state)}
            values = {k: v for k, v in values.items() if k not in routed}
        return _tuple_type(kind, tuple(d.name for d in declared))(**values)


@lru_cache
def _tuple_type(kind: str, fields: tuple[str, ...]) -> Any:
    return namedtuple(kind.capitalize(), fields)
