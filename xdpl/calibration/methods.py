"""Methods of calibration by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xdpl.calibration.optimisers.base import Optimiser
    from xdpl.errors import Problems

__all__ = ["METHODS", "constructor", "find"]

Begin = Callable[..., "Optimiser"]

# Where each is: some need a library that is imported only then.
METHODS = {
    "cma-es": "cma_es:CMAES",
    "differential-evolution": "differential_evolution:DifferentialEvolution",
    "gradient": "gradient:GradientDescent",
    "sce-ua": "sceua:SCEUA",
}

# What `calibrate` itself says.
_GIVEN = {"keys", "parameters", "seed", "evaluations", "start"}


def constructor(method: str) -> Begin:
    """What begins an optimiser, by name."""
    module, _, name = METHODS[method].partition(":")
    begin: Begin = getattr(import_module(f"xdpl.calibration.optimisers.{module}"), name)
    return begin


def find(method: str | Begin, options: Mapping[str, Any], problems: Problems) -> Begin:
    """What begins an optimiser, and notes of options that it does not have."""
    if isinstance(method, str) and method in METHODS:
        begin = constructor(method)
    elif callable(method):
        begin = method
    else:
        problems.add(
            "method", expected=f"one of {', '.join(METHODS)}", got=repr(method), fix='method="sce-ua"'
        )
        return _nothing
    known = inspect.signature(begin).parameters
    names = [k for k, p in known.items() if k not in _GIVEN and p.kind is p.KEYWORD_ONLY]
    for option in options:
        if option not in names:
            problems.add(
                f"options[{option!r}]",
                expected=f"an option of {method!r}: {', '.join(names) or 'it has none'}",
                got="an unknown name",
                fix="leave it out",
            )
    return begin


def _nothing(*_: Any, **__: Any) -> Optimiser:
    msg = "no such method"
    raise LookupError(msg)
