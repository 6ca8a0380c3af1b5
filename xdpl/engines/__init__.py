"""Engines: how the step of a model becomes a run over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from array_api_compat import is_cupy_array, is_numpy_array, is_torch_array

if TYPE_CHECKING:
    from xdpl.errors import Problems
    from xdpl.models import Model

__all__ = ["ENGINES", "check", "choose", "run"]

Array = Any

ENGINES = ("array", "cuda", "numba")


def check(engine: str | None, on_gpu: bool, problems: Problems) -> None:
    """Note an engine that does not exist, or not where the arrays lie; None lets xdpl choose."""
    fix = "leave engine out"
    if engine is not None and engine not in ENGINES:
        names = ", ".join(map(repr, ENGINES))
        problems.add("engine", expected=f"{names} or None", got=repr(engine), fix=fix)
    elif engine == "cuda" and not on_gpu:
        where = "arrays on the GPU (cupy, or device='cuda' in learn)"
        problems.add("engine", expected=f"{where} for 'cuda'", got="arrays on the CPU", fix=fix)
    elif engine == "numba" and on_gpu:
        problems.add("engine", expected="arrays on the CPU for 'numba'", got="arrays on the GPU", fix=fix)


def choose(array: Array) -> str:
    """The engine for arrays of a kind: fused kernels where there are some, else `array`."""
    if str(array.dtype).removeprefix("torch.") not in ("float32", "float64"):
        return "array"
    if is_cupy_array(array) or (is_torch_array(array) and array.device.type == "cuda"):
        return "cuda"
    on_cpu = is_numpy_array(array) or (is_torch_array(array) and array.device.type == "cpu")
    return "numba" if on_cpu else "array"


def run(
    engine: str | None,
    model: Model,
    forcings: Mapping[str, Array],
    parameters: Mapping[str, Array],
    **options: Any,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Run a model with an engine by name, or the one that `choose` takes for the forcings.

    Options and what is returned are those of `xdpl.engines.array.run`; fluxes of routes are
    routed, and what routes keep is among the states, which `states=False` leaves out
    (`xdpl.engines.routes`).

    Raises
    ------
    UnsupportedOperation
        If the step does what a fused engine cannot; the engine `array` can.
    """
    name = choose(next(iter(forcings.values()))) if engine is None else engine
    if name == "array":
        from xdpl.engines.array import run as run_it
        from xdpl.routing import convolve
    else:
        from xdpl.engines.convolution import convolve
        from xdpl.engines.fused import run as run_it
    if model.routes:
        from xdpl.engines.routes import run_with_routes

        return run_with_routes(run_it, model, forcings, parameters, convolve=convolve, **options)
    options.pop("states", None)
    return run_it(model, forcings, parameters, **options)
