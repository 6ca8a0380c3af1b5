"""Read what was saved: a fit, an ensemble of fits, a posterior, a regionalisation or a surrogate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from xdpl.fit import Ensemble, Fit
    from xdpl.models import Model
    from xdpl.networks import Network
    from xdpl.regionalisation import Regionalisation
    from xdpl.surrogate import Surrogate
    from xdpl.uncertainty import Posterior

__all__ = ["load"]


def load(
    path: str | Path, model: Model | None = None, network: torch.nn.Module | Network | None = None
) -> Fit | Ensemble | Posterior | Regionalisation | Surrogate:
    """Read what was written by `save`; no code from the file is run.

    Parameters
    ----------
    path : str or Path
        Of a fit, a regionalisation or a surrogate, or of the folder of an ensemble or a posterior.
    model : Model, optional
        Needed for a model that is not known by name; of a surrogate, what it imitates.
    network : torch.nn.Module or Network, optional
        Needed for a fit with a network of your own; the weights it has do not matter.

    Returns
    -------
    Fit, Ensemble, Posterior, Regionalisation or Surrogate

    Raises
    ------
    InputErrors
        If the store is missing, damaged, none of these, or of another model or network; if a surrogate has
        not the identity of its statistics and weights.
    """
    # What needs torch is imported here and not above: `import xdpl` stays light.
    from xdpl.fit import Ensemble, storage
    from xdpl.fit.store import open_store
    from xdpl.regionalisation.storage import restore
    from xdpl.surrogate import storage as surrogates
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
    if stored.kind == "surrogate":
        return surrogates.restore(path, stored, model, network)
    return storage.restore(path, stored, model, network)
