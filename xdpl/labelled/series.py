"""Checks of series, which take a look at the values: gaps, and infinity."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from xdpl.errors import Problems
from xdpl.labelled.grid import Grid
from xdpl.labelled.schema import Found

__all__ = ["check_series"]


def check_series(
    forcings: Mapping[str, np.ndarray],
    observed: Mapping[str, np.ndarray],
    used: np.ndarray,
    found: Mapping[str, Found],
    grid: Grid,
    problems: Problems,
) -> None:
    """Note gaps in forcings (time, site), and infinity in them or in the observations, at used sites.

    What forcings and observations are called in the dataset, `found` says.
    """
    for name, values in forcings.items():
        gaps = used & np.isnan(values).any(axis=0)
        if gaps.any():
            variable = found[name].variable
            problems.add(
                variable,
                expected="no gaps in time (a site may be NaN throughout)",
                got=f"NaN at some times at {gaps.sum()} sites, first {grid.label(int(np.argmax(gaps)))}",
                fix=f'fill them, or mask the sites: ds.where(ds["{variable}"].notnull().all("time"))',
            )
    for name, values in {**forcings, **observed}.items():
        variable = found[name].variable
        infinite = used & np.isinf(values).any(axis=0)
        if infinite.any():
            problems.add(
                variable,
                expected="finite values, or NaN",
                got=f"infinity at {infinite.sum()} sites, first {grid.label(int(np.argmax(infinite)))}",
                fix=f'ds["{variable}"] = ds["{variable}"].where(np.isfinite(ds["{variable}"]))',
            )
