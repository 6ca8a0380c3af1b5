"""Results on disk: zarr stores of arrays and JSON, with a checksum and without pickle."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import xarray as xr

from xdpl import models
from xdpl.errors import Problems
from xdpl.labelled.attrs import model_hash, provenance

if TYPE_CHECKING:
    from xdpl.fit.source import ParameterSource
    from xdpl.models import Model

__all__ = [
    "Stored",
    "named_model",
    "open_store",
    "refuse",
    "refuse_existing",
    "restore_model",
    "write_store",
]

# What may be in a store, and the format it is written in.
_FORMATS = {
    "fit": "xdpl-fit-3",
    "regionalisation": "xdpl-regionalisation-1",
    "posterior": "xdpl-posterior-1",
    "surrogate": "xdpl-surrogate-1",
}
_SAVERS = "Fit.save, Regionalisation.save, Posterior.save or Surrogate.save"


@dataclass(frozen=True)
class Stored:
    """What was read from a store.

    Parameters
    ----------
    kind : {"fit", "regionalisation", "posterior", "surrogate"}
    arrays : Dataset
    description : dict
        Plain values.
    """

    kind: str
    arrays: xr.Dataset
    description: dict[str, Any]


def write_store(
    source: ParameterSource,
    path: Path,
    arrays: xr.Dataset,
    description: dict[str, Any],
    kind: str | None = None,
) -> None:
    """Write a result; nothing is left at `path` if writing fails.

    Parameters
    ----------
    source : Fit or Regionalisation
    path : Path
    arrays : Dataset
    description : dict
        What is its own, as plain values; model, attributes, forcings and settings are added.
    kind : str, optional
        Of the store; that of the source if not given.

    Raises
    ------
    InputErrors
        If something exists at `path`.
    """
    name = type(source).__name__
    kind = kind or name.lower()
    refuse_existing(f"{name}.save", path)
    described = {
        "format": _FORMATS[kind],
        "model": source.model.name,
        "model_options": source.model.options(),
        "model_hash": model_hash(source.model),
        **description,
        "attributes": source.attributes,
        "forcings": source.forcings,
        "settings": source.settings,
    }
    title = f"xdpl {kind} of {source.model.name}"
    arrays = arrays.assign_attrs(provenance(title, source.model) | {f"xdpl_{kind}": json.dumps(described)})
    arrays.attrs["sha256"] = _checksum(arrays, kind)
    partial = path.with_name(f".{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    arrays.to_zarr(partial, mode="w", consolidated=False, zarr_format=3)
    partial.rename(path)


def open_store(path: Path) -> Stored:
    """Read a store whole and check it.

    Raises
    ------
    InputErrors
        If it is missing, damaged, of another kind or of another format.
    """
    fix = f"name a store written by {_SAVERS}"
    expected = f"a store written by {_SAVERS}"
    if not path.is_dir():
        refuse(path, expected, "nothing there" if not path.exists() else "a file", fix)
    try:
        with xr.open_zarr(path, consolidated=False, chunks=None) as store:
            ds = store.load()
    except Exception as error:  # zarr raises whatever a broken chunk leads to
        refuse(path, "a readable zarr store", f"a damaged or foreign one ({error})", fix)
    kind = next((k for k in _FORMATS if f"xdpl_{k}" in ds.attrs), None)
    if kind is None:
        refuse(path, expected, "another zarr store", fix)
    if ds.attrs.pop("sha256", None) != _checksum(ds, kind):
        refuse(path, "the contents that were saved", "changed or damaged ones", "take a sound copy")
    description: dict[str, Any] = json.loads(ds.attrs[f"xdpl_{kind}"])
    if description.get("format") != _FORMATS[kind]:
        got = repr(description.get("format"))
        refuse(path, f"format {_FORMATS[kind]}", got, "use the xdpl that wrote it")
    return Stored(kind, ds, description)


def restore_model(path: Path, stored: Stored, model: Model | None) -> Model:
    """The model that a result was made with; `model` is that of the user, if there is one.

    Raises
    ------
    InputErrors
        If it is not known by name, or another one.
    """
    return named_model(path, stored.description, stored.kind, model)


def named_model(path: Path, description: dict[str, Any], kind: str, model: Model | None) -> Model:
    """The model that ``model``, ``model_options`` and ``model_hash`` of a description say, or the given one.

    Raises
    ------
    InputErrors
        If it is not known by name, or another one.
    """
    name = description["model"]
    model = models.restore(name, description["model_options"]) if model is None else model
    if model is None:
        refuse(path, f"the model {name!r}", "no model of that name", f"load(path, model={name}())")
    if model_hash(model) != description["model_hash"]:
        refuse(
            path,
            f"the model {name!r} the {kind} was made with",
            f"{model.name!r} with other parameters, states or options",
            "pass the model as it was in training",
        )
    return model


def refuse_existing(call: str, path: Path) -> None:
    """Raise `InputErrors` if something exists at `path`."""
    if path.exists():
        problems = Problems(call)
        problems.add(
            str(path),
            expected="a path where nothing is",
            got="a file or folder",
            fix="choose another, or remove it",
        )
        problems.raise_all()


def refuse(path: Path, expected: str, got: str, fix: str) -> NoReturn:
    """Raise `InputErrors` of `load`."""
    problems = Problems("load")
    problems.add(str(path), expected=expected, got=got, fix=fix)
    problems.raise_all()


def _checksum(ds: xr.Dataset, kind: str) -> str:
    digest = hashlib.sha256(ds.attrs[f"xdpl_{kind}"].encode())
    for name in sorted(map(str, ds.variables)):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(ds[name].values).tobytes())
    return digest.hexdigest()
