"""Train a network to imitate a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl import models, units
from xdpl.errors import Problems
from xdpl.labelled import schema
from xdpl.labelled.parameters import resolve
from xdpl.models import NetworkOnly
from xdpl.surrogate.design import DRAW
from xdpl.surrogate.shares import names, readable, shares
from xdpl.surrogate.surrogate import Surrogate

if TYPE_CHECKING:
    from xdpl.models import Model
    from xdpl.networks import Network

__all__ = ["emulate"]


def emulate(
    ds: xr.Dataset,
    model: str | Model,
    parameters: xr.Dataset,
    simulated: xr.Dataset,
    *,
    outputs: Sequence[str] | None = None,
    forcings: Mapping[str, str] | None = None,
    sites: xr.DataArray | None = None,
    network: str | Network = "lstm",
    seed: int = 0,
    progress: bool = True,
    **options: Any,
) -> Surrogate:
    """Train a network on runs of a model: forcings and parameters in, outputs out.

    Parameters
    ----------
    ds : Dataset
        Forcings the model was run with.
    model : str or Model
    parameters : Dataset
        Those it was run with, over (draw, *site dims), such as of `design`.
    simulated : Dataset
        What it gave, over (time, draw, *site dims), with units. Runs that are NaN throughout take no part.
    outputs : sequence of str, optional
        What is imitated; all outputs in `simulated` if not given.
    forcings : mapping of str to str, optional
        Which variable is which forcing, as in `xdpl.simulate`.
    sites : DataArray of bool, optional
        Runs to train on, over (draw, *site dims) or some of them; all if not given.
    network : str or Network
        One that reads forcings, as in `xdpl.learn`.
    seed : int
    progress : bool
    **options
        Of `xdpl.learn`, such as `epochs`, `window` or `warmup`. A surrogate is the same as a
        `NetworkOnly` that learns from runs instead of observations.

    Returns
    -------
    Surrogate

    Raises
    ------
    InputErrors
        With every problem of the input.

    References
    ----------
    Tsai et al. (2021), doi:10.1038/s41467-021-26107-z, whose VIC is imitated by an LSTM.
    """
    from xdpl.learn import learn

    problems = Problems("surrogate.emulate")
    owner = models.get(model, problems.call)
    found = schema.forcings(ds, owner, forcings, problems)
    theta, _ = resolve(owner, parameters, problems)
    declared = owner.all_outputs()
    chosen = [str(k) for k in (simulated.data_vars if outputs is None else outputs)]
    for name in chosen:
        if name not in declared or name not in simulated:
            there = ", ".join(str(k) for k in simulated.data_vars if k in declared) or "none"
            problems.add(
                "outputs",
                expected=f"outputs that were simulated: {there}",
                got=repr(name),
                fix="leave it out",
            )
    if DRAW not in parameters.dims:
        problems.add(
            "parameters",
            expected=f"several sets of each site, along a dim {DRAW!r}",
            got=f"dims {tuple(parameters.dims)}",
            fix="xdpl.surrogate.design(ds, model, 8)",
        )
    problems.raise_if_any()
    plain = {k: f.data for k, f in found.items()}
    data = readable(plain, {f.name: f.units for f in owner.forcings}, shares(owner, theta))
    for name in chosen:
        said = {"units": declared[name].units}
        data[f"simulated_{name}"] = _plain(simulated[name], said["units"], problems).assign_attrs(said)
    problems.raise_if_any()
    trained = data[f"simulated_{chosen[0]}"].notnull().any("time")
    trained = trained if sites is None else trained & sites
    if not bool(trained.any()):
        problems.add(
            "simulated",
            expected=f"runs of {owner.name!r} with values, at sites to train on",
            got="only NaN",
            fix="look at why its runs fail: the warnings of simulate say it",
        )
        problems.raise_all()
    # Fluxes are not below zero, but states of other models may be.
    alike = NetworkOnly(owner, positive=False)
    fit = learn(
        data,
        alike,
        target={name: f"simulated_{name}" for name in chosen},
        attributes=names(owner),
        network=network,
        sites=trained,
        seed=seed,
        progress=progress,
        **{"loss": "rmse" if len(chosen) == 1 else "nrmse"} | options,
    )
    return Surrogate.of(owner, fit)


def _plain(array: xr.DataArray, wanted: str, problems: Problems) -> xr.DataArray:
    from xdpl.labelled.host import on_host
    from xdpl.labelled.lookup import in_units

    found = on_host(in_units(array, wanted, problems, subject=str(array.name)))
    values = units.magnitude(found).reset_coords(drop=True).drop_attrs(deep=False)
    return values.astype(np.float32)
