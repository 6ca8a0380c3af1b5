"""The simulated and the observed series of a fit, fit for a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import xarray as xr

from xdpl import units
from xdpl.errors import Problems
from xdpl.labelled.attrs import variable_attrs
from xdpl.labelled.host import on_host
from xdpl.labelled.lookup import in_units
from xdpl.plot.inputs import check_site

if TYPE_CHECKING:
    from xdpl.fit import Fit

__all__ = ["at_site", "pair"]


def at_site(ds: xr.Dataset, site: Mapping[str, Any], problems: Problems) -> xr.Dataset:
    """The dataset at a site, whose dims stay: the fit was trained with them."""
    check_site(ds, site, problems)
    problems.raise_if_any()
    return ds.isel({k: slice(v, v + 1 or None) for k, v in site.items()})


def pair(
    fit: Fit, ds: xr.Dataset, target: str | None = None, time: slice | None = None
) -> tuple[xr.DataArray, xr.DataArray]:
    """Both over the whole record, in declared units.

    Parameters
    ----------
    fit : Fit
    ds : Dataset
    target : str, optional
        The first of the fit if not given.
    time : slice, optional
        What is to be shown: a network with a history reads nothing of it.
    """
    # Here and not above: they need torch, which pictures alone do not.
    from xdpl.fit.observed import observed_targets
    from xdpl.fit.scoring import start

    problems = Problems("plot")
    output = fit.target if target is None else target
    if output not in fit.targets:
        known = f"a target of the fit: {', '.join(fit.targets)}"
        problems.add("target", expected=known, got=repr(target), fix="leave it out")
        problems.raise_all()
    declared = fit.model.output(output)
    found = observed_targets(
        fit,
        ds,
        {output: fit.targets[output]},
        fit.forcings_in(ds),
        problems,
        fix=lambda _, variable: f'ds = ds.rename({{"<variable>": "{variable}"}})',
    )
    observed = in_units(found[output], declared.units, problems)
    simulated = fit.simulate(ds, at=start(fit, ds, time), outputs=[output])[output]
    simulated = units.strip(simulated, declared.units)
    attrs = variable_attrs(declared)
    return on_host(simulated).assign_attrs(attrs), on_host(observed).assign_attrs(attrs)
