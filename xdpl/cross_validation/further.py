"""Scores of the user's own function, tried out before any training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.errors import Problems, short
from xdpl.evaluation.checks import check_labels, names

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OWN", "check_scores"]

# Names in the result that mean something else.
OWN = ("model", "fold", "seed", "fold_of_site", "seconds", "epochs", "stopped")


def check_scores(
    function: Callable[[xr.DataArray, xr.DataArray], xr.Dataset], observed: xr.DataArray, problems: Problems
) -> None:
    """Note what is wrong with the scores of the observed against itself.

    Parameters
    ----------
    function : callable
    observed : DataArray
        In the test period, over time and site dims.
    problems : Problems
    """
    found: Any = function(observed, observed)
    if not isinstance(found, xr.Dataset):
        problems.add(
            "scores",
            expected="a function that returns a Dataset",
            got=short(found),
            fix="return xr.Dataset({name: array})",
        )
        return
    site_dims = [d for d in observed.dims if d != "time"]
    for name, array in found.data_vars.items():
        number = np.issubdtype(units.magnitude(array).dtype, np.number)
        if set(array.dims) != set(site_dims) or not number or name in OWN:
            problems.add(
                f"scores: {name}",
                expected=f"numbers over {names(site_dims)}, under another name than {', '.join(OWN)}",
                got=f"{array.dtype} over {names(array.dims)}",
                fix="one number per site",
            )
    check_labels(problems, "scores", observed, found)
