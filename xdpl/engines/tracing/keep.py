"""Let the adjoint of a step take what is costly from the run of the step before it."""

from __future__ import annotations

from xdpl.engines.tracing.graph import Builder, Graph, Node, Operand

__all__ = ["keep"]

_COSTLY = {
    *("cos", "cosh", "divide", "exp", "expm1", "log", "log10", "log1p", "log2", "pow", "sin", "sinh"),
    *("sqrt", "tanh"),
}


def keep(step: Graph, pull: Graph, constant: set[str]) -> tuple[Graph, Graph]:
    """Move costly values that need no cotangent from the adjoint to the step.

    Parameters
    ----------
    step : Graph
    pull : Graph
        Its first inputs are those of the step.
    constant : set of str
        Inputs that stay the same over all steps; what depends on them alone is
        left where it is.

    Returns
    -------
    step : Graph
        With further outputs ``"kept 0"``, ``"kept 1"``...
    pull : Graph
        With these as further inputs, after its own.
    """
    count, first = len(step.inputs), len(pull.inputs)
    ahead = set(range(count))
    still = {i for i, name in enumerate(pull.inputs) if name in constant}
    for i, node in enumerate(pull.nodes, start=first):
        for known in (ahead, still):
            if all(isinstance(a, float) or a in known for a in node.args):
                known.add(i)
    costly = [
        i for i, n in enumerate(pull.nodes, start=first) if n.op in _COSTLY and i in ahead and i not in still
    ]
    used = _uses(_taking(pull, costly), range(first, first + len(costly)))
    kept = [value for place, value in enumerate(costly) if first + place in used]
    return _giving(step, pull, kept), _taking(pull, kept)


def _taking(pull: Graph, kept: list[int]) -> Graph:
    """The adjoint with some of its values as inputs."""
    first = len(pull.inputs)
    index = {i: i for i in range(first)}
    place = {value: first + k for k, value in enumerate(kept)}
    nodes: list[Node] = []

    def moved(a: Operand) -> Operand:
        return index[a] if isinstance(a, int) else a

    for i, node in enumerate(pull.nodes, start=first):
        if i in place:
            index[i] = place[i]
        else:
            index[i] = first + len(kept) + len(nodes)
            nodes.append(Node(node.op, tuple(moved(a) for a in node.args)))
    names = (*pull.inputs, *(f"kept {k}" for k in range(len(kept))))
    outputs = tuple((name, moved(a)) for name, a in pull.outputs)
    return Graph(names, tuple(nodes), outputs).select([name for name, _ in outputs])


def _giving(step: Graph, pull: Graph, kept: list[int]) -> Graph:
    """The step with values of the adjoint as further outputs."""
    builder = Builder(step.inputs)
    outputs = []
    for graph, wanted in ((step, step.outputs), (pull, [(f"kept {k}", i) for k, i in enumerate(kept)])):
        part = Graph(graph.inputs, graph.nodes, tuple(wanted)).select([name for name, _ in wanted])
        values: dict[int, Operand] = {i: i for i in range(len(step.inputs))}
        for i, node in enumerate(part.nodes, start=len(part.inputs)):
            values[i] = builder.add(node.op, *(values[a] if isinstance(a, int) else a for a in node.args))
        outputs += [(name, values[a] if isinstance(a, int) else a) for name, a in part.outputs]
    return builder.build(outputs)


def _uses(graph: Graph, inputs: range) -> set[int]:
    """Which of some inputs a graph uses."""
    seen = {a for n in graph.nodes for a in n.args if isinstance(a, int)}
    seen |= {a for _, a in graph.outputs if isinstance(a, int)}
    return seen & set(inputs)
