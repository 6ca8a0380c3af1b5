"""Whether a parameter dataset can be a table: static, one set of values, units that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from xdpl import units
from xdpl.labelled.host import on_host
from xdpl.labelled.tree import refuse_tree

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.errors import Problems

__all__ = ["check_static_parameters", "plain"]

# How one set of values comes from several.
_ONE = {
    "time": 'parameters.mean("time", keep_attrs=True), or learn without dynamic=',
    "member": 'parameters.mean("member", keep_attrs=True), or learn without members=',
    "sample": 'parameters.median("sample", keep_attrs=True)',
    "quantile": "parameters.sel(quantile=0.5, drop=True)",
    "draw": "parameters.isel(draw=0, drop=True)",
    "statistic": 'parameters.sel(statistic="median", drop=True)',
}


def check_static_parameters(parameters: xr.Dataset, problems: Problems) -> None:
    """Note dims that are no site dims, values that are no numbers and units that are none."""
    refuse_tree(problems.call, parameters)
    if not parameters.data_vars:
        problems.add(
            "parameters", expected="at least one variable", got="none", fix="theta = fit.parameters(ds)"
        )
    for dim in parameters.dims:
        if dim in _ONE:
            problems.add(
                "parameters",
                expected="one value at each site",
                got=f"a dim {dim!r} of {parameters.sizes[dim]}",
                fix=_ONE[str(dim)],
            )
    for name, array in parameters.data_vars.items():
        kind = on_host(units.magnitude(array)).dtype
        if kind.kind not in "fiu":
            problems.add(str(name), expected="numbers", got=str(kind), fix=f'parameters.drop_vars("{name}")')
            continue
        check_readable(str(name), units.read(array), problems)


def check_readable(name: str, said: str | None, problems: Problems) -> None:
    """Note units that are missing or cannot be read."""
    fix = f'parameters["{name}"].attrs["units"] = "<its units>"'
    if said is None:
        problems.add(name, expected="units", got="no units attribute", fix=fix)
        return
    try:
        units.parse(said)
    except units.UnitsError:
        problems.add(name, expected="units that can be read", got=repr(said), fix=fix)


def plain(parameters: xr.Dataset) -> xr.Dataset:
    """Values of numpy in float64, with units as attributes."""
    found = {k: on_host(units.dequantify(v)).compute() for k, v in parameters.data_vars.items()}
    return parameters.assign({k: v.astype(np.float64, keep_attrs=True) for k, v in found.items()})
