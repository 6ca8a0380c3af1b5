"""Forcings and parameters as netCDF, outputs from netCDF."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from xdpl.blackbox.task import Failure

__all__ = ["read", "write"]


def write(forcings: xr.Dataset, parameters: xr.Dataset, forcing_file: Path, parameters_file: Path) -> None:
    """Write what a program reads, with units as attributes."""
    forcings.to_netcdf(forcing_file, engine="h5netcdf")
    parameters.to_netcdf(parameters_file, engine="h5netcdf")


def read(file: Path, forcings: xr.Dataset) -> xr.Dataset:
    """A file that a program wrote; what is in it is looked at by those who need it.

    Raises
    ------
    Failure
        If it cannot be read.
    """
    try:
        with xr.open_dataset(file) as found:
            return found.load()
    except Exception as error:  # of whichever library reads it
        msg = f"{file.name} cannot be read: {error}"
        raise Failure(msg) from error
