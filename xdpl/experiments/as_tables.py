"""What an experiment learned, as tables that a land model reads."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from xdpl.experiments.case import Case
from xdpl.to_table import to_table

__all__ = ["learned_parameters", "write_tables"]

_FORMATS = (".csv", ".nml")


def learned_parameters(result: xr.Dataset, case: Case, contender: str, seed: int) -> xr.Dataset:
    """Parameters of all sites with units, of a result over (contender, seed, parameter, *site dims)."""
    values = result["parameter_value"].sel(contender=contender, seed=seed).where(case.usable())
    out = xr.Dataset()
    for p in case.process.parameters:
        out[p.name] = values.sel(parameter=p.name).reset_coords(drop=True).assign_attrs(units=p.units)
    return out


def write_tables(result: xr.Dataset, case: Case, folder: Path) -> list[Path]:
    """Write those of the first seed, a row for each site, as CSV and as a Fortran namelist.

    Parameters
    ----------
    result : Dataset
    case : Case
    folder : Path
        Tables that are there are replaced.

    Returns
    -------
    list of Path
    """
    seed = int(result["seed"][0])
    written = []
    for contender in result["contender"].values:
        for suffix in _FORMATS:
            path = folder / f"{case.name}-{contender}{suffix}"
            path.unlink(missing_ok=True)
            to_table(learned_parameters(result, case, str(contender), seed), path)
            written.append(path)
    return written
