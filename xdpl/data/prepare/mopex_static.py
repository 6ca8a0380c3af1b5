"""Position, soil, vegetation and climate of the MOPEX basins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xdpl.data.prepare.cf import Variable, f4, variable

__all__ = ["IGBP", "TEXTURES", "position", "static"]

SQUARE_MILE = 2.589988110336  # km^2
TEXTURES = (
    "sand loamy_sand sandy_loam silt_loam silt loam sandy_clay_loam silty_clay_loam clay_loam sandy_clay "
    "silty_clay clay organic water bedrock other"
)
IGBP = (
    "evergreen_needleleaf evergreen_broadleaf deciduous_needleleaf deciduous_broadleaf mixed_forest "
    "closed_shrubland open_shrubland woody_savanna savanna grassland permanent_wetland cropland urban "
    "cropland_natural_mosaic snow_ice barren water"
)
_KSAT = "unit not stated in the source; 3.5e-7 to 3.6e-5 is consistent with m/s (Noah soil tables)"
_TEXTURE = "areal fraction of USDA texture classes, 0-150 cm (Miller & White 1999)"


def _table(path: Path, ids: Sequence[str]) -> npt.NDArray[np.float64]:
    """Numbers (basin, column) of a file with a gauge number before each row."""
    rows = [line.split() for line in path.read_text().splitlines() if line.strip()]
    numbers = {row[0].zfill(8): row[1:] for row in rows}
    return np.array([numbers[basin] for basin in ids], "f8")


def _ratios(folder: Path, ids: Sequence[str]) -> npt.NDArray[np.float64]:
    return _table(folder / "Hydrologic Ratios" / "HY_RATIO.438", ids)


def position(folder: Path, ids: Sequence[str]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Latitude and longitude [degrees] of the basins."""
    ratios = _ratios(folder, ids)
    return ratios[:, 1], ratios[:, 0]


def static(folder: Path, ids: Sequence[str]) -> dict[str, Variable]:
    """Fields without time (basin, ...)."""
    area = _ratios(folder, ids)[:, 2] * SQUARE_MILE
    soil = f4(_table(folder / "Noah Soils Properties" / "HYD_PROP.438", ids))
    cover = f4(_table(folder / "Vegetation" / "IGBPTABP.438", ids))
    texture = f4(_table(folder / "Soils" / "S0_150.438", ids))
    # Three columns (position, area) come before the twelve months.
    green = f4(_table(folder / "Greenness_fraction" / "GFRAC438.MON", ids)[:, 3:])
    evaporation = f4(_table(folder / "PE Climate Normals" / "PE_CLIM.438", ids)[:, 3:])
    return {
        "area": variable("basin", f4(area), "km^2", "drainage area (converted from square miles)"),
        "porosity": variable("basin", soil[:, 0], "1", "soil porosity"),
        "theta_upper": variable("basin", soil[:, 1], "1", "upper limit of unsaturated water content"),
        "wilting_point": variable("basin", soil[:, 2], "1", "wilting point"),
        "retention_slope": variable("basin", soil[:, 3], "1", "slope of the water-retention function"),
        "ksat": variable("basin", soil[:, 5], "m/s", "saturated hydraulic conductivity", comment=_KSAT),
        "soil_texture": variable(("basin", "texture"), texture, "1", _TEXTURE),
        "igbp": variable(("basin", "igbp_class"), cover, "1", "areal fraction of IGBP land-cover classes"),
        "greenness": variable(("basin", "month"), green, "percent", "monthly greenness fraction"),
        "pet_month": variable(("basin", "month"), evaporation, "mm/month", "monthly climatological PET"),
    }
