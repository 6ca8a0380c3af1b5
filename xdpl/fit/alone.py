"""Simulations of a fit without a process model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import xarray as xr

from xdpl import units
from xdpl.errors import Problems, short
from xdpl.fit.inputs import read_inputs
from xdpl.fit.parameters import predicted
from xdpl.labelled.attrs import provenance, variable_attrs

if TYPE_CHECKING:
    from xdpl.fit.result import Fit

__all__ = ["simulate_alone"]


def simulate_alone(
    fit: Fit,
    ds: xr.Dataset,
    *,
    outputs: str | Sequence[str] | None = None,
    forcings: Mapping[str, str] | None = None,
    **options: Any,
) -> xr.Dataset:
    """Series of the targets, as the network predicts them.

    Parameters
    ----------
    fit : Fit
        Of a `NetworkOnly`.
    ds : Dataset
    outputs : sequence of str, optional
        Among the targets of the fit; all if not given.
    forcings : mapping of str to str, optional
        As in `xdpl.simulate`.

    Raises
    ------
    InputErrors
        If another output or option is asked for, or inputs are missing.
    """
    problems = Problems("Fit.simulate")
    known = list(fit.targets)
    wanted = [outputs] if isinstance(outputs, str) else known if outputs is None else list(outputs)
    for name in wanted:
        if name not in known:
            problems.add(
                "outputs",
                expected=f"what the network predicts: {', '.join(known)}",
                got=repr(name),
                fix="remove it",
            )
    for name, value in options.items():
        expected = "only outputs and forcings, of a network that predicts the target itself"
        problems.add(name, expected=expected, got=f"{name}={short(value)}", fix="leave it out")
    read = read_inputs(fit, ds, None, problems, forcings)
    found = dict(zip(known, predicted(fit, read, [["time"]] * len(known)), strict=True))
    out = xr.Dataset({k: found[k].transpose("time", ...) for k in wanted})
    like = next(iter(read.forcings.values()))
    out = out.transpose(*like.dims)
    for name in wanted:
        out[name].attrs = variable_attrs(fit.model.output(name))
    for coord in out.coords:
        out[coord].attrs = dict(ds[coord].attrs)
    out.attrs = provenance(f"{fit.network_spec.kind} simulation", fit.model, history=ds.attrs.get("history"))
    out.attrs["training"] = json.dumps(fit.settings)
    return units.quantify_like(out.drop_encoding(), *(ds[name] for name in fit.attributes))
