"""What is known of the parameters of a synthetic world."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

if TYPE_CHECKING:
    from xdpl.models import Model

__all__ = ["known_parameters"]


def known_parameters(ds: xr.Dataset, model: Model) -> xr.Dataset:
    """True parameters, from the variables ``true_<parameter>``; those at their defaults have none."""
    names = [p.name for p in model.parameters if f"true_{p.name}" in ds]
    return xr.Dataset({name: ds[f"true_{name}"] for name in names})
