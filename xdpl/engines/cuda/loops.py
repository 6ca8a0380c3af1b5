"""Source of whole kernels: the loop over time around printed graphs.

A thread runs one site of one member. Its states, its parameters and what is computed from them before the
first step are local variables, which the compiler keeps in registers. Threads that run side by side work on
adjacent sites: what they read or write at the same time lies side by side too.

Arrays are numbered, `forcing0`, `forcing1` and so on. Local variables are `f0` (forcings), `p0` (parameters),
`c0` (constants computed from them), `s0` (states), `y0` (cotangents of series), `g0` (cotangents of states)
and `d0` (gradients of parameters).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xdpl.engines.cuda.layout import Arguments, arguments
from xdpl.engines.cuda.source import literal, print_graph
from xdpl.engines.tracing.graph import Graph
from xdpl.engines.tracing.order import Graphs, Order

__all__ = ["NAME", "kernel_source"]

NAME = "kernel"
"""Name of the function in the source."""

_HEAD = """
lane = cuda.grid(1)
lanes = sites * members
if lane >= lanes:
    return
member = lane // sites
site = lane - member * sites
"""


def kernel_source(order: Order, graphs: Graphs) -> tuple[str, Arguments]:
    """Source of a kernel and the arguments it takes.

    Parameters
    ----------
    order : Order
    graphs : Graphs
        Those of the order.
    """
    made = _Backward(order, graphs) if order.backward else _Forward(order, graphs)
    body = [*_HEAD.strip().splitlines(), *made.body()]
    head = f"def {NAME}({', '.join(made.arguments.names)}):"
    return "\n".join([head, *_indent(body), ""]), made.arguments


class _Kernel:
    """What both kernels have.

    Parameters
    ----------
    order : Order
    graphs : Graphs
    """

    def __init__(self, order: Order, graphs: Graphs) -> None:
        step = order.step
        self.dtype = order.dtype
        self.graphs = graphs
        self.moving = [k for k, name in enumerate(step.parameters) if name in order.moving]
        self.still = [k for k, name in enumerate(step.parameters) if name not in order.moving]
        self.states = _names("s", len(step.states))
        self.forcings = _names("f", len(step.forcings))
        self.parameters = _names("p", len(step.parameters))
        self.constants = _names("c", len(graphs.before.outputs))
        self.series = _names("y", len(step.series))

    def print(self, graph: Graph, inputs: Sequence[str], prefix: str) -> tuple[list[str], list[str]]:
        """Source of a graph."""
        return print_graph(graph, inputs, prefix, self.dtype)

    def prepare(self) -> list[str]:
        """Read what stays the same, and compute what follows from it."""
        lines = [_read(f"p{k}", f"parameter{k}", member=True) for k in self.still]
        # The graph does not use the parameters that vary in time.
        made, outputs = self.print(self.graphs.before, self.parameters, "b")
        return lines + made + _assign(self.constants, outputs)

    def read_step(self) -> list[str]:
        """Read what changes with time."""
        lines = [_read(f, f"forcing{k}", time=True) for k, f in enumerate(self.forcings)]
        return lines + [_read(f"p{k}", f"parameter{k}", time=True, member=True) for k in self.moving]

    def step(self) -> tuple[list[str], list[str]]:
        """The step, and expressions of its outputs."""
        inputs = [*self.states, *self.forcings, *self.parameters, *self.constants]
        return self.print(self.graphs.step, inputs, "v")

    def next_states(self, outputs: Sequence[str]) -> list[str]:
        """Assign the outputs of a step to the states, all of which it may still have read."""
        after = _names("n", len(self.states))
        return _assign(after, outputs) + _assign(self.states, after)

    def rows(self, array: str, place: str, *, write: bool) -> list[str]:
        """Write the states to an array, or read them."""
        at = [f"{array}[index({place} + {k} * lanes)]" for k in range(len(self.states))]
        return _assign(at, self.states) if write else _assign(self.states, at)


class _Forward(_Kernel):
    def __init__(self, order: Order, graphs: Graphs) -> None:
        super().__init__(order, graphs)
        counts = {"forcing": len(self.forcings), "parameter": len(self.parameters)}
        counts |= {"start": len(self.states), "series": len(self.series), "final": len(self.states)}
        self.arguments = arguments(counts, self.moving, backward=False)

    def body(self) -> list[str]:
        """Segments of steps, each begun by keeping the states if asked for."""
        lines, outputs = self.step()
        n = len(self.states)
        series = [f"series{k}[index(t * lanes + lane)] = {v}" for k, v in enumerate(outputs[n:])]
        step = [*self.read_step(), *lines, *series, *self.next_states(outputs[:n])]
        return [
            *self.prepare(),
            *(_read(s, f"start{k}", member=True) for k, s in enumerate(self.states)),
            *_loop(
                "begun in range(0, steps, every)",
                "if keep == 1:",
                *_indent(self.rows("checkpoints", f"(begun // every) * {n} * lanes + lane", write=True)),
                *_loop("t in range(begun, min(begun + every, steps))", *step),
            ),
            *(f"final{k}[index(lane)] = {s}" for k, s in enumerate(self.states)),
        ]


class _Backward(_Kernel):
    def __init__(self, order: Order, graphs: Graphs) -> None:
        super().__init__(order, graphs)
        states, parameters = len(self.states), len(self.parameters)
        self.d_states = _names("g", states)
        self.d_forcings = len(self.forcings) if order.forcings else 0
        counts = {"forcing": len(self.forcings), "parameter": parameters, "d_series": len(self.series)}
        counts |= {"d_final": states, "d_start": states, "d_parameter": parameters}
        self.arguments = arguments(counts | {"d_forcing": self.d_forcings}, self.moving, backward=True)

    def body(self) -> list[str]:
        """Segments from the last to the first: forwards again keeping the states, then backwards."""
        n = len(self.states)
        scratch = f"j * {n} * lanes + lane"
        lines, outputs = self.step()
        again = [
            *self.rows("scratch", scratch, write=True),
            *["t = begun + j", *self.read_step(), *lines, *self.next_states(outputs)],
        ]
        back = [
            *["if j < last:", *_indent(self.rows("scratch", scratch, write=False))],
            *["t = begun + j", *self.read_step(), *self.pull()],
        ]
        zero = literal(0.0, self.dtype)
        return [
            *self.prepare(),
            *(_read(g, f"d_final{k}", member=True) for k, g in enumerate(self.d_states)),
            *(f"d{k} = {zero}" for k in self.still),
            *_loop(
                "segment in range((steps + every - 1) // every - 1, -1, -1)",
                "begun = segment * every",
                "last = min(every, steps - begun) - 1",
                *self.rows("checkpoints", f"segment * {n} * lanes + lane", write=False),
                *_loop("j in range(last)", *again),
                *_loop("j in range(last, -1, -1)", *back),
            ),
            *(f"d_start{k}[index(lane)] = {g}" for k, g in enumerate(self.d_states)),
            *(f"d_parameter{k}[index(lane)] = d{k}" for k in self.still),
        ]

    def pull(self) -> list[str]:
        """The adjoint of a step."""
        assert self.graphs.pull is not None
        read = [
            _read(y, f"d_series{k}", time=True, member=True) + " * weight" for k, y in enumerate(self.series)
        ]
        inputs = [*self.states, *self.forcings, *self.parameters, *self.d_states, *self.series]
        lines, outputs = self.print(self.graphs.pull, [*inputs, *self.constants], "w")
        n, p = len(self.states), len(self.parameters)
        d_parameters, d_forcings = outputs[n : n + p], outputs[n + p :]
        after = _names("n", n)
        return [
            *[*read, *lines],
            *(f"d{k} = d{k} + {d_parameters[k]}" for k in self.still),
            *(f"d_parameter{k}[index(t * lanes + lane)] = {d_parameters[k]}" for k in self.moving),
            *(f"d_forcing{k}[index(t * lanes + lane)] = {d}" for k, d in enumerate(d_forcings)),
            *_assign(after, outputs[:n]),
            *_assign(self.d_states, after),
        ]


def _names(letter: str, count: int) -> list[str]:
    return [f"{letter}{k}" for k in range(count)]


def _assign(names: Iterable[str], values: Iterable[str]) -> list[str]:
    return [f"{name} = {value}" for name, value in zip(names, values, strict=True)]


def _read(name: str, array: str, *, time: bool = False, member: bool = False) -> str:
    place = f"t * {array}_time + " * time + f"member * {array}_member + " * member + "site"
    return f"{name} = {array}[index({place})]"


def _loop(over: str, *body: str) -> list[str]:
    return [f"for {over}:", *_indent(body)]


def _indent(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]
