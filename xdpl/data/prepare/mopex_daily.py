"""Read and clean the daily files of MOPEX, one basin at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["Daily", "read_daily"]

_SOURCE_DAYS = pd.date_range("1948-01-01", "2003-12-31")
_COLUMNS = 5  # precipitation, potential evaporation, streamflow, Tmax, Tmin: ten characters each
_MISSING = -98.9


@dataclass(frozen=True)
class Daily:
    """Series of all basins (basin, time) within the window.

    Parameters
    ----------
    rain, evaporation, flow : array
        Precipitation, potential evaporation and streamflow [mm/day].
    warmest, coldest : array
        Daily maximum and minimum air temperature [degC].
    cleaned : dict of str to int
        Number of values each cleaning step changed or met, over the whole source period.
    """

    rain: npt.NDArray[np.float32]
    evaporation: npt.NDArray[np.float32]
    flow: npt.NDArray[np.float32]
    warmest: npt.NDArray[np.float32]
    coldest: npt.NDArray[np.float32]
    cleaned: dict[str, int]


def read_daily(files: Sequence[Path], start: str, end: str) -> Daily:
    """Read and clean the files.

    Temperature is interpolated over the whole source period, then the window is cut.

    Parameters
    ----------
    files : sequence of Path
        One per basin.
    start, end : str
        First and last day of the window.
    """
    window = (_SOURCE_DAYS >= pd.Timestamp(start)) & (_SOURCE_DAYS <= pd.Timestamp(end))
    counts: dict[str, int] = dict.fromkeys(
        ("q_negative", "temperature_out_of_range_interpolated", "tmin_gt_tmax_swapped", "p_gt_300"), 0
    )
    basins = [_clean(_read(path), counts)[:, window] for path in files]
    rain, evaporation, flow, warmest, coldest = np.stack(basins, axis=1)
    return Daily(rain, evaporation, flow, warmest, coldest, counts)


def _read(path: Path) -> npt.NDArray[np.float32]:
    """Read the five columns (column, time) of a fixed-width file."""
    lines = [line for line in path.read_text().splitlines() if line.strip()]
    # The month and day are padded with blanks or zeros.
    dates = [(int(line[0:4]), int(line[4:6]), int(line[6:8])) for line in lines]
    expected = zip(_SOURCE_DAYS.year, _SOURCE_DAYS.month, _SOURCE_DAYS.day, strict=True)
    if dates != [*expected]:
        msg = f"{path} does not hold every day from 1948 to 2003"
        raise ValueError(msg)
    starts = range(8, 8 + 10 * _COLUMNS, 10)
    return np.array([[line[s : s + 10] for line in lines] for s in starts]).astype("f8").astype("f4")


def _clean(columns: npt.NDArray[np.float32], counts: dict[str, int]) -> npt.NDArray[np.float32]:
    rain, evaporation, flow = np.where(columns[:3] <= _MISSING, np.nan, columns[:3])
    counts["p_gt_300"] += int((rain > 300).sum())
    counts["q_negative"] += int((flow < 0).sum())
    flow[flow < 0] = np.nan
    warmest, coldest = columns[3].copy(), columns[4].copy()
    bad = (warmest < -60) | (warmest > 50) | (coldest < -60) | (coldest > 40)
    counts["temperature_out_of_range_interpolated"] += int(bad.sum())
    warmest[bad] = coldest[bad] = np.nan
    counts["tmin_gt_tmax_swapped"] += int((coldest > warmest).sum())
    warmest, coldest = np.fmax(warmest, coldest), np.fmin(warmest, coldest)
    return np.stack([rain, evaporation, flow, _filled(warmest), _filled(coldest)])


def _filled(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    good = np.isfinite(values)
    day = np.arange(len(values))
    values[~good] = np.interp(day[~good], day[good], values[good])
    return values
