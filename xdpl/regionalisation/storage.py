"""Regionalisations on disk: the arrays of a method in a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from xdpl.fit.store import Stored, refuse, restore_model, write_store
from xdpl.regionalisation.donors import Donors
from xdpl.regionalisation.regression import Regression
from xdpl.regionalisation.result import Regionalisation

if TYPE_CHECKING:
    from xdpl.models import Model

__all__ = ["restore", "save"]


def save(regional: Regionalisation, path: Path) -> None:
    """Write a regionalisation; nothing is left at `path` if writing fails.

    Raises
    ------
    InputErrors
        If something exists at `path`.
    """
    names = [p.name for p in regional.method.parameters]
    write_store(regional, path, regional.method.to_dataset(), {"parameters": names})


def restore(path: Path, stored: Stored, model: Model | None, network: Any) -> Regionalisation:
    """A regionalisation as it was saved; arguments as in `xdpl.load`, with what was read.

    Raises
    ------
    InputErrors
        If the store is of another model, or a network is given.
    """
    if network is not None:
        refuse(path, "no network, of a regionalisation", type(network).__name__, "leave network out")
    description = stored.description
    model = restore_model(path, stored, model)
    declared = {p.name: p for p in model.parameters}
    parameters = [declared[name] for name in description["parameters"]]
    settings = description["settings"]
    kind: Any = Regression if settings["method"] == "regression" else Donors
    options = {} if kind is Regression else {k: settings[k] for k in ("donors", "average")}
    method = kind.from_dataset(stored.arrays, parameters, **options)
    return Regionalisation(model, method, description["attributes"], description["forcings"], settings)
