"""A call of `learn`: its arguments, and whether they make sense."""

from __future__ import annotations

import difflib
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import xarray as xr

from xdpl import models, networks
from xdpl.labelled import schema
from xdpl.labelled.lookup import find
from xdpl.training.losses import LOSSES

if TYPE_CHECKING:
    import torch

    from xdpl.errors import Problems
    from xdpl.models import Model
    from xdpl.networks import MLP

__all__ = ["Inputs", "Request", "inspect"]

_INTEGERS = {"epochs": 1, "batch": 1, "window": 1, "warmup": 0, "patience": 1, "seed": 0}
_FLOATS = ("learning_rate", "clip")


@dataclass(frozen=True)
class Request:
    """The arguments of `learn`, as given."""

    model: str | Model
    target: str | Mapping[str, str]
    attributes: Sequence[str]
    forcings: Mapping[str, str] | None
    network: str | MLP
    loss: str
    train: slice | None
    validate: slice | xr.DataArray | None
    sites: xr.DataArray | None
    engine: str | None
    device: str | torch.device | None
    epochs: int
    batch: int
    window: int
    warmup: int
    warmup_gradient: bool
    learning_rate: float
    patience: int
    clip: float
    seed: int

    def plain(self) -> Request:
        """The same request with numbers of Python, which a fit can store."""
        values: dict[str, Any] = {name: int(getattr(self, name)) for name in _INTEGERS}
        values |= {name: float(getattr(self, name)) for name in _FLOATS}
        return replace(self, **values)


@dataclass(frozen=True)
class Inputs:
    """What a request refers to, found in the dataset and in declared units."""

    model: Model
    network: MLP
    forcings: dict[str, schema.Found]
    output: str
    target: schema.Found
    attributes: dict[str, xr.DataArray]


def inspect(ds: xr.Dataset, request: Request, problems: Problems) -> Inputs:
    """Check a request against a dataset without computing.

    Raises
    ------
    InputErrors
        With every problem found.
    """
    model = models.get(request.model, problems.call)
    network = networks.get(request.network, problems.call)
    found = schema.forcings(ds, model, request.forcings, problems)
    dims = [d for f in found.values() for d in f.data.dims] if found else list(ds.dims)
    site_dims = tuple(dict.fromkeys(str(d) for d in dims if d != "time"))
    output, target = _target(ds, model, request, site_dims, problems)
    names = [request.attributes] if isinstance(request.attributes, str) else list(request.attributes)
    attributes = schema.static(ds, names, site_dims, "an attribute", problems)
    if not names:
        problems.add(
            "attributes", expected="at least one", got="none", fix='attributes=["<static variable>"]'
        )
    _check_periods(ds, request, site_dims, problems)
    _check_values(request, problems)
    problems.raise_if_any()
    assert target is not None
    return Inputs(model, network, found, output, target, attributes)


def _target(
    ds: xr.Dataset,
    model: Model,
    request: Request,
    site_dims: tuple[str, ...],
    problems: Problems,
) -> tuple[str, schema.Found | None]:
    target = request.target
    outputs = model.all_outputs()
    mapping = dict(target) if isinstance(target, Mapping) else {}
    name = target if isinstance(target, str) else next(iter(mapping), "")
    if len(mapping) > 1 or name not in outputs:
        close = difflib.get_close_matches(name, outputs, n=1) or list(model.outputs[:1])
        problems.add(
            "target",
            expected=f"one output of {model.name!r}: {', '.join(outputs)}",
            got=repr(target),
            fix=f'target={{"{close[0]}": "{name if name in ds else "<variable>"}"}}',
        )
        return name, None
    sources = find(ds, [outputs[name]], mapping, problems, argument="target").get(name)
    if sources is None:
        return name, None
    variable = sources[name]
    dims = {str(d) for d in ds[variable].dims}
    if dims != {"time", *site_dims}:
        problems.add(
            variable,
            expected=f"dims {('time', *site_dims)}, those of the forcings",
            got=f"dims {ds[variable].dims}",
            fix=f'bring "{variable}" onto the dims of the forcings',
        )
    return name, schema.found(ds, sources, outputs[name].units, request.forcings, problems)


def _check_periods(ds: xr.Dataset, request: Request, site_dims: tuple[str, ...], problems: Problems) -> None:
    for name in ("sites", "validate", "train"):
        value: object = getattr(request, name)
        if value is None:
            continue
        if isinstance(value, slice) and name != "sites":
            _check_period(name, value, ds, problems)
        elif name == "train":
            fix = 'train=slice("2000-01-01", "2000-12-31")'
            problems.add(name, expected="a slice of dates", got=repr(value), fix=fix)
        else:
            _check_mask(name, value, ds, site_dims, problems)


def _check_period(name: str, period: slice, ds: xr.Dataset, problems: Problems) -> None:
    index = ds.indexes.get("time")
    if index is None or not hasattr(index, "month") or not index.is_monotonic_increasing:
        return  # noted with the forcings
    first, last = index[0], index[-1]
    try:
        edges = [edge for edge in (period.start, period.stop) if edge is not None]
        inside = all(ds["time"].sel(time=part).size > 0 for part in (period, *edges))
        got = f"{period.start} to {period.stop}"
    except (KeyError, TypeError, ValueError) as error:
        inside, got = False, f"{period.start} to {period.stop} ({error!s})"
    if not inside:
        problems.add(
            name,
            expected=f"a period inside the data, {first:%Y-%m-%d} to {last:%Y-%m-%d}",
            got=got,
            fix=f'{name}=slice("{first:%Y-%m-%d}", "{last:%Y-%m-%d}")',
        )


def _check_mask(
    name: str, mask: object, ds: xr.Dataset, site_dims: tuple[str, ...], problems: Problems
) -> None:
    if not isinstance(mask, xr.DataArray) or mask.dtype.kind != "b" or set(mask.dims) != set(site_dims):
        got = f"{mask.dtype} with dims {mask.dims}" if isinstance(mask, xr.DataArray) else repr(mask)
        problems.add(
            name,
            expected=f"a boolean DataArray with dims {site_dims}"
            + " or a slice of dates" * (name == "validate"),
            got=got,
            fix=f"{name}=folds != 0, with folds from xdpl.evaluation.random_folds",
        )
        return
    schema.check_labels(name, mask, ds, problems, fix=f"{name}={name}.reindex_like(ds, fill_value=False)")


def _check_values(request: Request, problems: Problems) -> None:
    for name, lowest in _INTEGERS.items():
        value = getattr(request, name)
        if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < lowest:
            problems.add(
                name, expected=f"an integer of at least {lowest}", got=repr(value), fix=f"{name}={lowest}"
            )
    for name in _FLOATS:
        value = getattr(request, name)
        number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if not number or not value > 0 or (name == "learning_rate" and value == float("inf")):
            problems.add(name, expected="a number above 0", got=repr(value), fix=f"leave {name} out")
    if request.loss not in LOSSES:
        problems.add(
            "loss", expected=f"one of {', '.join(LOSSES)}", got=repr(request.loss), fix='loss="nrmse"'
        )
