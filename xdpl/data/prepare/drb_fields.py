"""Static fields of the Delaware River Basin: response units (HRUs) and river segments."""

from __future__ import annotations

from typing import Any

import xarray as xr

from xdpl.data.prepare.cf import Variable, f4, variable

__all__ = ["ACRE", "SQUARE_MILE", "hrus", "segments"]

ACRE = 4046.8564224e-6  # km^2
SQUARE_MILE = 2.589988110336  # km^2
_INCH = 25.4  # mm


def _zero_based(pointer: xr.DataArray) -> Any:
    """PRMS counts from 1 and writes 0 for none; here from 0, and -1 for none."""
    return pointer.values.astype("i4") - 1


def hrus(hru: xr.Dataset, canopy: xr.Dataset, soil: xr.Dataset, channel: xr.Dataset) -> dict[str, Variable]:
    """Terrain, vegetation, soil and drainage of the HRUs (hru)."""

    def of(values: Any, units: str, long_name: str, standard_name: str = "") -> Variable:
        return variable("hru", values, units, long_name, standard_name)

    return {
        "hru_area": of(f4(hru["hru_area"].values * ACRE), "km^2", "HRU area"),
        "hru_elevation": of(f4(hru["hru_elev"]), "m", "HRU mean elevation", "surface_altitude"),
        "hru_slope": of(f4(hru["hru_slope"]), "1", "HRU slope"),
        "hru_aspect": of(f4(hru["hru_aspect"]), "degree", "HRU aspect"),
        "cov_type": of(
            canopy["cov_type"].values.astype("i2"),
            "1",
            "vegetation cover type: 0 bare, 1 grasses, 2 shrubs, 3 deciduous trees, 4 coniferous",
        ),
        "covden_sum": of(f4(canopy["covden_sum"]), "1", "summer vegetation cover density"),
        "covden_win": of(f4(canopy["covden_win"]), "1", "winter vegetation cover density"),
        "soil_type": of(soil["soil_type"].values.astype("i2"), "1", "PRMS soil type: 1 sand, 2 loam, 3 clay"),
        "soil_moist_max": of(
            f4(soil["soil_moist_max"] * _INCH),
            "mm",
            "calibrated PRMS maximum available water capacity of the soil profile",
        ),
        "imperv_frac": of(f4(soil["hru_percent_imperv"]), "1", "impervious fraction"),
        "hru_segment": of(
            _zero_based(channel["hru_segment"]),
            "1",
            "0-based index of the segment an HRU drains to; -1 = none",
        ),
    }


def segments(segment: xr.Dataset, channel: xr.Dataset) -> dict[str, Variable]:
    """Topology and geometry of the river segments (segment)."""

    def of(values: Any, units: str, long_name: str, standard_name: str = "") -> Variable:
        return variable("segment", values, units, long_name, standard_name)

    return {
        "down_segment": of(
            _zero_based(segment["tosegment"]), "1", "0-based index of the downstream segment; -1 = outlet"
        ),
        "seg_length": of(f4(segment["seg_length"]), "m", "segment length"),
        "seg_slope": of(f4(segment["seg_slope"]), "1", "segment slope (m/m)"),
        "seg_width": of(f4(segment["seg_width"]), "m", "segment width"),
        "seg_depth": of(f4(segment["seg_depth"]), "m", "bankfull depth"),
        "seg_elevation": of(f4(segment["seg_elev"]), "m", "segment elevation"),
        "manning_n": of(f4(channel["mann_n"]), "s/m^0.333333", "Manning roughness"),
        "muskingum_x": of(f4(channel["x_coef"]), "1", "Muskingum weighting factor"),
        "seg_upstream_area": of(
            f4(segment["seg_cum_area"] * ACRE),
            "km^2",
            "upstream area (source unit 'unknown'; acres, confirmed by accumulating HRU areas)",
        ),
        "seg_lat": of(f4(segment["seg_lat"]), "degrees_north", "segment latitude", "latitude"),
    }
