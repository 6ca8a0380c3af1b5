"""Process models: physics only, one model per file, and how to get one by name."""

from __future__ import annotations

import difflib
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from xdpl.errors import Problems, short
from xdpl.models.base import Flux, Forcing, Model, Parameter, State
from xdpl.models.black_box import BlackBox
from xdpl.models.checks import check_routes
from xdpl.models.command import Command
from xdpl.models.network_only import NetworkOnly
from xdpl.models.routes import GammaHydrograph
from xdpl.models.subset import SUFFIX, Subset

__all__ = [
    "BlackBox",
    "Command",
    "Flux",
    "Forcing",
    "GammaHydrograph",
    "Model",
    "NetworkOnly",
    "Parameter",
    "State",
    "Subset",
    "available",
    "get",
    "restore",
]

_BUILTIN = {"hbv": "xdpl.models.hbv:HBV", "noah": "xdpl.models.noah:Noah", "vic": "xdpl.models.vic:VIC"}


@cache
def _found() -> dict[str, EntryPoint | str]:
    installed: dict[str, EntryPoint | str] = {e.name: e for e in entry_points(group="xdpl.models")}
    return installed | _BUILTIN


def available() -> list[str]:
    """Names of all models, built in or installed through the entry point group `xdpl.models`."""
    return sorted(_found())


def get(model: str | Model, call: str = "xdpl.models.get") -> Model:
    """Return a model by name, with its default options, or pass an instance through.

    Parameters
    ----------
    model : str or Model
    call : str
        What to name in an error.

    Raises
    ------
    InputErrors
        If no model has this name, or it is neither a name nor an instance.
    ValueError
        If the model does not declare what its routes name.
    """
    if isinstance(model, Model):
        check_routes(model)
        return model
    found = _found()
    if isinstance(model, str) and model in found:
        loaded = _load(found[model])
        return loaded if isinstance(loaded, Model) else loaded()
    problems = Problems(call)
    close = difflib.get_close_matches(str(model), found, n=1)
    problems.add(
        "model",
        expected=f"one of {', '.join(map(repr, available()))}, or a Model instance",
        got=short(model),
        fix=f"use {close[0]!r}" if close else "name a known model or pass an instance, such as MyModel()",
    )
    problems.raise_all()


def restore(name: str, options: dict[str, Any]) -> Model | None:
    """Return the model of a name with the options that `Model.options` gave; None if it is not known."""
    if name == NetworkOnly.name:
        like = restore(**options["like"])
        return None if like is None else NetworkOnly(like, positive=options["positive"])
    if name.endswith(SUFFIX) and "like" in options:
        like = restore(**options["like"])
        return None if like is None else Subset(like, options["parameters"], options["values"])
    found = _found()
    if name not in found:
        return None
    loaded = _load(found[name])
    return loaded if isinstance(loaded, Model) else loaded(**options)


def _load(entry: EntryPoint | str) -> type[Model] | Model:
    """A class, or an instance that is as it is, such as a `BlackBox`."""
    if isinstance(entry, EntryPoint):
        loaded: type[Model] | Model = entry.load()
        return loaded
    module, _, attribute = entry.partition(":")
    found: type[Model] = getattr(import_module(module), attribute)
    return found
