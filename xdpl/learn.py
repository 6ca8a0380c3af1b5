"""Learn the parameters of a model from observations: Dataset in, Fit out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    import xarray as xr

    from xdpl.fit import Fit
    from xdpl.models import Model
    from xdpl.networks import MLP

__all__ = ["learn"]


def learn(
    ds: xr.Dataset,
    model: str | Model,
    *,
    target: str | Mapping[str, str],
    attributes: Sequence[str],
    forcings: Mapping[str, str] | None = None,
    network: str | MLP = "mlp",
    loss: str = "nrmse",
    train: slice | None = None,
    validate: slice | xr.DataArray | None = None,
    sites: xr.DataArray | None = None,
    engine: str | None = None,
    device: str | torch.device | None = None,
    epochs: int = 200,
    batch: int = 512,
    window: int = 365,
    warmup: int = 30,
    warmup_gradient: bool = True,
    learning_rate: float = 5e-3,
    patience: int = 30,
    clip: float = 1.0,
    seed: int = 0,
    progress: bool = True,
    checkpoint: str | Path | None = None,
) -> Fit:
    """Train a network that maps attributes to the parameters of a process model.

    Network and model are trained together against the observations of all sites
    (differentiable parameter learning, Tsai et al. 2021).

    Parameters
    ----------
    ds : Dataset
        Forcings and target with a `time` dimension, attributes without, on any
        site dimensions. Sites where a forcing, all attributes or the target are
        NaN throughout take no part.
    model : str or Model
        A name, such as ``"vic"``, or an instance.
    target : str or mapping
        Observed variable that has the name of a model output, or one pair
        ``{"model output": "variable"}``. NaN where there is no observation.
    attributes : sequence of str
        Static variables the network sees. Normalised with the mean and standard
        deviation of the training sites.
    forcings : mapping of str to str, optional
        Which variable is which forcing. Others are found by name, then by CF
        standard name.
    network : str or MLP
        ``"mlp"``, or a specification with other options.
    loss : {"nrmse", "rmse", "site_rmse", "nse", "kge"}
        Per-site normalised RMSE, pooled RMSE, mean of per-site RMSE, 1 - NSE or
        1 - KGE averaged over sites. Observed NaN do not count.
    train : slice, optional
        Training period, by dates; the whole record if not given.
    validate : slice or DataArray, optional
        Validation period, or a boolean mask of validation sites (then held out
        from training). Its loss decides the best weights and early stopping.
        Without it the last weights count.
    sites : DataArray of bool, optional
        Sites to train on, over the site dimensions; all if not given.
    engine : {"array", "cuda", "numba"}, optional
        What runs the time loop: a kernel compiled for the CPU or the GPU, by
        default, or plain PyTorch.
    device : str or torch.device, optional
        CUDA where there is one, else the CPU.
    epochs : int
        Passes over sites and period.
    batch : int
        Series (a site and a window) per update.
    window : int
        Steps with a loss in one series; the training period if that is shorter.
    warmup : int
        Steps before each window without a loss; taken from the record before
        the training period where there is one, else from the period itself.
    warmup_gradient : bool
        Whether gradients flow through the warm-up.
    learning_rate : float
        Of Adam at the start; it falls to zero along a cosine over all epochs.
    patience : int
        Epochs without a better validation loss before stopping.
    clip : float
        Largest norm of the gradient.
    seed : int
        The same seed gives the same fit on the same CPU.
    progress : bool
        Show a bar with the losses.
    checkpoint : path, optional
        File written after each epoch. Calling again with the same data and
        settings continues from it exactly.

    Returns
    -------
    Fit
        Gives parameters, simulations and scores; saves and loads. Ctrl-C ends
        training early and returns the best weights so far.

    Raises
    ------
    InputErrors
        With every problem of the input, before any training.

    References
    ----------
    Tsai et al. (2021), doi:10.1038/s41467-021-26107-z.

    Examples
    --------
    >>> import xdpl
    >>> ds = xdpl.data.twin(shape=(4, 4), years=1)
    >>> fit = ds.dpl.learn("vic", target="soil_moisture", attributes=["sand"], epochs=2, progress=False)
    """
    # torch is imported here and not above: `import xdpl` stays light.
    from xdpl.labelled.tree import refuse_tree
    from xdpl.training.entry import run
    from xdpl.training.request import Request

    refuse_tree("learn", ds)
    request = Request(
        model=model,
        target=target,
        attributes=attributes,
        forcings=forcings,
        network=network,
        loss=loss,
        train=train,
        validate=validate,
        sites=sites,
        engine=engine,
        device=device,
        epochs=epochs,
        batch=batch,
        window=window,
        warmup=warmup,
        warmup_gradient=warmup_gradient,
        learning_rate=learning_rate,
        patience=patience,
        clip=clip,
        seed=seed,
    )
    return run(ds, request, progress=progress, checkpoint=None if checkpoint is None else Path(checkpoint))
