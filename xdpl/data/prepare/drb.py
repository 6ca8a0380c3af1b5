"""Delaware River Basin of the US National Hydrologic Model (PRMS), 1979-1980."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from xdpl.data.prepare.cf import Variable, f4, flag, lat, lon, time, variable
from xdpl.data.prepare.drb_fields import ACRE, SQUARE_MILE, hrus, segments
from xdpl.data.prepare.store import Prepared

__all__ = ["prepare"]

_CUBIC_FOOT = 0.028316846592  # m^3
_SOURCE = {
    "title": "Delaware River Basin, National Hydrologic Model (PRMS) 2-year domain: 765 HRUs, 456 river "
    "segments, 168 gauges, daily 1979-1980",
    "institution": "US Geological Survey",
    "source_repository": "https://github.com/EC-USGS/pywatershed@d8074bb6050238cabc1fdd6d8dd079ca74a6ce79 "
    "path test_data/drb_2yr",
    "source": "USGS National Hydrologic Model geospatial fabric v1.0, NHM-PRMS parameters and Daymet-based "
    "forcing; streamflow USGS NWIS",
    "license": "CC0-1.0 (pywatershed repository); USGS data are in the US public domain",
    "references": "McCreight et al., pywatershed, USGS; Regan et al. (2018) doi:10.3133/tm6B9",
    "comment": "Units converted from inch, degF, acre, ft3/s. Segment and HRU pointers changed from 1-based "
    "(0 = none) to 0-based (-1 = none). 6 outlets; main outlet drains 30 656 km2; 4 HRUs (682 km2) drain to "
    "no segment.",
}


def prepare(root: Path) -> Prepared:
    """Prepare the dataset from the files of the repository at `root`."""

    def load(name: str) -> xr.Dataset:
        return xr.load_dataset(root / "test_data" / "drb_2yr" / f"{name}.nc", engine="h5netcdf")

    hru, segment, channel = (load(f"parameters_{name}") for name in ("dis_hru", "dis_seg", "PRMSChannel"))
    canopy, soil = (load(f"parameters_{name}") for name in ("PRMSCanopy", "PRMSSoilzone"))
    gauge = load("drb_2yr_gage_poi_obs")
    rain, coldest, warmest = (load(name)[name] for name in ("prcp", "tmin", "tmax"))
    ds = xr.Dataset(
        _forcing(rain, coldest, warmest)
        | hrus(hru, canopy, soil, channel)
        | segments(segment, channel)
        | _gauges(gauge, segment),
        coords={
            "time": time(rain["time"].values),
            "hru": ("hru", hru["nhm_id"].values.astype("i4"), {"long_name": "NHM HRU id"}),
            "segment": ("segment", segment["nhm_seg"].values.astype("i4"), {"long_name": "NHM segment id"}),
            "gauge": ("gauge", _text(gauge["poi_id"]), {"long_name": "USGS gauge number"}),
            "hru_lat": lat("hru", hru["hru_lat"]),
            "hru_lon": lon("hru", hru["hru_lon"]),
            "gauge_lat": lat("gauge", gauge["latitude"]),
            "gauge_lon": lon("gauge", gauge["longitude"]),
            "gauge_name": ("gauge", _text(gauge["poi_name"]), {"long_name": "station name"}),
        },
        attrs=_SOURCE,
    )
    bits = {"pr": 13, "tasmax": 12, "tasmin": 12}
    return Prepared(ds, bits=bits, chunks={"hru": 153, "gauge": 168, "time": 731})


def _text(array: xr.DataArray) -> np.ndarray:
    return np.array([str(each).strip() for each in array.values], dtype=object)


def _forcing(rain: xr.DataArray, coldest: xr.DataArray, warmest: xr.DataArray) -> dict[str, Variable]:
    dims = ("hru", "time")

    def celsius(fahrenheit: xr.DataArray, which: str) -> Variable:
        return variable(
            dims,
            f4((fahrenheit.values.T - 32) / 1.8),
            "degC",
            f"daily {which} air temperature on the HRU",
            "air_temperature",
            cell_methods=f"time: {which}",
        )

    return {
        "pr": variable(
            dims,
            f4(rain.values.T * 25.4),
            "mm/day",
            "precipitation on the HRU",
            "lwe_precipitation_rate",
            cell_methods="time: sum",
        ),
        "tasmax": celsius(warmest, "maximum"),
        "tasmin": celsius(coldest, "minimum"),
    }


def _gauges(gauge: xr.Dataset, segment: xr.Dataset) -> dict[str, Variable]:
    pairs = zip(segment["poi_gage_id"].values, segment["poi_gage_segment"].values, strict=True)
    place = {str(number): int(one_based) - 1 for number, one_based in pairs}
    at = np.array([place[str(number)] for number in gauge["poi_id"].values], "i4")
    area = gauge["drainage_area"].values * SQUARE_MILE
    upstream = segment["seg_cum_area"].values[at] * ACRE
    complete = gauge["discharge"].notnull().all("time").values
    return {
        "q": variable(
            ("gauge", "time"),
            f4(gauge["discharge"] * _CUBIC_FOOT),
            "m^3/s",
            "observed daily mean discharge (USGS NWIS)",
            "water_volume_transport_in_river_channel",
            cell_methods="time: mean",
        ),
        "gauge_area": variable("gauge", f4(area), "km^2", "USGS drainage area"),
        "gauge_segment": variable("gauge", at, "1", "0-based index of the segment the gauge sits on"),
        "gauge_ok": flag(
            "gauge",
            complete & (np.abs(area / upstream - 1) < 0.1),
            "1 where the record is complete and the USGS area is within 10 % of the segment upstream area",
            "no yes",
        ),
    }
