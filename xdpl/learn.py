"""Learn the parameters of a model from observations: Dataset in, Fit out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    import torch
    import xarray as xr

    from xdpl.fit import Ensemble, Fit
    from xdpl.models import Model
    from xdpl.networks import Network
    from xdpl.objectives import GroupDRO
    from xdpl.observation import Operator
    from xdpl.priors import Prior
    from xdpl.surrogate import Loop
    from xdpl.training.sources import Gradients

__all__ = ["learn"]


@overload
def learn(ds: xr.Dataset, model: str | Model, *, seed: int = ..., **options: Any) -> Fit: ...
@overload
def learn(ds: xr.Dataset, model: str | Model, *, seed: Sequence[int], **options: Any) -> Ensemble: ...
def learn(  # type: ignore[misc]
    ds: xr.Dataset,
    model: str | Model,
    *,
    target: str | Sequence[str] | Mapping[str, str],
    attributes: Sequence[str],
    forcings: Mapping[str, str] | None = None,
    network: str | Network | torch.nn.Module = "mlp",
    members: int = 1,
    dynamic: Sequence[str] = (),
    dynamic_dropout: float = 0.0,
    order: Sequence[Sequence[str]] = (),
    priors: Mapping[str, Prior] | None = None,
    loss: str | Mapping[str, str] = "nrmse",
    weights: Mapping[str, float] | None = None,
    observation: str | Operator | Mapping[str, str | Operator] = "identity",
    objective: str | GroupDRO = "pooled",
    groups: xr.DataArray | None = None,
    train: slice | None = None,
    validate: slice | xr.DataArray | None = None,
    sites: xr.DataArray | None = None,
    gradients: Gradients | Loop | None = None,
    engine: str | None = None,
    device: str | torch.device | None = None,
    epochs: int = 200,
    batch: int = 512,
    window: int = 365,
    warmup: int = 30,
    warmup_gradient: bool = True,
    coverage: float | None = None,
    learning_rate: float = 5e-3,
    schedule: str = "cosine",
    pretrain: int = 0,
    weight_decay: float = 0.0,
    patience: int = 30,
    clip: float = 1.0,
    seed: int | Sequence[int] = 0,
    progress: bool = True,
    checkpoint: str | Path | None = None,
    log: str | Path | None = None,
) -> Fit | Ensemble:
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
    target : str, sequence of str or mapping
        Observed variables that have the names of model outputs, or pairs
        ``{"model output": "variable"}``. NaN where there is no observation.
    attributes : sequence of str
        Static variables the network sees. Normalised with the mean and standard
        deviation of the training sites.
    forcings : mapping of str to str, optional
        Which variable is which forcing. Others are found by name, then by CF
        standard name.
    network : str, Network or torch.nn.Module
        ``"mlp"`` reads attributes, ``"lstm"`` forcings too, ``"hybrid"`` forcings for
        dynamic parameters only, ``"history"`` the history of
        forcings and observations, ``"transfer"`` relates attributes by few coefficients;
        a specification from `xdpl.networks` with other options; or a module of your own
        from normalised attributes (site, attribute) to one column (site, column) for
        each parameter of each member, of which zeros are the defaults.
    members : int
        Parameter sets of each site, over which simulations are averaged; they start
        apart, scattered around the defaults.
    dynamic : sequence of str
        Parameters that vary in time; for networks that read forcings.
    dynamic_dropout : float
        Share of the sites at which a dynamic parameter stays at its last value while
        training, 0 to below 1.
    order : sequence of sequences of str
        Chains of parameters, each from the smallest to the largest, that keep this order at every
        site by construction, such as ``[("k2", "k1", "k0")]``. In the same units, and with defaults
        in that order.
    priors : mapping of str to Prior, optional
        What is known of parameters beforehand, from `xdpl.priors`: departures cost while training.
        `Fit.parameters` needs none of it.
    loss : {"nrmse", "rmse", "site_rmse", "nse", "kge", "rmse_log"} or mapping
        Per-site normalised RMSE, pooled RMSE, mean of per-site RMSE, 1 - NSE with
        (σ + 0.1)² or 1 - KGE averaged over sites, or RMSE mixed with that of
        logarithms; of each target, if a mapping. Observed NaN do not count.
    weights : mapping of str to float, optional
        Of the losses of several targets; 1 each if not given.
    observation : {"identity", "global_affine", "site_affine", "anomaly"}, Operator or mapping
        How simulated targets become what is compared with observations, from `xdpl.observation`: as they
        are; with a scale and an offset, trained for all sites or, held back, for each; less
        their means; or with a scale and an offset that are given (`Frozen`). Of each target, if a
        mapping. `Fit.observation` has what was learned, `Fit.simulate` never uses it.
    objective : {"pooled", "per-site", "stratified", "group-dro"} or GroupDRO
        Over which series the loss is taken: over all of a batch at once, over each by itself with the
        mean of them, over those of each group with the mean of groups, or with weights that follow the
        worst group (`xdpl.objectives.GroupDRO` has its options).
    groups : DataArray of int, (*site dims), optional
        Label of the group of each site, negative where there is none, such as
        `xdpl.evaluation.dryness_terciles` gives. With it `Fit.history` has for each group the loss, the
        weight, and the cosine between its gradient and those of the others.
    train : slice, optional
        Training period, by dates; the whole record if not given.
    validate : slice or DataArray, optional
        Validation period, or a boolean mask of validation sites (then held out
        from training). Its loss decides the best weights and early stopping.
        Without it the last weights count.
    sites : DataArray of bool, optional
        Sites to train on, over the site dimensions; all if not given.
    gradients : Loop, FiniteDifferences, SPSA or Surrogate, optional
        Where gradients come from, of a model that has none: from networks that imitate it, made again
        where they led (`xdpl.surrogate.Loop`, which a black box has if not given), from such a network
        made before (`xdpl.surrogate.emulate`), or from more runs at moved parameters
        (`xdpl.gradients`). The fit simulates with the model itself.
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
    coverage : float, optional
        Make an epoch long enough to reach this share of all days of all sites, such as
        0.99; a single pass over sites and period, if not given.
    learning_rate : float
        Of AdamW at the start.
    schedule : {"cosine", "constant", "exponential", "linear"}
        How the learning rate falls over all epochs: to zero along a cosine or a line, to
        a hundredth, or not at all.
    pretrain : int
        Epochs at the start in which dynamic parameters stay still, for a network
        ``"hybrid"``; the schedule then starts anew.
    weight_decay : float
        Decoupled decay of the weights; without it AdamW is Adam.
    patience : int
        Epochs without a better validation loss before stopping; those of `pretrain` do not count.
    clip : float
        Largest norm of the gradient.
    seed : int or sequence of int
        The same seed gives the same fit on the same CPU. Of several, one fit after the
        other, and an `Ensemble` of them.
    progress : bool
        Show a bar with the losses.
    checkpoint : path, optional
        File written after each epoch. Calling again with the same data and
        settings continues from it exactly. Of several seeds one file each, with the
        seed after the name.
    log : path, optional
        Folder for TensorBoard.

    Returns
    -------
    Fit, or Ensemble of several seeds
        Gives parameters, simulations and scores; saves and loads. Ctrl-C ends
        training early and returns the best weights so far; of several seeds, what
        was learned until then.

    Raises
    ------
    InputErrors
        With every problem of the input, before any training.
    AuditError
        If a network that imitates the model does not answer its parameters as the model does.

    Notes
    -----
    Started by ``torchrun --nproc-per-node=N``, N processes train one fit: each simulates
    its part of every batch, and all get the same result.

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
    from xdpl.training.entry import run, run_seeds
    from xdpl.training.request import Request

    refuse_tree("learn", ds)
    request = Request(
        model=model,
        target=target,
        attributes=attributes,
        forcings=forcings,
        network=network,
        members=members,
        dynamic=dynamic,
        dynamic_dropout=dynamic_dropout,
        order=order,
        priors=priors,
        loss=loss,
        weights=weights,
        observation=observation,
        objective=objective,
        groups=groups,
        train=train,
        validate=validate,
        sites=sites,
        gradients=gradients,
        engine=engine,
        device=device,
        epochs=epochs,
        batch=batch,
        window=window,
        warmup=warmup,
        warmup_gradient=warmup_gradient,
        coverage=coverage,
        learning_rate=learning_rate,
        schedule=schedule,
        pretrain=pretrain,
        weight_decay=weight_decay,
        patience=patience,
        clip=clip,
        seed=0,
    )
    paths = {k: None if p is None else Path(p) for k, p in (("checkpoint", checkpoint), ("log", log))}
    if isinstance(seed, Sequence):
        return run_seeds(ds, request, list(seed), progress=progress, **paths)
    return run(ds, replace(request, seed=seed), progress=progress, **paths)
