"""SMAP soil moisture and NLDAS-2 forcing at 412 pixels of the contiguous USA."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from xdpl.data.prepare.cf import Variable, flag, lat, lon, time, variable
from xdpl.data.prepare.smap_static import grid, static, table, without_sentinel
from xdpl.data.prepare.store import Prepared

__all__ = ["prepare"]

_SITES = 412
_DAYS = {2015: 366, 2016: 365, 2017: 365}  # folders run from April to March
_SERIES = ("site", "time")
_SOURCE = {
    "title": "SMAP L3 soil moisture and NLDAS-2 forcing at 412 pixels over the contiguous USA, "
    "2015-04-01 to 2018-03-31",
    "featureType": "timeSeries",
    "institution": "NASA (SMAP, NLDAS-2); subset prepared by MHPI, Pennsylvania State University",
    "source_repository": "https://github.com/mhpi/hydroDL@b8a149c47797d032dd924940b3370d140b05aec3 "
    "path example/data/CONUSv4f1",
    "source": "SMAP L3 passive (SPL3SMP) soil moisture; NLDAS-2 primary forcing (FORA) at the SMAP 36 km "
    "EASE-Grid 2.0 pixels, every 4th pixel in both directions",
    "license": "Underlying data: NASA Earthdata open data (no restriction on use, citation requested). "
    "Repository: PSU Non-Commercial Software License (attribution and notice required on redistribution); "
    "whether it covers the data is not stated.",
    "comment": "-9999 in the source replaced by NaN. Year folders run April to March. One site (index 57) "
    "has no soil texture. Quantized with BitRound (see significant_bits).",
    "references": "Fang, Shen, Kifer & Yang (2017) GRL doi:10.1002/2017GL075619",
    "significant_bits": "BitRound: pr 11, tas 13, huss 10, rsds/rlds 10, uas/vas 8; soil_moisture and static "
    "fields unquantized",
}
_BITS = {"pr": 11, "tas": 13, "huss": 10, "rsds": 10, "rlds": 10, "uas": 8, "vas": 8}


def prepare(root: Path) -> Prepared:
    """Prepare the dataset from the files of the repository at `root`."""
    folder = root / "example" / "data" / "CONUSv4f1"
    lats, lons = table(folder / "crd.csv").T
    ds = xr.Dataset(
        _forcing(folder) | _target(folder) | static(folder / "const") | grid(lats, lons),
        coords={
            "time": time(_times(folder)),
            "site": (
                "site",
                np.arange(_SITES, dtype="i4"),
                {"long_name": "0-based row in crd.csv", "cf_role": "timeseries_id"},
            ),
            "lat": lat("site", lats),
            "lon": lon("site", lons),
        },
        attrs=_SOURCE,
    )
    return Prepared(ds, bits=_BITS, chunks={"site": 103, "time": 1096})


def _times(folder: Path) -> pd.DatetimeIndex:
    days = [day for year in _DAYS for day in (folder / str(year) / "timeStr.csv").read_text().split()]
    return pd.to_datetime(days)


def _series(folder: Path, name: str, years: Collection[int] = tuple(_DAYS)) -> npt.NDArray[np.float32]:
    """One variable (site, time); missing in the years that have no file."""
    parts = [
        table(folder / str(year) / f"{name}.csv") if year in years else np.full((_SITES, days), np.nan)
        for year, days in _DAYS.items()
    ]
    return without_sentinel(np.concatenate(parts, axis=1))


def _forcing(folder: Path) -> dict[str, Variable]:
    def mean(source: str, units: str, what: str, standard_name: str) -> Variable:
        attrs = {"cell_methods": "time: mean", "source_variable": source}
        return variable(
            _SERIES, _series(folder, source), units, f"{what}, daily mean", standard_name, **attrs
        )

    def flux(wave: str) -> tuple[str, str]:
        return f"downward {wave} radiation at the surface", f"surface_downwelling_{wave}_flux_in_air"

    return {
        "pr": variable(
            _SERIES,
            _series(folder, "APCP_FORA") * 24,
            "mm/day",
            "daily precipitation (NLDAS-2 FORA APCP, daily mean of hourly totals x 24 h)",
            "lwe_precipitation_rate",
            cell_methods="time: mean",
            source_variable="APCP_FORA [kg m-2 h-1, daily mean], multiplied by 24",
        ),
        "tas": mean("TMP_2_FORA", "K", "2 m air temperature", "air_temperature"),
        "huss": mean("SPFH_2_FORA", "kg/kg", "2 m specific humidity", "specific_humidity"),
        "rsds": mean("DSWRF_FORA", "W/m^2", *flux("shortwave")),
        "rlds": mean("DLWRF_FORA", "W/m^2", *flux("longwave")),
        "uas": mean("UGRD_10_FORA", "m/s", "10 m eastward wind", "eastward_wind"),
        "vas": mean("VGRD_10_FORA", "m/s", "10 m northward wind", "northward_wind"),
    }


def _target(folder: Path) -> dict[str, Variable]:
    values = _series(folder, "SMAP_AM", years=(2015, 2016))
    varies = np.nanstd(values, axis=1) > 0.005
    return {
        "soil_moisture": variable(
            _SERIES,
            values,
            "m^3/m^3",
            "SMAP L3 passive radiometer (36 km) surface (~0-5 cm) soil moisture, AM (06:00 local) overpass",
            "volume_fraction_of_condensed_water_in_soil",
            source_variable="SMAP_AM",
            comment="NaN = no retrieval; the whole third year (2017-04-01 to 2018-03-31) is not in the "
            "source repository and is NaN",
        ),
        "smap_ok": flag(
            "site",
            varies,
            "1 where the SMAP series varies (std > 0.005 m^3/m^3); 0 for two coastal pixels with "
            "(near-)constant values",
            "suspect ok",
        ),
    }
