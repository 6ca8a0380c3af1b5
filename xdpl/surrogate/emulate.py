"""Train a network to imitate a model."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl import models, units
from xdpl.errors import Problems
from xdpl.labelled import schema
from xdpl.labelled.choices import after_warmup
from xdpl.labelled.parameters import resolve
from xdpl.models import NetworkOnly
from xdpl.surrogate.design import DRAW, design
from xdpl.surrogate.shares import names, readable, shares
from xdpl.surrogate.surrogate import Surrogate

if TYPE_CHECKING:
    from xdpl.models import Model
    from xdpl.networks import Network

__all__ = ["check_options", "emulate"]


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
    data = _exercise(owner, {k: f.data for k, f in found.items()}, theta, simulated[chosen], problems)
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
    arguments = _arguments(owner, chosen) | {"network": network} | options
    fit = learn(data, sites=trained, seed=seed, progress=progress, **arguments)
    return Surrogate.of(owner, fit)


def check_options(
    ds: xr.Dataset, model: Model, outputs: Sequence[str], options: Mapping[str, Any], call: str
) -> None:
    """Whether options of `emulate` make sense, before there are runs.

    Parameters
    ----------
    ds : Dataset
        Forcings under their names in the model, over time and any site dims.
    model : Model
    outputs : sequence of str
        What will be imitated.
    options : mapping
        Of `xdpl.learn`.
    call : str
        Whose problems they are.

    Raises
    ------
    InputErrors
        With every problem of the options.
    """
    from xdpl.learn import learn
    from xdpl.training.arrays import periods
    from xdpl.training.request import Request
    from xdpl.training.request import inspect as examine

    problems = Problems(call)
    # One run of one site, which could have given nothing but zero.
    one = ds.isel({d: 0 for d in ds.dims if d != "time"}, drop=True)
    theta, _ = resolve(model, design(one, model, 1), problems)
    blank = xr.zeros_like(one[model.forcings[0].name]).expand_dims({DRAW: 1})
    simulated = xr.Dataset({k: blank.assign_attrs(units=model.output(k).units) for k in outputs})
    plain = {f.name: one[f.name] for f in model.forcings}
    data = _exercise(model, plain, theta, simulated, problems)
    known = {k: p.default for k, p in inspect.signature(learn).parameters.items()}
    given = known | {"seed": 0} | _arguments(model, outputs) | dict(options)
    request = Request(**{f.name: given[f.name] for f in fields(Request)})
    examine(data, request, problems)
    first, last = periods(data, request.train, request.validate)["train"]
    after_warmup(first, last, request.warmup, problems)
    problems.raise_if_any()


def _exercise(
    model: Model,
    forcings: Mapping[str, xr.DataArray],
    theta: Mapping[str, xr.DataArray],
    simulated: xr.Dataset,
    problems: Problems,
) -> xr.Dataset:
    """What a network learns from: forcings and parameters as it reads them, and what the model gave."""
    data = readable(forcings, {f.name: f.units for f in model.forcings}, shares(model, theta))
    for name, array in simulated.data_vars.items():
        said = {"units": model.output(str(name)).units}
        data[f"simulated_{name}"] = _plain(array, said["units"], problems).assign_attrs(said)
    return data


def _arguments(model: Model, outputs: Sequence[str]) -> dict[str, Any]:
    """Of `learn`, for such data."""
    return {
        # Fluxes are not below zero, but states of other models may be.
        "model": NetworkOnly(model, positive=False),
        "target": {name: f"simulated_{name}" for name in outputs},
        "attributes": names(model),
        "loss": "rmse" if len(outputs) == 1 else "nrmse",
    }


def _plain(array: xr.DataArray, wanted: str, problems: Problems) -> xr.DataArray:
    from xdpl.labelled.host import on_host
    from xdpl.labelled.lookup import in_units

    found = on_host(in_units(array, wanted, problems, subject=str(array.name)))
    values = units.magnitude(found).reset_coords(drop=True).drop_attrs(deep=False)
    return values.astype(np.float32)
