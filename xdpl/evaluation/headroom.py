"""How much there is to gain, and how much of it was gained."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from xdpl.errors import Problems

__all__ = ["headroom"]


def headroom(
    errors: Mapping[str, xr.DataArray],
    *,
    uncalibrated: str = "uncalibrated",
    oracle: str,
    floor: float = 0.0,
    marginal: float = 0.1,
) -> xr.Dataset:
    """Median errors of several ways to the same target, and their share of what could be gained.

    Where even parameters of each site by itself, chosen with its own observations, hardly beat the defaults,
    the target does not depend on the parameters enough to learn them: any gain is marginal by
    construction, and says nothing of the method.

    Parameters
    ----------
    errors : mapping of str to DataArray
        By name, such as RMSE or 1 - NSE from `metrics`: at least those of `uncalibrated` and `oracle`,
        over the same site dims and in the same units. A dim ``seed`` is averaged. Sites where any
        of them is NaN do not count.
    uncalibrated : str
        Errors of the model with its defaults.
    oracle : str
        Errors with parameters of each site by itself.
    floor : float
        Error of the observations, in units of the errors: nobody can be better.
    marginal : float
        Share of the error above the floor that the oracle must take away, above 0 and below 1.

    Returns
    -------
    Dataset
        ``error`` (contender), median over sites, in units of the errors; ``gain`` (contender, 1), the part
        of the error above the floor that is taken away, (E_uncalibrated - E) / (E_uncalibrated - floor),
        below 0 where it grows; ``share`` (contender, 1), of the gain of the oracle, NaN where that gains
        nothing;
        ``marginal`` (bool), whether the gain of the oracle is below `marginal`; ``sites`` (1), that count.

    Raises
    ------
    InputErrors
        If one is missing, sites or units differ, or no site has them all.

    References
    ----------
    Ahmad et al. (2025), doi:10.1029/2024GL112893, who found gains that were marginal.
    """
    problems = Problems("headroom")
    _check(errors, uncalibrated, oracle, floor, marginal, problems)
    whole = {k: v.mean("seed") if "seed" in v.dims else v for k, v in errors.items()}
    first = whole[uncalibrated]
    known = first.notnull()
    for error in whole.values():
        known = known & error.notnull()
    if not known.any():
        problems.add("errors", expected="sites where all are known", got="none", fix="score the same sites")
        problems.raise_all()
    medians = np.array([float(v.where(known).median()) for v in whole.values()])
    names = list(whole)
    start, best = medians[names.index(uncalibrated)], medians[names.index(oracle)]
    room = start - floor
    gain = (start - medians) / room if room > 0.0 else np.full(len(names), np.nan)
    gained = start - best
    share = (start - medians) / gained if gained > 0.0 else np.full(len(names), np.nan)
    # Not of the mean of seeds: older xarray leaves the attributes of a mean away.
    units = errors[uncalibrated].attrs.get("units", "1")
    said = {
        "error": (medians, "median error of sites", units),
        "gain": (gain, "part of the error above the floor that is taken away", "1"),
        "share": (share, "share of the gain of the oracle", "1"),
    }
    found = {k: ("contender", v, {"units": u, "long_name": name}) for k, (v, name, u) in said.items()}
    out = xr.Dataset(found, {"contender": names})
    little = not (room > 0.0 and gained / room >= marginal)
    out["marginal"] = xr.DataArray(little, attrs={"long_name": "marginal by construction"})
    out["sites"] = xr.DataArray(int(known.sum()), attrs={"units": "1", "long_name": "number of sites"})
    return out.assign_attrs(uncalibrated=uncalibrated, oracle=oracle, floor=floor)


def _check(
    errors: Mapping[str, xr.DataArray],
    uncalibrated: str,
    oracle: str,
    floor: float,
    marginal: float,
    problems: Problems,
) -> None:
    for argument, name in {"uncalibrated": uncalibrated, "oracle": oracle}.items():
        if name not in errors:
            got = f"{name!r}, and errors of {', '.join(errors) or 'nobody'}"
            problems.add(argument, expected="a name among errors", got=got, fix=f"{argument}=...")
    if not floor >= 0.0:
        problems.add("floor", expected="an error, at least 0", got=repr(floor), fix="floor=0.0")
    if not 0.0 < marginal < 1.0:
        problems.add("marginal", expected="above 0 and below 1", got=repr(marginal), fix="marginal=0.1")
    first = next(iter(errors.values()), None)
    for name, error in errors.items():
        assert first is not None
        wanted, units = first.attrs.get("units"), error.attrs.get("units")
        if units != wanted:
            problems.add(name, expected=f"units {wanted!r}", got=repr(units), fix="convert before")
        if not _alike(error, first):
            fix = "error.reindex_like(another)"
            problems.add(name, expected="the same sites for all", got="others", fix=fix)
    problems.raise_if_any()


def _alike(one: xr.DataArray, other: xr.DataArray) -> bool:
    """Whether both are over the same sites, whatever their seeds."""
    here, there = (v.isel(seed=0, drop=True) if "seed" in v.dims else v for v in (one, other))
    try:
        xr.align(here, there, join="exact")
    except ValueError:
        return False
    return set(here.dims) == set(there.dims)
