"""Static fields of the SMAP dataset."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from xdpl.data.prepare.cf import Variable, variable

__all__ = ["grid", "static", "table", "without_sentinel"]

_CAPACITY = (
    "unit not stated in the source repository; range 6.9-32 is consistent with volumetric percent "
    "(ISRIC-WISE available water capacity)"
)
_DENSITY = "unit not stated in the source repository; value range 0.7-1.5 is g/cm^3"
_EXTRAORD = "SMAP ancillary class 'extraOrd' (source name; meaning not documented in the source repository)"

# name: (source file, units, long name, comment)
_FIELDS = {
    "sand": ("Sand", "percent", "soil sand content", ""),
    "silt": ("Silt", "percent", "soil silt content", ""),
    "clay": ("Clay", "percent", "soil clay content", ""),
    "bulk_density": ("Bulk", "g/cm^3", "soil bulk density", _DENSITY),
    "soil_water_capacity": ("Capa", "percent", "soil water capacity (source name Capa)", _CAPACITY),
    "ndvi": ("NDVI", "1", "mean NDVI", ""),
    "smap_albedo": ("flag_albedo", "1", "SMAP L3 ancillary: vegetation single-scattering albedo", ""),
    "smap_roughness": ("flag_roughness", "1", "SMAP L3 ancillary: surface roughness coefficient", ""),
    "smap_dense_vegetation": (
        "flag_vegDense",
        "1",
        "SMAP surface flag: dense-vegetation fraction of retrievals",
        "",
    ),
    "smap_water_fraction": ("flag_waterbody", "1", "SMAP surface flag: water-body fraction", ""),
}
_CLASSES = {
    "smap_landcover": ("flag_landcover", "1", "SMAP L3 ancillary: dominant IGBP land-cover class"),
    "smap_extraord": ("flag_extraOrd", "1", _EXTRAORD),
}


def table(path: Path) -> npt.NDArray[np.float64]:
    """Numbers of a file without header."""
    return np.loadtxt(path, delimiter=",")


def without_sentinel(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """-9999 becomes NaN."""
    return np.where(values == -9999, np.nan, values).astype("f4")


def static(folder: Path) -> dict[str, Variable]:
    """Soil, vegetation and retrieval ancillaries (site)."""
    made = {}
    for name, (source, units, what, comment) in _FIELDS.items():
        values = without_sentinel(table(folder / f"{source}.csv"))
        extra = {"comment": comment} if comment else {}
        made[name] = variable("site", values, units, what, source_variable=f"const/{source}", **extra)
    for name, (source, units, what) in _CLASSES.items():
        classes = table(folder / f"{source}.csv").astype("i2")
        made[name] = variable("site", classes, units, what, source_variable=f"const/{source}")
    return made


def grid(lats: npt.NDArray[np.float64], lons: npt.NDArray[np.float64]) -> dict[str, Variable]:
    """Row and column of each site in the rectilinear parent grid."""
    rows, columns = (np.unique(np.round(values, 4), return_inverse=True)[1] for values in (lats, lons))
    shape = "the 18 x 38 rectilinear parent grid"
    return {
        "y_index": variable("site", rows.astype("i2"), "1", f"row in {shape} (south to north)"),
        "x_index": variable("site", columns.astype("i2"), "1", f"column in {shape} (west to east)"),
    }
