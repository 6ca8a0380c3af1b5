"""What identifies a run: the values that went in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["run_keys", "series_keys"]

_SIZE = 16


def series_keys(forcings: Mapping[str, np.ndarray], time: pd.Index) -> list[bytes]:
    """A key of the forcings of each site, (time, site), and of their dates."""
    dates = "\n".join(date.isoformat() for date in time).encode()
    head = hashlib.sha256(dates + "\0".join(forcings).encode())
    columns = [np.ascontiguousarray(v.T, dtype="<f8") for v in forcings.values()]
    keys = []
    for site in range(columns[0].shape[0]):
        digest = head.copy()
        for values in columns:
            digest.update(values[site].tobytes())
        keys.append(digest.digest()[:_SIZE])
    return keys


def run_keys(model: str, series: Iterable[bytes], parameters: Mapping[str, np.ndarray]) -> list[bytes]:
    """A key of each run: of the model, its forcings, and its parameters, (run,), in declared order."""
    table = (
        np.stack([np.asarray(v, dtype="<f8") for v in parameters.values()], axis=1) if parameters else None
    )
    keys = []
    for i, own in enumerate(series):
        values = b"" if table is None else (table[i] + 0.0).tobytes()  # -0 is 0
        keys.append(hashlib.sha256(model.encode() + own + values).digest()[:_SIZE])
    return keys
