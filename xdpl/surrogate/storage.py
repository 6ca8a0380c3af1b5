"""Surrogates on disk: the store of a fit, with the model it imitates and its identity."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from xdpl.fit import storage
from xdpl.fit.store import Stored, named_model, refuse, refuse_existing, write_store
from xdpl.labelled.attrs import model_hash
from xdpl.models import NetworkOnly

if TYPE_CHECKING:
    import torch

    from xdpl.models import Model
    from xdpl.networks import Network
    from xdpl.surrogate.surrogate import Surrogate

__all__ = ["restore", "save"]


def save(surrogate: Surrogate, path: Path) -> None:
    """Write a surrogate; nothing is left at `path` if writing fails.

    Raises
    ------
    InputErrors
        If something exists at `path`.
    """
    refuse_existing("Surrogate.save", path)
    arrays, described = storage.contents(surrogate.fit)
    model = surrogate.model
    # The fit is of a `NetworkOnly`, whose hash does not know the parameters of the model.
    described["imitates"] = {
        "model": model.name,
        "model_options": model.options(),
        "model_hash": model_hash(model),
    }
    described["identity"] = surrogate.identity
    write_store(surrogate.fit, path, arrays, described, kind="surrogate")


def restore(
    path: Path, stored: Stored, model: Model | None, network: torch.nn.Module | Network | None
) -> Surrogate:
    """A surrogate as it was saved; arguments as in `xdpl.load`, with what was read.

    Raises
    ------
    InputErrors
        If the store is of another model or network, or has not the identity of its statistics and weights.
    """
    from xdpl.surrogate.surrogate import Surrogate

    said = stored.description
    owner = named_model(path, said["imitates"], stored.kind, model)
    alike = NetworkOnly(owner, positive=said["model_options"]["positive"])
    found = Surrogate(owner, storage.restore(path, stored, alike, network), said["identity"])
    if not found.unchanged:
        refuse(
            path,
            f"statistics and weights of the surrogate {found.identity}",
            "others",
            "take a sound copy, or emulate again",
        )
    return found
