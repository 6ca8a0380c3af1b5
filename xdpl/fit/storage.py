"""Fits on disk: weights, statistics and history in a store."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import xarray as xr

from xdpl import networks, observation
from xdpl.errors import Problems
from xdpl.fit.packing import packed, unpacked
from xdpl.fit.store import Stored, refuse, refuse_existing, restore_model, write_store
from xdpl.models.ordering import Ordering
from xdpl.networks import Network
from xdpl.networks.assemble import assemble
from xdpl.networks.columns import Columns
from xdpl.networks.scaling import Moments, Scaling
from xdpl.observation import Operator

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from xdpl.fit.result import Fit
    from xdpl.models import Model

__all__ = ["contents", "parts_of", "restore", "save", "save_all"]

_MEMBER = "fit-"
# Of names in the store.
_OBSERVATION, _ROUNDS = "observation.", "rounds."


def save(fit: Fit, path: Path) -> None:
    """Write a fit; nothing is left at `path` if writing fails.

    Raises
    ------
    InputErrors
        If something exists at `path`.
    """
    write_store(fit, path, *contents(fit))


def contents(fit: Fit) -> tuple[xr.Dataset, dict[str, Any]]:
    """Arrays and plain values that a store of a fit has of its own."""
    weights = {k: v.cpu().numpy() for k, v in fit.network.state_dict().items()}
    ds = xr.Dataset({k: (tuple(f"{k}_{i}" for i in range(v.ndim)), v) for k, v in weights.items()})
    for kind, moments in _moments(fit.scaling).items():
        ds[f"{kind}_mean"] = (kind, moments.mean)
        ds[f"{kind}_std"] = (kind, moments.std)
    of_epochs = _of_epochs(fit.history)
    ds = ds.assign(of_epochs.data_vars)
    kept, labels = packed(fit.observation, _OBSERVATION)
    rounds, of_rounds = packed(fit.history[[k for k in fit.history.data_vars if k not in of_epochs]], _ROUNDS)
    ds = ds.assign(kept.variables).assign(rounds.variables)
    return ds, {
        "network": fit.network_spec.to_dict(),
        "operators": {k: operator.to_dict() for k, operator in fit.operators.items()},
        "observation": labels,
        "rounds": of_rounds,
    }


def save_all(fits: Sequence[Fit], path: Path) -> None:
    """Write the fits of an ensemble into one folder; nothing is left at `path` if writing fails.

    Raises
    ------
    InputErrors
        If something exists at `path`.
    """
    refuse_existing("Ensemble.save", path)
    partial = path.with_name(f".{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for i, fit in enumerate(fits):
        save(fit, partial / f"{_MEMBER}{i}")
    partial.rename(path)


def parts_of(path: Path) -> list[Path]:
    """Stores of the fits of an ensemble, in order; none if `path` is no folder of one."""
    return sorted(path.glob(f"{_MEMBER}*"), key=lambda p: int(p.name.removeprefix(_MEMBER)))


def restore(
    path: Path, stored: Stored, model: Model | None, network: torch.nn.Module | Network | None
) -> Fit:
    """A fit as it was saved; arguments as in `xdpl.load`, with what was read.

    Raises
    ------
    InputErrors
        If the store is of another model or network.
    """
    from xdpl.fit.result import Fit

    ds, description = stored.arrays, stored.description
    model = restore_model(path, stored, model)
    spec = _spec(path, description["network"], network)
    settings = description["settings"]
    scaling = Scaling(
        *(
            Moments(ds[f"{k}_mean"].values, ds[f"{k}_std"].values)
            for k in ("attribute", "forcing", "response")
        )
    )
    # Fits from before there was an order do not say so.
    ordering = Ordering.of(model, settings.get("order", []), Problems("load"))
    columns = Columns.of(model, settings["members"], settings["dynamic"], ordering)
    attributes = description["attributes"]
    with torch.random.fork_rng(devices=[]):
        whole = assemble(spec, model, columns, scaling, list(attributes), list(settings["targets"]))
    _put_weights(path, whole, ds)
    history = _of_epochs(ds)
    return Fit(
        model=model,
        network_spec=spec,
        network=whole.eval(),
        attributes=attributes,
        scaling=scaling,
        forcings=description["forcings"],
        history=history.drop_attrs(deep=False).assign(_rounds(ds, description)),
        settings=settings,
        operators=_operators(path, description["operators"]),
        observation=unpacked(ds, description["observation"], _OBSERVATION),
    )


def _spec(path: Path, described: dict[str, Any], given: torch.nn.Module | Network | None) -> Network:
    if given is not None:
        spec = networks.get(given, "load")
        known = spec.to_dict()
        if described["kind"] != networks.Custom.kind and known != described:
            expected, got = (
                {k: v for k, v in d.items() if known.get(k) != described.get(k)} for d in (described, known)
            )
            refuse(path, f"the network of the fit, with {expected}", str(got), "leave network out")
        return spec
    if described["kind"] == networks.Custom.kind:
        refuse(
            path,
            f"the module {described['module']!r} of the fit",
            "none, since code is not stored",
            "load(path, network=<the module>)",
        )
    try:
        return networks.from_dict(described)
    except ValueError as error:
        kind = described["kind"]
        refuse(path, f"a network {kind!r}", str(error), "load(path, network=<its specification>)")


def _of_epochs(ds: xr.Dataset) -> xr.Dataset:
    return ds[[k for k, v in ds.data_vars.items() if v.dims[:1] == ("epoch",)]]


def _rounds(ds: xr.Dataset, description: dict[str, Any]) -> xr.Dataset:
    """What happened in rounds with a surrogate; fits from before there were some do not say."""
    known = description.get("rounds")
    return xr.Dataset() if known is None else unpacked(ds, known, _ROUNDS)


def _operators(path: Path, described: dict[str, Any]) -> dict[str, Operator]:
    try:
        return {k: observation.from_dict(values) for k, values in described.items()}
    except ValueError as error:
        refuse(path, "observation operators of xdpl", str(error), "use the xdpl that wrote it")


def _put_weights(path: Path, network: torch.nn.Module, ds: xr.Dataset) -> None:
    """Set the weights to those of a store, in place."""
    weights = {str(k): torch.from_numpy(v.values.copy()) for k, v in ds.data_vars.items() if _is_weight(k)}
    wanted = network.state_dict()
    sizes, found = ({k: tuple(v.shape) for k, v in each.items()} for each in (wanted, weights))
    if sizes != found:
        first = next(k for k in sizes | found if sizes.get(k) != found.get(k))
        refuse(
            path,
            "the network of the fit",
            f"another one: weights {first!r} of shape {sizes.get(first, 'none')},"
            f" in the fit {found.get(first, 'none')}",
            "load(path, network=<the module that was trained>)",
        )
    network.load_state_dict(weights)


def _is_weight(name: Hashable) -> bool:
    return name == "start" or str(name).startswith("body.")


def _moments(scaling: Scaling) -> dict[str, Moments]:
    return {"attribute": scaling.attributes, "forcing": scaling.forcings, "response": scaling.responses}
