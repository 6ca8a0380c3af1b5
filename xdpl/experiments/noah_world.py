"""A synthetic world of the model `noah`, whose soil and vegetation follow attributes."""

from __future__ import annotations

import numpy as np
import xarray as xr

from xdpl.models import get
from xdpl.simulate import simulate

__all__ = ["FREE", "noah_world"]

#: Parameters that differ between sites, which soil moisture near the surface feels.
FREE = (
    "porosity",
    "psi_sat",
    "b",
    "ksat",
    "wilting_fraction",
    "dry_fraction",
    "rc_min",
    "lai",
    "root_depth",
    "vegetation_fraction",
    "fxexp",
)
_NOISE, _MISSING = 0.02, 0.5


def noah_world(ds: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
    """Forcings and attributes of a synthetic world, with what `noah` makes of them.

    Parameters
    ----------
    ds : Dataset, (time, lat, lon)
        From `xdpl.data.twin`.
    seed : int
        Of the error of the observations.

    Returns
    -------
    Dataset
        Forcings and attributes, the truth as ``true_<parameter>`` and ``true_soil_moisture``, and
        ``soil_moisture`` as observed: with an error of 0.02 m3 m-3, on half of the days.

    References
    ----------
    Of the soil: Cosby et al. (1984), doi:10.1029/WR020i006p00682. The vegetation is made up.
    """
    names = ["precipitation", "air_temperature", "potential_evapotranspiration"]
    attributes = ["sand", "clay", "ndvi", "elevation", "slope"]
    out = ds[[*names, *attributes]]
    theta = _truth(ds)
    for name, values in theta.data_vars.items():
        out[f"true_{name}"] = values
    true = simulate(ds, "noah", theta, outputs=["soil_moisture"])["soil_moisture"]
    generator = np.random.default_rng(seed)
    error = _NOISE * generator.normal(size=true.shape)
    seen = generator.random(true.shape) >= _MISSING
    out["true_soil_moisture"] = true
    out["soil_moisture"] = (true + error).where(seen).astype(np.float32).assign_attrs(true.attrs)
    out.attrs = {"title": "Synthetic world with known parameters of the model noah"}
    return out


def _truth(ds: xr.Dataset) -> xr.Dataset:
    sand, clay, green = (ds[k].drop_attrs(deep=False) for k in ("sand", "clay", "ndvi"))
    # Green cover from the index, from bare ground at 0.05 to full cover at 0.9.
    cover = ((green - 0.05) / 0.85).clip(0.02, 0.98)
    made = {
        "porosity": 0.489 - 0.00126 * sand,
        # Suction in cm, conductivity in inches an hour.
        "psi_sat": 0.01 * 10.0 ** (1.88 - 0.0131 * sand),
        "b": 2.91 + 0.159 * clay,
        "ksat": 24.0 * 25.4 * 10.0 ** (-0.884 + 0.0153 * sand),
        "wilting_fraction": 0.15 + 0.006 * clay,
        "dry_fraction": 0.3 + 0.005 * sand,
        "rc_min": 250.0 - 200.0 * cover,
        "lai": 0.5 + 5.5 * cover,
        "root_depth": 0.1 + 0.5 * cover,
        "vegetation_fraction": cover,
        "fxexp": 1.2 + 0.015 * sand,
    }
    out = xr.Dataset()
    for p in get("noah").parameters:
        if p.name in made:
            out[p.name] = made[p.name].clip(p.lower, p.upper).assign_attrs(units=p.units)
    return out
