"""The coefficients of a two-step regression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

from xdpl.errors import Problems
from xdpl.labelled.attrs import provenance
from xdpl.regionalisation.regression import Regression

if TYPE_CHECKING:
    from xdpl.regionalisation.result import Regionalisation

__all__ = ["coefficients"]

_MEANING = {
    "coefficient": "coefficient of the normalised attribute",
    "constant": "logarithm of the odds within the bounds, but for the attributes",
    "penalty": "penalty on the sum of squared coefficients, over the number of sites",
    "explained": "1 less the leave-one-out squared error over that of the mean",
}


def coefficients(regional: Regionalisation) -> xr.Dataset:
    """What relates parameters to attributes, as `Regionalisation.coefficients` returns it.

    Raises
    ------
    InputErrors
        If the method is another one.
    """
    method = regional.method
    if not isinstance(method, Regression):
        problems = Problems("Regionalisation.coefficients")
        problems.add(
            "method",
            expected="a regression",
            got=f"method {regional.settings['method']!r}",
            fix='regionalise(..., method="regression")',
        )
        problems.raise_all()
    arrays = method.to_dataset().rename(attribute_mean="mean", attribute_std="std")
    out = arrays.set_coords(["mean", "std"])[list(_MEANING)]
    out = out.assign_coords(
        attribute=list(regional.attributes), parameter=[p.name for p in method.parameters]
    )
    for name, long_name in _MEANING.items():
        out[name].attrs = {"units": "1", "long_name": long_name}
    out.attrs = provenance(f"regression of {regional.model.name} parameters on attributes", regional.model)
    return out
