"""Posteriors on disk: the fits they stand around, and the weights of all draws."""

from __future__ import annotations

import copy
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import xarray as xr

from xdpl.fit import storage
from xdpl.fit.store import open_store, refuse, refuse_existing, write_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xdpl.fit import Fit
    from xdpl.models import Model
    from xdpl.networks import Network
    from xdpl.uncertainty.posterior import Posterior

__all__ = ["is_posterior", "restore", "save"]

_DRAWS = "posterior"


def save(posterior: Posterior, path: Path) -> None:
    """Write a posterior; nothing is left at `path` if writing fails.

    Draws around one fit differ from it by some weights only: the fit is written once.

    Raises
    ------
    InputErrors
        If something exists at `path`.
    """
    refuse_existing("Posterior.save", path)
    centres, of_draw = _centres(posterior.fits)
    aside = path.with_name(f".{path.name}.partial.posterior")
    shutil.rmtree(aside, ignore_errors=True)
    storage.save_all(centres, aside)
    described = {
        "observation_error": posterior.observation_error,
        "scale": posterior.scale,
        "made": posterior.settings,
    }
    arrays = _differing(posterior.fits).assign(centre=("draw", of_draw))
    write_store(posterior.fits[0], aside / _DRAWS, arrays, described, kind="posterior")
    aside.rename(path)


def is_posterior(path: Path) -> bool:
    """Whether a folder is one that `save` wrote."""
    return (path / _DRAWS).is_dir()


def restore(path: Path, model: Model | None, network: torch.nn.Module | Network | None) -> Posterior:
    """A posterior as it was saved; arguments as in `xdpl.load`.

    Raises
    ------
    InputErrors
        If a store is damaged, or of another model or network.
    """
    from xdpl.uncertainty.posterior import Posterior

    stored = open_store(path / _DRAWS)
    if stored.kind != "posterior":
        refuse(path, "draws of a posterior", f"a {stored.kind}", "take a sound copy")
    parts = storage.parts_of(path)
    of_draw = stored.arrays["centre"].values
    if len(parts) != of_draw.max() + 1:
        refuse(path, f"{of_draw.max() + 1} fits", f"{len(parts)}", "take a sound copy")
    centres = [storage.restore(p, open_store(p), model, network) for p in parts]
    weights = stored.arrays.drop_vars("centre")
    fits = [_drawn(path, centres[c], weights.isel(draw=i)) for i, c in enumerate(of_draw)]
    said = stored.description
    return Posterior(tuple(fits), said["observation_error"], said["scale"], said["made"])


def _centres(fits: Sequence[Fit]) -> tuple[list[Fit], list[int]]:
    """One fit of each training, and which of them belongs to each draw."""
    # Draws around a fit are copies of it that share its history.
    first = {id(fit.history): fit for fit in reversed(fits)}
    order = list(dict.fromkeys(id(fit.history) for fit in fits))
    return [first[key] for key in order], [order.index(id(fit.history)) for fit in fits]


def _differing(fits: Sequence[Fit]) -> xr.Dataset:
    """Weights of each fit, (draw, ...), that are not the same in all of them."""
    states = [{k: v.cpu().numpy() for k, v in fit.network.state_dict().items()} for fit in fits]
    found = {}
    for name in states[0]:
        every = np.stack([state[name] for state in states])
        if (every != every[0]).any():
            found[name] = (("draw", *(f"{name}_{i}" for i in range(every.ndim - 1))), every)
    return xr.Dataset(found)


def _drawn(path: Path, centre: Fit, weights: xr.Dataset) -> Fit:
    network: Any = copy.deepcopy(centre.network)
    own = network.state_dict()
    put = {str(k): torch.from_numpy(v.values.copy()) for k, v in weights.data_vars.items()}
    if any(k not in own or own[k].shape != v.shape for k, v in put.items()):
        refuse(path, "weights of the network of its fits", "others", "take a sound copy")
    network.load_state_dict(own | put)
    return replace(centre, network=network)
