"""Fits on disk: a zarr store of arrays and JSON, with a checksum and without pickle."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import torch
import xarray as xr

from xdpl import models, networks
from xdpl.errors import Problems
from xdpl.labelled.attrs import model_hash, provenance
from xdpl.networks import Network
from xdpl.networks.assemble import assemble
from xdpl.networks.columns import Columns
from xdpl.networks.scaling import Moments, Scaling

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from xdpl.fit.ensemble import Ensemble
    from xdpl.fit.result import Fit
    from xdpl.models import Model

__all__ = ["load", "save", "save_all"]

_FORMAT = "xdpl-fit-2"
_MEMBER = "fit-"


def save(fit: Fit, path: Path) -> None:
    """Write a fit; nothing is left at `path` if writing fails.

    Raises
    ------
    InputErrors
        If something exists at `path`.
    """
    if path.exists():
        _refuse(
            "Fit.save", path, "a path where nothing is", "a file or folder", "choose another, or remove it"
        )
    weights = {k: v.cpu().numpy() for k, v in fit.network.state_dict().items()}
    ds = xr.Dataset({k: (tuple(f"{k}_{i}" for i in range(v.ndim)), v) for k, v in weights.items()})
    for kind, moments in _moments(fit.scaling).items():
        ds[f"{kind}_mean"] = (kind, moments.mean)
        ds[f"{kind}_std"] = (kind, moments.std)
    ds = ds.assign(fit.history.data_vars)
    description = {
        "format": _FORMAT,
        "model": fit.model.name,
        "model_options": fit.model.options(),
        "model_hash": model_hash(fit.model),
        "network": fit.network_spec.to_dict(),
        "attributes": fit.attributes,
        "forcings": fit.forcings,
        "settings": fit.settings,
    }
    ds.attrs = provenance(f"xdpl fit of {fit.model.name}", fit.model) | {"xdpl_fit": json.dumps(description)}
    ds.attrs["sha256"] = _checksum(ds)
    partial = path.with_name(f".{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    ds.to_zarr(partial, mode="w", consolidated=False, zarr_format=3)
    partial.rename(path)


def save_all(fits: Sequence[Fit], path: Path) -> None:
    """Write the fits of an ensemble into one folder; nothing is left at `path` if writing fails.

    Raises
    ------
    InputErrors
        If something exists at `path`.
    """
    if path.exists():
        _refuse(
            "Ensemble.save",
            path,
            "a path where nothing is",
            "a file or folder",
            "choose another, or remove it",
        )
    partial = path.with_name(f".{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for i, fit in enumerate(fits):
        save(fit, partial / f"{_MEMBER}{i}")
    partial.rename(path)


def load(
    path: str | Path, model: Model | None = None, network: torch.nn.Module | Network | None = None
) -> Fit | Ensemble:
    """Read a fit written by `Fit.save`; no code from the file is run.

    Parameters
    ----------
    path : str or Path
        Of a fit, or of the folder of an ensemble.
    model : Model, optional
        Needed for a model that is not known by name.
    network : torch.nn.Module or Network, optional
        Needed for a network of your own; the weights it has do not matter.

    Returns
    -------
    Fit, or Ensemble

    Raises
    ------
    InputErrors
        If the store is missing, damaged, not a fit, or of another model or network.
    """
    path = Path(path)
    parts = sorted(path.glob(f"{_MEMBER}*"), key=lambda p: int(p.name.removeprefix(_MEMBER)))
    if parts:
        from xdpl.fit.ensemble import Ensemble

        return Ensemble(tuple(_load(part, model, network) for part in parts))
    return _load(path, model, network)


def _load(path: Path, model: Model | None, network: torch.nn.Module | Network | None) -> Fit:
    from xdpl.fit.result import Fit

    ds, description = _read(path)
    model = _model(path, description, model)
    spec = _spec(path, description["network"], network)
    settings = description["settings"]
    scaling = Scaling(
        *(
            Moments(ds[f"{k}_mean"].values, ds[f"{k}_std"].values)
            for k in ("attribute", "forcing", "response")
        )
    )
    columns = Columns.of(model, settings["members"], settings["dynamic"])
    attributes = description["attributes"]
    with torch.random.fork_rng(devices=[]):
        whole = assemble(spec, model, columns, scaling, list(attributes), list(settings["targets"]))
    _put_weights(path, whole, ds)
    history = ds[[k for k, v in ds.data_vars.items() if v.dims == ("epoch",)]]
    return Fit(
        model=model,
        network_spec=spec,
        network=whole.eval(),
        attributes=attributes,
        scaling=scaling,
        forcings=description["forcings"],
        history=history.drop_attrs(deep=False),
        settings=settings,
    )


def _read(path: Path) -> tuple[xr.Dataset, dict[str, Any]]:
    fix = "name a store written by Fit.save"
    if not path.is_dir():
        _refuse(
            "load", path, "a fit saved by Fit.save", "nothing there" if not path.exists() else "a file", fix
        )
    try:
        with xr.open_zarr(path, consolidated=False, chunks=None) as store:
            ds = store.load()
    except Exception as error:  # zarr raises whatever a broken chunk leads to
        _refuse("load", path, "a readable zarr store", f"a damaged or foreign one ({error})", fix)
    if "xdpl_fit" not in ds.attrs:
        _refuse("load", path, "a fit saved by Fit.save", "another zarr store", fix)
    if ds.attrs.pop("sha256", None) != _checksum(ds):
        _refuse("load", path, "the contents that were saved", "changed or damaged ones", "take a sound copy")
    description: dict[str, Any] = json.loads(ds.attrs["xdpl_fit"])
    if description.get("format") != _FORMAT:
        _refuse(
            "load", path, f"format {_FORMAT}", repr(description.get("format")), "use the xdpl that wrote it"
        )
    return ds, description


def _model(path: Path, description: dict[str, Any], model: Model | None) -> Model:
    name = description["model"]
    model = models.restore(name, description["model_options"]) if model is None else model
    if model is None:
        _refuse("load", path, f"the model {name!r}", "no model of that name", f"load(path, model={name}())")
    if model_hash(model) != description["model_hash"]:
        _refuse(
            "load",
            path,
            f"the model {name!r} the fit was made with",
            f"{model.name!r} with other parameters, states or options",
            "pass the model as it was in training",
        )
    return model


def _spec(path: Path, described: dict[str, Any], given: torch.nn.Module | Network | None) -> Network:
    if given is not None:
        spec = networks.get(given, "load")
        known = spec.to_dict()
        if described["kind"] != networks.Custom.kind and known != described:
            expected, got = (
                {k: v for k, v in d.items() if known.get(k) != described.get(k)} for d in (described, known)
            )
            _refuse("load", path, f"the network of the fit, with {expected}", str(got), "leave network out")
        return spec
    if described["kind"] == networks.Custom.kind:
        _refuse(
            "load",
            path,
            f"the module {described['module']!r} of the fit",
            "none, since code is not stored",
            "load(path, network=<the module>)",
        )
    try:
        return networks.from_dict(described)
    except ValueError as error:
        kind = described["kind"]
        _refuse("load", path, f"a network {kind!r}", str(error), "load(path, network=<its specification>)")


def _put_weights(path: Path, network: torch.nn.Module, ds: xr.Dataset) -> None:
    """Set the weights to those of a store, in place."""
    weights = {str(k): torch.from_numpy(v.values.copy()) for k, v in ds.data_vars.items() if _is_weight(k)}
    wanted = network.state_dict()
    sizes, found = ({k: tuple(v.shape) for k, v in each.items()} for each in (wanted, weights))
    if sizes != found:
        first = next(k for k in sizes | found if sizes.get(k) != found.get(k))
        _refuse(
            "load",
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


def _checksum(ds: xr.Dataset) -> str:
    digest = hashlib.sha256(ds.attrs["xdpl_fit"].encode())
    for name in sorted(map(str, ds.variables)):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(ds[name].values).tobytes())
    return digest.hexdigest()


def _refuse(call: str, path: Path, expected: str, got: str, fix: str) -> NoReturn:
    problems = Problems(call)
    problems.add(str(path), expected=expected, got=got, fix=fix)
    problems.raise_all()
