"""Take out of graphs what does not change with time."""

from __future__ import annotations

from collections.abc import Sequence

from xdpl.engines.tracing.graph import CONDITIONS, Builder, Graph, Node, Operand

__all__ = ["split"]


def split(graphs: Sequence[Graph], constant: Sequence[str]) -> tuple[Graph, list[Graph]]:
    """Divide graphs by whether a value depends on constant inputs only.

    Divisions by such a value become multiplications by its reciprocal, which may
    differ in the last bit.

    Parameters
    ----------
    graphs : sequence of Graph
    constant : sequence of str
        Inputs that stay the same over all steps.

    Returns
    -------
    before : Graph
        From the constant inputs to values that the graphs take of them.
    during : list of Graph
        Each graph with those values as further inputs, after its own.
    """
    graphs = [_with_reciprocals(graph, constant) for graph in graphs]
    builder = Builder(constant)
    taken: dict[str, Operand] = {}
    still = [_without_conditions(graph, _still(graph, builder)) for graph in graphs]
    for graph, known in zip(graphs, still, strict=True):
        count = len(graph.inputs)
        seen = [a for i, n in enumerate(graph.nodes, start=count) if i not in known for a in n.args]
        for a in (*seen, *(value for _, value in graph.outputs)):
            if isinstance(a, int) and a >= count and a in known:
                taken.setdefault(repr(known[a]), known[a])
    names = [f"constant {i}" for i in range(len(taken))]
    before = builder.build([*zip(names, taken.values(), strict=True)])
    places = {operand: i for i, operand in enumerate(taken)}
    during = [_during(g, known, places, names) for g, known in zip(graphs, still, strict=True)]
    return before, during


def _with_reciprocals(graph: Graph, constant: Sequence[str]) -> Graph:
    """The graph with divisions by what stays the same made multiplications, which are many times faster."""
    count = len(graph.inputs)
    still = set(_still(graph, Builder(constant)))
    builder = Builder(graph.inputs)
    values: list[Operand] = list(range(count))

    def moved(a: Operand) -> Operand:
        return values[a] if isinstance(a, int) else a

    for i, node in enumerate(graph.nodes, start=count):
        op, args = node.op, [moved(a) for a in node.args]
        if op == "divide" and i not in still and isinstance(node.args[1], int) and node.args[1] in still:
            op, args = "multiply", [args[0], builder.add("divide", 1.0, args[1])]
        values.append(builder.add(op, *args))
    return builder.build([(name, moved(a)) for name, a in graph.outputs])


def _still(graph: Graph, builder: Builder) -> dict[int, Operand]:
    """Values of a graph that stay the same, as operands of a builder."""
    place = {name: i for i, name in enumerate(builder.inputs)}
    known: dict[int, Operand] = {i: place[name] for i, name in enumerate(graph.inputs) if name in place}
    for i, node in enumerate(graph.nodes, start=len(graph.inputs)):
        if all(isinstance(a, float) or a in known for a in node.args):
            args = [known[a] if isinstance(a, int) else a for a in node.args]
            known[i] = builder.add(node.op, *args)
    return known


def _without_conditions(graph: Graph, known: dict[int, Operand]) -> dict[int, Operand]:
    """Leave out conditions that steps use: no number can store them, they are decided again."""
    count = len(graph.inputs)
    # Values only: to Python the constant 7.0 equals the value 7.
    used = {
        a
        for i, n in enumerate(graph.nodes, start=count)
        if i not in known
        for a in n.args
        if isinstance(a, int)
    }
    left = dict(known)
    for i in reversed(range(count, count + len(graph.nodes))):
        node = graph.nodes[i - count]
        if i in known and i in used and node.op in CONDITIONS:
            del left[i]
            used.update(a for a in node.args if isinstance(a, int))
    return left


def _during(graph: Graph, known: dict[int, Operand], places: dict[str, int], names: list[str]) -> Graph:
    count = len(graph.inputs)
    index = {i: i for i in range(count)}
    nodes: list[Node] = []

    def moved(a: Operand) -> Operand:
        return index[a] if isinstance(a, int) else a

    for i, node in enumerate(graph.nodes, start=count):
        if i in known:
            # Those that only other constant values use are not stored, and not asked for.
            index[i] = count + places.get(repr(known[i]), 0)
        else:
            index[i] = count + len(names) + len(nodes)
            nodes.append(Node(node.op, tuple(moved(a) for a in node.args)))
    outputs = tuple((name, moved(a)) for name, a in graph.outputs)
    return Graph((*graph.inputs, *names), tuple(nodes), outputs).select([name for name, _ in outputs])
