"""Which sample datasets there are, and finding one by its name."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from xdpl.errors import Problems

__all__ = ["ENTRIES", "Entry", "resolve"]


@dataclass(frozen=True)
class Entry:
    """One sample dataset.

    Parameters
    ----------
    name : str
        Name in `xdpl.data.open`, and stem of the prepared file.
    content, licence : str
        One line each; the full text is in the attributes of the dataset.
    preparation : str
        Module of `xdpl.data.prepare` that makes it from the upstream files.
    """

    name: str
    content: str
    licence: str
    preparation: str

    @property
    def file(self) -> str:
        """Name of the prepared file."""
        return f"{self.name}.nc"


ENTRIES = (
    Entry(
        "bondville_2001",
        "half-hourly tower forcing 2001, Illinois; soil moisture at two depths, LAI",
        "free redistribution, no sale (UCAR HRLDAS)",
        "bondville",
    ),
    Entry(
        "drb_prms_1979-1980",
        "Delaware basin, daily: 765 HRUs, 456 river segments, 168 gauges",
        "CC0-1.0",
        "drb",
    ),
    Entry(
        "era5land_quebec_1970",
        "ERA5-Land 30 x 30 cells, daily 1970: precipitation, temperature, PET",
        "Copernicus, attribution",
        "era5land",
    ),
    Entry(
        "mopex438_1970-1990",
        "438 US basins, daily: meteorology, streamflow, soils, vegetation",
        "US public domain",
        "mopex",
    ),
    Entry(
        "smap_conus412",
        "SMAP soil moisture and NLDAS-2 forcing, 412 US pixels, daily 2015-2018",
        "NASA open data; upstream repository non-commercial: do not re-host",
        "smap",
    ),
    Entry(
        "walnut_gulch_ameriflux_daily",
        "two semi-arid towers, Arizona, daily 2004-2012: meteorology, soil moisture, ET",
        "AmeriFlux: acknowledge",
        "walnut_gulch",
    ),
)


def resolve(name: str) -> Entry:
    """Find a dataset; case, ``-`` and ``_`` make no difference.

    Parameters
    ----------
    name : str
        Such as ``"smap_conus412"`` or ``"SMAP-conus412"``.

    Raises
    ------
    InputErrors
        If there is no such dataset; the message lists the known names.
    """
    known = {_key(entry.name): entry for entry in ENTRIES}
    key = _key(str(name))
    if key in known:
        return known[key]
    close = [each for each in known if len(key) > 2 and key in each] or difflib.get_close_matches(
        key, known, n=1
    )
    problems = Problems("xdpl.data.open")
    problems.add(
        "name",
        expected=f"one of {', '.join(entry.name for entry in ENTRIES)}",
        got=repr(name),
        fix=f'xdpl.data.open("{known[close[0]].name}")' if close else "choose one from xdpl.data.list()",
    )
    problems.raise_all()


def _key(name: str) -> str:
    return name.strip().lower().replace("-", "_")
