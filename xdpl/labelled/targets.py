"""The targets of a request, found in the dataset."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from xdpl.labelled import schema
from xdpl.labelled.lookup import find

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.errors import Problems
    from xdpl.models import Model

__all__ = ["find_targets"]


def find_targets(
    ds: xr.Dataset,
    model: Model,
    target: str | Sequence[str] | Mapping[str, str],
    forcings: Mapping[str, str] | None,
    site_dims: tuple[str, ...],
    problems: Problems,
) -> dict[str, schema.Found]:
    """Observed variables of some outputs of a model, in declared units.

    Parameters
    ----------
    ds : Dataset
    model : Model
    target : str, sequence of str or mapping of str to str
        As in `xdpl.learn`.
    forcings : mapping of str to str, optional
        May name the ``area`` that a flow in m3 s-1 is divided by.
    site_dims : tuple of str
    problems : Problems
        Takes a note of unknown outputs, missing variables, dims and units.
    """
    outputs = model.all_outputs()
    mapping = dict(target) if isinstance(target, Mapping) else {}
    names = [target] if isinstance(target, str) else list(target) if _is_listing(target) else []
    unknown = [name for name in names if name not in outputs]
    if unknown or not names:
        wrong = str(unknown[0]) if unknown else ""
        close = difflib.get_close_matches(wrong, outputs, n=1) or list(model.outputs[:1])
        variable = wrong if wrong in ds else "<variable>"
        problems.add(
            "target",
            expected=f"outputs of {model.name!r}: {', '.join(outputs)}",
            got=repr(target),
            fix=f'target={{"{close[0]}": "{variable}"}}',
        )
    declared = [outputs[name] for name in dict.fromkeys(names) if name in outputs]
    sources = find(
        ds, declared, {k: v for k, v in mapping.items() if k in outputs}, problems, argument="target"
    )
    found: dict[str, schema.Found] = {}
    for name, source in sources.items():
        variable = source[name]
        if {str(d) for d in ds[variable].dims} != {"time", *site_dims}:
            problems.add(
                variable,
                expected=f"dims {('time', *site_dims)}, those of the forcings",
                got=f"dims {ds[variable].dims}",
                fix=f'bring "{variable}" onto the dims of the forcings',
            )
        one = schema.found(ds, source, outputs[name].units, forcings, problems)
        if one is not None:
            found[name] = one
    return found


def _is_listing(target: object) -> bool:
    return isinstance(target, Mapping | Sequence) and all(isinstance(name, str) for name in target)
