"""Parameters of the model noah in the terms of the tables of Noah.

`SOILPARM` and `VEGPARM` are the arguments ``names`` and ``units`` of `to_table` and `read_table` for what
means the same in both; `GENPARM` says it of numbers that Noah has once for all cells; `NOT_IN_NOAH` says
why others have no column.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import xarray as xr

from xdpl.errors import Problems
from xdpl.labelled.lookup import in_units

__all__ = ["GENPARM", "NOT_IN_NOAH", "SOILPARM", "VEGPARM", "parameters", "soil"]

#: Columns of SOILPARM.TBL, in its order. It also has F11 (after DRYSMC) and QTZ (at the end), of heat.
SOILPARM: dict[str, dict[str, str]] = {
    "names": {
        "b": "BB",
        "dry_content": "DRYSMC",
        "porosity": "MAXSMC",
        "reference_content": "REFSMC",
        "psi_sat": "SATPSI",
        "ksat": "SATDK",
        "diffusivity": "SATDW",
        "wilting_content": "WLTSMC",
    },
    "units": {
        "b": "1",
        "dry_content": "m3 m-3",
        "porosity": "m3 m-3",
        "reference_content": "m3 m-3",
        "psi_sat": "m",
        "ksat": "m s-1",
        "diffusivity": "m2 s-1",
        "wilting_content": "m3 m-3",
    },
}

#: Columns of VEGPARM.TBL. A learned ``rc_min`` holds factors of radiation and humidity, which Noah has apart.
VEGPARM: dict[str, dict[str, str]] = {
    "names": {"vegetation_fraction": "SHDFAC", "rc_min": "RS"},
    "units": {"vegetation_fraction": "1", "rc_min": "s m-1"},
}

#: Numbers of GENPARM.TBL, which `to_table` does not write: a file of another form, once for all cells.
GENPARM: dict[str, dict[str, str]] = {
    "names": {"refkdt": "REFKDT_DATA", "fxexp": "FXEXP_DATA", "slope": "SLOPE_DATA"},
    "units": {"refkdt": "d-1", "fxexp": "1", "slope": "1"},
}

#: Parameters without a number in Noah that means the same, and why.
NOT_IN_NOAH: dict[str, str] = {
    "lai": "LAIMIN and LAIMAX are the ends of a season; noah has one value",
    "root_depth": "NROOT counts layers with equal density; noah has an exponential profile",
    "leaf_capacity": "CMCMAX_DATA is for the whole canopy; noah has it per leaf area",
    "tt": "Noah melts snow by its energy balance",
    "cfmax": "Noah melts snow by its energy balance",
}

# What contents are made of, each a fraction of the one before.
_FRACTIONS = {
    "reference_content": "reference_fraction",
    "wilting_content": "wilting_fraction",
    "dry_content": "dry_fraction",
}
_LONG_NAMES = {
    "b": "exponent of Campbell",
    "dry_content": "water content of dry soil",
    "porosity": "soil porosity",
    "reference_content": "reference water content",
    "psi_sat": "suction at saturation",
    "ksat": "saturated hydraulic conductivity",
    "diffusivity": "diffusivity at saturation",
    "wilting_content": "water content at wilting",
}


def soil(theta: xr.Dataset) -> xr.Dataset:
    """Soil parameters of `noah` as columns of SOILPARM.TBL are defined, in their order.

    Parameters
    ----------
    theta : Dataset
        With ``porosity``, ``psi_sat``, ``b``, ``ksat`` and the three fractions, on any dims, with units;
        others are not looked at. Of classes rather than of cells, so that contents and diffusivity belong
        to the row they stand in.

    Returns
    -------
    Dataset
        The variables and units of `SOILPARM`. Contents are products: dry is ``dry_fraction`` ×
        ``wilting_fraction`` × ``reference_fraction`` × ``porosity``, and so on; diffusivity at saturation
        is ``b`` × ``ksat`` × ``psi_sat`` / ``porosity``.

    Raises
    ------
    InputErrors
        If one is missing or has other units.
    """
    own = {k: v for k, v in SOILPARM["units"].items() if k in ("b", "porosity", "psi_sat", "ksat")}
    found = _found("soil", theta, own | dict.fromkeys(_FRACTIONS.values(), "1"))
    above = found["porosity"]
    for content, fraction in _FRACTIONS.items():
        above = found[content] = above * found[fraction]
    found["diffusivity"] = found["b"] * found["ksat"] * found["psi_sat"] / found["porosity"]
    return _said({k: found[k] for k in SOILPARM["names"]}, SOILPARM["units"], theta)


def parameters(table: xr.Dataset) -> xr.Dataset:
    """Parameters of `noah` from columns of SOILPARM.TBL: the inverse of `soil`.

    Parameters
    ----------
    table : Dataset
        Variables of `SOILPARM`, on any dims, with units. ``diffusivity`` follows from others and is
        not needed; what is no column of the soil stays as it is.

    Returns
    -------
    Dataset
        With the fractions in place of the contents, for `xdpl.simulate`.

    Raises
    ------
    InputErrors
        If a column is missing or has other units; if contents are not dry ≤ wilting ≤ reference ≤ porosity;
        if a diffusivity is not the one that follows, to one part in a thousand.
    """
    wanted = {k: v for k, v in SOILPARM["units"].items() if k != "diffusivity"}
    also = {"diffusivity": SOILPARM["units"]["diffusivity"]} if "diffusivity" in table else {}
    found = _found("parameters", table, wanted | also)
    problems = Problems("parameters")
    order = ["porosity", *_FRACTIONS]
    for above, below in pairwise(order):
        if bool((found[below] > found[above] * (1.0 + 1e-6)).any()):
            problems.add(
                below,
                expected=f"{below} not above {above}",
                got="above",
                fix="take rows that belong together",
            )
    if also:
        follows = found["b"] * found["ksat"] * found["psi_sat"] / found["porosity"]
        if bool((np.abs(found["diffusivity"] / follows - 1.0) > 1e-3).any()):
            problems.add(
                "diffusivity",
                expected="b × ksat × psi_sat / porosity, as noah has it",
                got="another",
                fix='drop=["SATDW"], if that difference does not matter',
            )
    problems.raise_if_any()
    out = {k: found[k] for k in ("porosity", "psi_sat", "b", "ksat")}
    upper = found["porosity"]
    for content, fraction in _FRACTIONS.items():
        out[fraction] = found[content] / upper
        upper = found[content]
    units = {k: SOILPARM["units"].get(k, "1") for k in out}
    return _said(out, units, table).assign(table.drop_vars([k for k in SOILPARM["names"] if k in table]))


def _found(call: str, ds: xr.Dataset, units: dict[str, str]) -> dict[str, xr.DataArray]:
    problems = Problems(call)
    found = {}
    for name, unit in units.items():
        if name in ds:
            found[name] = in_units(ds[name], unit, problems, subject=name)
        else:
            there = ", ".join(map(str, ds.data_vars))
            problems.add(name, expected="a variable", got=f"only {there}", fix="fit.parameters(ds)")
    problems.raise_if_any()
    return found


def _said(found: dict[str, xr.DataArray], units: dict[str, str], like: xr.Dataset) -> xr.Dataset:
    out = xr.Dataset(
        {
            k: v.assign_attrs(units=units[k], long_name=_LONG_NAMES.get(k, k.replace("_", " ")))
            for k, v in found.items()
        }
    )
    return out.assign_attrs(like.attrs)
