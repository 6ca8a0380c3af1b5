"""A model beside its tangent, as a model that any engine runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from xdpl.engines.tracing.graph import Graph
from xdpl.engines.tracing.replay import replay
from xdpl.engines.tracing.tangent import push, tangent
from xdpl.engines.tracing.trace import step_of
from xdpl.models.base import Flux, Model, Parameter, State

__all__ = ["TangentModel", "changed"]

Array = Any


def changed(name: str) -> str:
    """What the change of a quantity is called."""
    return f"{name}_tangent"


class TangentModel(Model):
    """One output of a model, and its change along a direction of the parameters.

    Parameters
    ----------
    model : Model
    output : str
        A flux or a state.
    traced : bool
        Whether the step is one that kernels can run; else it runs on tensors of torch only.

    Raises
    ------
    UnsupportedOperation
        If a traced step does what kernels cannot.

    Notes
    -----
    States and step parameters are those of the model and, called as `changed` says, what they are
    moved by. Routes are left out.
    """

    name = "tangent"

    def __init__(self, model: Model, output: str, *, traced: bool) -> None:
        self.model, self.output_name, self.traced = model, output, traced
        self.dt = model.dt
        self.forcings = model.forcings
        self.states = _doubled(model.states, State)
        self.parameters = (
            *model.step_parameters,
            *(
                Parameter(changed(p.name), float("-inf"), float("inf"), p.units, 0.0)
                for p in model.step_parameters
            ),
        )
        units = model.output(output).units
        self.fluxes = (Flux(_OUTPUT, units), Flux(changed(_OUTPUT), units))
        self.outputs = (_OUTPUT, changed(_OUTPUT))
        self._graph = _tangent_of(model, output) if traced else None

    @property
    def series(self) -> tuple[str, str]:
        """Names of the output and its change."""
        return _OUTPUT, changed(_OUTPUT)

    def step(self, xp: Any, s: Any, f: Any, p: Any) -> tuple[Mapping[str, Array], Mapping[str, Array]]:
        """The step of the model, and its change."""
        n, m = len(self.model.states), len(self.model.step_parameters)
        directions = (*s[n:], *p[m:])
        if self._graph is not None:
            found = replay(self._graph, xp)(*s[:n], *f, *p[:m], *directions)
            now, change = found[: n + 1], found[n + 1 :]
        else:
            now, change = push(self._eager(xp, f), (*s[:n], *p[:m]), directions)
        states = zip(self.states, (*now[:n], *change[:n]), strict=True)
        return {d.name: v for d, v in states}, dict(zip(self.series, (now[n], change[n]), strict=True))

    def start(self, values: Mapping[str, Array], directions: Mapping[str, Array]) -> dict[str, Array]:
        """States before the first step, and their change with the parameters.

        Parameters
        ----------
        values, directions : mapping of str to Tensor
            Of every step parameter of the model.
        """
        import array_api_compat.torch as xp

        model = self.model
        names = [p.name for p in model.step_parameters]
        declared = [s.name for s in model.states]

        def initial(*p: Any) -> tuple[Any, ...]:
            packed = model.pack("parameters", dict(zip(names, p, strict=True)))
            states = model.initial_states(xp, packed)
            # A state may be a plain constant, or not depend on any parameter.
            return tuple(states[name] + 0.0 * p[0] for name in declared)

        now, change = push(initial, [values[k] for k in names], [directions[k] for k in names])
        return dict(zip([s.name for s in self.states], (*now, *change), strict=True))

    def _eager(self, xp: Any, f: Any) -> Callable[..., tuple[Any, ...]]:
        """The step as a function of states and parameters."""
        model, output = self.model, self.output_name
        states, parameters = ([d.name for d in group] for group in (model.states, model.step_parameters))
        packed = model.pack("forcings", f._asdict())

        def function(*values: Any) -> tuple[Any, ...]:
            s = model.pack("states", dict(zip(states, values[: len(states)], strict=True)))
            p = model.pack("parameters", dict(zip(parameters, values[len(states) :], strict=True)))
            new, fluxes = model.step(xp, s, packed, p)
            series = fluxes[output] if output in fluxes else new[output]
            # What is a plain number in the step becomes an array, which does not change.
            none = values[0] * 0.0
            return (*(new[name] + none for name in states), series + none)

        return function


_OUTPUT = "output"


def _doubled(declared: tuple[State, ...], kind: type[State]) -> tuple[State, ...]:
    return (*declared, *(kind(changed(d.name), d.units) for d in declared))


def _tangent_of(model: Model, output: str) -> Graph:
    step = step_of(model, (output,))
    moved = (*(f"states.{k}" for k in step.states), *(f"parameters.{k}" for k in step.parameters))
    return tangent(step.graph, moved)
