"""How well all sites together tell parameters that follow attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import xarray as xr

from xdpl import units
from xdpl.errors import Problems
from xdpl.evaluation.diagnostics.numbers import check_attributes, check_positive
from xdpl.labelled.attrs import provenance

if TYPE_CHECKING:
    from xdpl.models import Model

__all__ = ["standard_errors"]


def standard_errors(
    ds: xr.Dataset,
    model: str | Model,
    parameters: xr.Dataset | Mapping[str, Any] | None,
    *,
    target: str | Mapping[str, str],
    noise: float,
    attributes: Sequence[str],
    forcings: Mapping[str, str] | None = None,
    time: slice | None = None,
    engine: str | None = None,
) -> xr.Dataset:
    """Least error with which all sites together tell parameters that follow attributes.

    Parameters
    ----------
    ds : Dataset
        Forcings, attributes, and the observed target; where it is not NaN decides what informs.
    model : str or Model
    parameters : Dataset or mapping
        Where to linearise; the truth of a synthetic world, or a fit. As in `xdpl.simulate`.
    target : str or mapping
        Observed variable that has the name of a model output, or one pair
        ``{"model output": "variable"}``.
    noise : float
        Standard deviation of the observation error, in units of the model output.
    attributes : sequence of str
        What the parameters depend on, as a polynomial of second degree.
    forcings : mapping of str to str, optional
        Which variable is which forcing, as in `xdpl.simulate`.
    time : slice, optional
        Period of the observations, by dates; what lies before it is run too.
    engine : {"array", "numba"}, optional
        As in `xdpl.evaluation.identifiability`.

    Returns
    -------
    Dataset
        One variable per parameter over the site dims: standard error in units of
        the parameter, of its logarithm for a log-scaled one (1). NaN at sites without forcings,
        parameters or attributes.

    Raises
    ------
    InputErrors
        With every problem of the input, before any run.

    Notes
    -----
    The Cramér-Rao bound for the coefficients of the polynomials. With J the
    sensitivity of a site's series to its parameters, each as a share of its
    bounds, and φ the polynomial terms of its attributes, the information is the
    sum over sites of (φ φᵀ) ⊗ (Jᵀ J) / noise², plus what the bounds alone tell:
    a uniform distribution, of variance 1/12. The error at a site is that of its
    polynomial. J is exact, as in `xdpl.evaluation.identifiability`.
    """
    from xdpl.evaluation.diagnostics.case import Request, gather
    from xdpl.evaluation.diagnostics.information import fisher_information, width
    from xdpl.evaluation.diagnostics.polynomial import of_polynomials

    problems = Problems("standard_errors")
    check_positive("noise", noise, problems)
    names = check_attributes(attributes, problems)
    if not names:
        problems.add(
            "attributes", expected="at least one", got="none", fix='attributes=["<static variable>"]'
        )
    request = Request(parameters, target, names, forcings, time, engine, unobserved=True)
    case = gather(ds, model, request, problems)
    errors = of_polynomials(fisher_information(case, float(noise), engine), case.attributes)
    out = xr.Dataset()
    for p, column in zip(case.model.parameters, errors.T, strict=True):
        log = p.scale == "log"
        out[p.name] = case.placed(column * width(p))
        out[p.name].attrs = {
            "units": "1" if log else p.units,
            "long_name": f"standard error of {'the logarithm of ' if log else ''}{p.name}",
        }
    out.attrs = provenance(f"{case.model.name} standard errors", case.model, history=ds.attrs.get("history"))
    return units.quantify_like(out.drop_encoding(), *(ds[v] for v in case.variables))
