"""The adjoint of a step: PyTorch differentiates, its operations become a graph again."""

from __future__ import annotations

from typing import Any

from xdpl.engines.tracing.aten import to_graph
from xdpl.engines.tracing.graph import Graph
from xdpl.engines.tracing.replay import replay
from xdpl.engines.tracing.trace import Step

__all__ = ["adjoint"]


def adjoint(step: Step, *, forcings: bool) -> Graph:
    """Graph of the vector-Jacobian product of a step.

    Parameters
    ----------
    step : Step
    forcings : bool
        Whether the forcings are differentiated too.

    Returns
    -------
    Graph
        Inputs are those of the step, then a cotangent of each of its outputs
        (``"d next ..."`` of the states, ``"d ..."`` of the series). Outputs are
        the cotangents of states, parameters and, if asked for, forcings, as
        ``"d states.<name>"`` and so on.

    Notes
    -----
    The values are those of eager torch, also at ties of minimum and maximum and at
    the bounds of a clip: the formulas are torch's own, recorded by `make_fx`.
    """
    # torch is imported here: a forward run does without it.
    import array_api_compat.torch as xp
    import torch
    from torch.fx.experimental.proxy_tensor import make_fx

    function = replay(step.graph, xp)
    count = len(step.graph.inputs)
    groups = {
        kind: [i for i, name in enumerate(step.graph.inputs) if name.startswith(f"{kind}.")]
        for kind in ("states", "parameters", "forcings")
    }
    wanted = groups["states"] + groups["parameters"] + (groups["forcings"] if forcings else [])

    def pullback(*args: Any) -> Any:
        values, cotangents = list(args[:count]), args[count:]

        def outputs(*chosen: Any) -> tuple[Any, ...]:
            for i, value in zip(wanted, chosen, strict=True):
                values[i] = value
            return function(*values)

        pulled: Any = torch.func.vjp(outputs, *(values[i] for i in wanted))
        return pulled[1](cotangents)

    names = [*step.graph.inputs, *(f"d {name}" for name, _ in step.graph.outputs)]
    # The values are not used: the step is elementwise and takes no decision on them.
    examples = [torch.full((2,), 0.5, dtype=torch.float64) for _ in names]
    recorded = make_fx(pullback)(*examples)
    return to_graph(recorded, names, [f"d {step.graph.inputs[i]}" for i in wanted])
