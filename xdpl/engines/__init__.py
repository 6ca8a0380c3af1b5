"""Engines: how the step of a model, or a program in place of it, becomes a run over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from array_api_compat import is_cupy_array, is_numpy_array, is_torch_array

from xdpl.models import BlackBox

if TYPE_CHECKING:
    from xdpl.blackbox.failures import Failures
    from xdpl.errors import Problems
    from xdpl.models import Model

__all__ = ["ENGINES", "PROCESS", "check", "choose", "compiles", "run"]

Array = Any

ENGINES = ("array", "cuda", "numba")
# Of a black box, which has no time loop.
PROCESS = "process"


def check(engine: str | None, on_gpu: bool, problems: Problems, model: Model | None = None) -> None:
    """Note an engine that does not exist, or not where the arrays lie; None lets xdpl choose.

    Of a black box, its engine and whether its program can be run.
    """
    fix = "leave engine out"
    if isinstance(model, BlackBox):
        _check_process(model, engine, on_gpu, problems)
        return
    if engine is not None and engine not in ENGINES:
        names = ", ".join(map(repr, ENGINES))
        problems.add("engine", expected=f"{names} or None", got=repr(engine), fix=fix)
    elif engine == "cuda" and not on_gpu:
        where = "arrays on the GPU (cupy, or device='cuda' in learn)"
        problems.add("engine", expected=f"{where} for 'cuda'", got="arrays on the CPU", fix=fix)
    elif engine == "numba" and on_gpu:
        problems.add("engine", expected="arrays on the CPU for 'numba'", got="arrays on the GPU", fix=fix)


def _check_process(model: BlackBox, engine: str | None, on_gpu: bool, problems: Problems) -> None:
    if engine not in (None, PROCESS):
        expected = f"{PROCESS!r} or None, since {model.name!r} is a BlackBox, which has no step"
        problems.add("engine", expected=expected, got=repr(engine), fix="leave engine out")
    if on_gpu:
        got = "arrays on the GPU"
        problems.add("ds", expected="arrays on the CPU for a BlackBox", got=got, fix="ds.as_numpy()")
    from xdpl.blackbox.check import check as check_program

    check_program(model, problems)


def compiles(model: Model, engine: str | None, array: Array) -> bool:
    """Whether a run with an engine, or the one that is chosen, is that of a kernel made from the step."""
    return not isinstance(model, BlackBox) and (engine or choose(array)) != "array"


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
    time: Any = None,
    failures: Failures | None = None,
    **options: Any,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Run a model with an engine by name, or the one that `choose` takes for the forcings.

    Options and what is returned are those of `xdpl.engines.array.run`; fluxes of routes are
    routed, and what routes keep is among the states, which `states=False` leaves out
    (`xdpl.engines.routes`). A black box has the engine ``process``.

    Parameters
    ----------
    engine, model, forcings, parameters, **options
    time : Index, optional
        Dates of the forcings; a black box needs them, and takes `begins` (`xdpl.blackbox.run.run`).
    failures : Failures, optional
        Takes the messages of runs that failed, of a black box.

    Raises
    ------
    UnsupportedOperation
        If the step does what a fused engine cannot; the engine `array` can.
    """
    if isinstance(model, BlackBox):
        from xdpl.blackbox.run import run as run_program

        return run_program(model, forcings, parameters, time=time, failures=failures, **options)
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
