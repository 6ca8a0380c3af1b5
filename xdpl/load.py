"""Read what was saved: a fit, an ensemble of fits, a posterior or a regionalisation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from xdpl.fit import Ensemble, Fit
    from xdpl.models import Model
    from xdpl.networks import Network
    from xdpl.regionalisation import Regionalisation
    from xdpl.uncertainty import Posterior

__all__ = ["load"]


def load(
    path: str | Path, model: Model | None = None, network: torch.nn.Module | Network | None = None
) -> Fit | Ensemble | Posterior | Regionalisation:
    """Read what was written by `save`; no code from the file is run.

    Parameters
    ----------
    path : str or Path
        Of a fit or a regionalisation, or of the folder of an ensemble or a posterior.
    model : Model, optional
        Needed for a model that is not known by name.
    network : torch.nn.Module or Network, optional
        Needed for a fit with a network of your own; the weights it has do not matter.

    Returns
    -------
    Fit, Ensemble, Posterior or Regionalisation

    Raises
    ------
    InputErrors
        If the store is missing, damaged, none of these, or of another model or network.
    """
    # What needs torch is imported here and not above: `import xdpl` stays light.
    from xdpl.fit import Ensemble, storage
    from xdpl.fit.store import open_store
    from xdpl.regionalisation.storage import restore
    from xdpl.uncertainty import storage as posteriors

    path = Path(path)
    if posteriors.is_posterior(path):
        return posteriors.restore(path, model, network)
    parts = storage.parts_of(path)
    if parts:
        return Ensemble(tuple(storage.restore(p, open_store(p), model, network) for p in parts))
    stored = open_store(path)
    if stored.kind == "regionalisation":
        return restore(path, stored, model, network)
    return storage.restore(path, stored, model, network)
