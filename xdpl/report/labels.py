"""Names of groups of sites."""

from __future__ import annotations

import numpy as np
import xarray as xr

__all__ = ["label_names"]


def label_names(groups: xr.DataArray) -> dict[int, str]:
    """The name of each label: its CF flag meaning, if there is one."""
    labels = {int(v) for v in np.unique(groups.values) if v >= 0}
    values = np.atleast_1d(groups.attrs.get("flag_values", [])).tolist()
    meanings = str(groups.attrs.get("flag_meanings", "")).split()
    known = {int(v): m.replace("_", " ") for v, m in zip(values, meanings, strict=False)}
    return {v: known.get(v, f"group {v}") for v in sorted(labels | {k for k in known if k >= 0})}
