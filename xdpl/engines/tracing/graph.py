"""Straight-line graphs of elementwise operations, built simplified and free of repetition."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from xdpl.engines.tracing.simplify import simplify

__all__ = ["CONDITIONS", "Builder", "Graph", "Node", "Operand"]

CONDITIONS = frozenset(
    {
        *("equal", "greater", "greater_equal", "less", "less_equal", "not_equal"),
        *("isfinite", "isinf", "isnan", "logical_and", "logical_not", "logical_or", "logical_xor"),
    }
)
"""Operations whose value is true or false."""

Operand = int | float
"""An `int` is the index of a value (inputs first, then nodes), a `float` a constant."""


@dataclass(frozen=True, eq=False)
class Node:
    """One operation, named as in the array API."""

    op: str
    args: tuple[Operand, ...]


@dataclass(frozen=True, eq=False)
class Graph:
    """A pure function of named inputs.

    Parameters
    ----------
    inputs : tuple of str
        Values 0, 1, ...
    nodes : tuple of Node
        The values after the inputs, each a function of earlier ones.
    outputs : tuple of (str, Operand)
    """

    inputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[tuple[str, Operand], ...]

    def select(self, names: Sequence[str]) -> Graph:
        """The graph of some outputs, without what they do not need."""
        values = dict(self.outputs)
        return _prune(self.inputs, self.nodes, [(name, values[name]) for name in names])

    def over(self, inputs: Sequence[str]) -> Graph:
        """The same function of more inputs."""
        place = {name: i for i, name in enumerate(inputs)}
        more = len(inputs) - len(self.inputs)

        def moved(a: Operand) -> Operand:
            if isinstance(a, float):
                return a
            return place[self.inputs[a]] if a < len(self.inputs) else a + more

        nodes = tuple(Node(n.op, tuple(moved(a) for a in n.args)) for n in self.nodes)
        return Graph(tuple(inputs), nodes, tuple((name, moved(a)) for name, a in self.outputs))

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of the whole graph."""
        return hashlib.sha256(str(self).encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Graph) and self.digest == other.digest)

    def __hash__(self) -> int:
        return hash(self.digest)

    def __str__(self) -> str:
        names = [*self.inputs, *(f"v{i}" for i in range(len(self.nodes)))]

        def word(a: Operand) -> str:
            return names[a] if isinstance(a, int) else repr(a)

        lines = [f"inputs {', '.join(self.inputs)}"]
        for i, node in enumerate(self.nodes):
            lines.append(f"v{i} = {node.op}({', '.join(map(word, node.args))})")
        lines += [f"{name} <- {word(value)}" for name, value in self.outputs]
        return "\n".join(lines)


class Builder:
    """Collects nodes; the same operation on the same operands is one node.

    Parameters
    ----------
    inputs : sequence of str
    """

    def __init__(self, inputs: Sequence[str]) -> None:
        self.inputs = tuple(inputs)
        self._nodes: list[Node] = []
        self._known: dict[tuple[str, ...], int] = {}

    def add(self, op: str, *args: Operand) -> Operand:
        """Operand for an operation: an earlier value, a constant or a new node."""
        simple = simplify(op, args, self._look)
        if not isinstance(simple, tuple):
            return simple
        node = Node(*simple)
        # To Python 2 and 2.0 are equal; here one is a value and the other a constant.
        key = (node.op, *map(repr, node.args))
        if key not in self._known:
            self._known[key] = len(self.inputs) + len(self._nodes)
            self._nodes.append(node)
        return self._known[key]

    def build(self, outputs: Sequence[tuple[str, Operand]]) -> Graph:
        """The graph of the outputs, without what they do not need."""
        return _prune(self.inputs, self._nodes, outputs)

    def _look(self, a: Operand) -> tuple[str, tuple[Operand, ...]] | None:
        """Operation and operands of a value; None for inputs and constants."""
        if isinstance(a, float) or a < len(self.inputs):
            return None
        node = self._nodes[a - len(self.inputs)]
        return node.op, node.args


def _prune(inputs: tuple[str, ...], nodes: Sequence[Node], outputs: Sequence[tuple[str, Operand]]) -> Graph:
    first = len(inputs)
    needed = {value for _, value in outputs if isinstance(value, int)}
    for i in reversed(range(len(nodes))):
        if first + i in needed:
            needed.update(a for a in nodes[i].args if isinstance(a, int))
    index = {i: i for i in range(first)}
    kept: list[Node] = []

    def moved(a: Operand) -> Operand:
        return index[a] if isinstance(a, int) else a

    for i, node in enumerate(nodes):
        if first + i in needed:
            index[first + i] = first + len(kept)
            kept.append(Node(node.op, tuple(moved(a) for a in node.args)))
    return Graph(inputs, tuple(kept), tuple((name, moved(value)) for name, value in outputs))
