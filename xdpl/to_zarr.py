"""Write a lazy result to zarr part by part, so that an interrupted run goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import xarray as xr

from xdpl import units
from xdpl.errors import Problems
from xdpl.labelled.host import on_host
from xdpl.labelled.regions import Region, block_sizes, regions
from xdpl.labelled.tree import refuse_tree

__all__ = ["to_zarr"]

_UNFINISHED = "xdpl_unfinished"


def to_zarr(
    ds: xr.Dataset, path: str | os.PathLike[str], *, at_once: int | None = None, progress: bool = True
) -> xr.Dataset:
    """Compute a lazy dataset into a zarr store, a few blocks at a time.

    Memory holds only the blocks in work. When the run is interrupted, by Ctrl-C or a
    crash, the same call goes on with the parts that are missing; until then the store
    has an attribute ``xdpl_unfinished``, and fill values in those parts.

    Parameters
    ----------
    ds : Dataset
        Such as `simulate` returns for dask data. Quantities are written with their units
        as attributes, arrays of a GPU are brought to the host block by block.
    path : path
        Folder of the store.
    at_once : int, optional
        Blocks computed together; twice the number of CPUs if not given.
    progress : bool
        Show a bar over the parts.

    Returns
    -------
    Dataset
        The store, opened lazily.

    Raises
    ------
    InputErrors
        If blocks have unequal lengths, or at `path` lies something else than an
        unfinished store of the same dataset (dims, coordinates, variables, attributes
        other than ``history``, blocks). The values of its forcings are not compared.
    """
    refuse_tree("to_zarr", ds)
    problems = Problems("to_zarr")
    if "://" in str(path):
        problems.add(
            "path",
            expected="a folder on a file system",
            got=repr(str(path)),
            fix="ds.to_zarr(url), or mount the store",
        )
    path = Path(path)
    if at_once is not None and (isinstance(at_once, bool) or not isinstance(at_once, int) or at_once < 1):
        problems.add("at_once", expected="an integer of at least 1", got=repr(at_once), fix="at_once=1")
    ds = ds.assign({k: on_host(units.dequantify(v)) for k, v in ds.data_vars.items()})
    quantities = {k: units.dequantify(c) for k, c in ds.coords.items() if units.is_quantified(c)}
    ds = ds.assign_coords(quantities).drop_encoding()
    blocks = block_sizes(ds, problems)
    problems.raise_if_any()
    parts = regions(ds, blocks, at_once or 2 * (os.cpu_count() or 1))
    identity = _identity(ds, blocks)
    done = _begun(path, identity)
    if done is None:
        _create(_with_values(ds, parts[0]), path, blocks, identity)
        done = []
    todo = [(i, part) for i, part in enumerate(parts) if _key(part) not in done]
    for _, part in _bar(todo, progress, path.name, len(parts)):
        if part:
            _write(ds, path, part)
        done.append(_key(part))
        _note(path, identity, done)
    _note(path, identity, None)
    return xr.open_zarr(path, consolidated=False)


def _key(part: Region) -> str:
    return json.dumps({d: [s.start, s.stop] for d, s in sorted(part.items())})


def _with_values(ds: xr.Dataset, part: Region) -> xr.Dataset:
    """The dataset with the values of what no part cuts, such as means over all sites."""
    whole = [k for k, v in ds.variables.items() if v.chunks is not None and not set(part) & set(v.dims)]
    return ds.assign_coords({k: ds[k].compute() for k in whole if k in ds.coords}).assign(
        {k: ds[k].compute() for k in whole if k in ds.data_vars}
    )


def _create(ds: xr.Dataset, path: Path, blocks: dict[str, int], identity: str) -> None:
    stored = {k: v for k, v in ds.data_vars.items() if v.ndim}
    encoding = {k: {"chunks": tuple(blocks[str(d)] for d in v.dims)} for k, v in stored.items()}
    unfinished = json.dumps({"dataset": identity, "done": []})
    # Half a store is never at the path itself: it could not be told from one of somebody else.
    partial = path.with_name(f"{path.name}.partial")
    # Writes coordinates and what is in memory; lazy variables only get their place.
    ds.assign_attrs({_UNFINISHED: unfinished}).to_zarr(
        partial, mode="w", compute=False, consolidated=False, encoding=encoding
    )
    partial.replace(path)


def _write(ds: xr.Dataset, path: Path, part: Region) -> None:
    piece = ds.isel(part).drop_vars([k for k, v in ds.variables.items() if v.chunks is None])
    piece = piece.drop_vars([k for k, v in piece.variables.items() if not set(part) & set(v.dims)])
    piece.drop_attrs().to_zarr(path, region=part, consolidated=False)


def _note(path: Path, identity: str, done: list[str] | None) -> None:
    import zarr

    group = zarr.open_group(path, mode="r+", use_consolidated=False)
    if done is None:
        del group.attrs[_UNFINISHED]
    else:
        group.attrs[_UNFINISHED] = json.dumps({"dataset": identity, "done": done})


def _begun(path: Path, identity: str) -> list[str] | None:
    """Parts that an interrupted call has written; None if there was no such call."""
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return None
    problems = Problems("to_zarr")
    state = _unfinished(path)
    if state is None:
        problems.add(
            str(path),
            expected="a path where nothing is, or a store this call has begun",
            got="something else, or a finished store",
            fix="choose another path, or remove it",
        )
    elif state["dataset"] != identity:
        problems.add(
            str(path),
            expected="an unfinished store of the same dataset and blocks",
            got="one of another dataset",
            fix="make the dataset as it was, or choose another path",
        )
    problems.raise_if_any()
    done: list[str] = state["done"] if state else []
    return done


def _unfinished(path: Path) -> dict[str, Any] | None:
    import zarr

    try:
        attrs = dict(zarr.open_group(path, mode="r", use_consolidated=False).attrs)
    except (FileNotFoundError, KeyError, ValueError, zarr.errors.BaseZarrError):
        return None
    text = attrs.get(_UNFINISHED)
    return json.loads(str(text)) if text else None


def _identity(ds: xr.Dataset, blocks: dict[str, int]) -> str:
    """Hash of what a store is made of, but for the values of lazy variables."""
    digest = hashlib.sha256()
    attrs = {k: v for k, v in ds.attrs.items() if k != "history"}
    digest.update(repr((sorted(ds.sizes.items(), key=str), sorted(blocks.items()), attrs)).encode())
    for name, variable in sorted(ds.variables.items(), key=lambda item: str(item[0])):
        digest.update(repr((name, variable.dims, str(variable.dtype), variable.attrs)).encode())
        if variable.chunks is None:
            values = variable.values
            # Objects, such as strings, have addresses instead of bytes.
            digest.update(
                values.tobytes() if values.dtype.kind in "biufcmM" else repr(values.tolist()).encode()
            )
    return digest.hexdigest()[:16]


def _bar(todo: list[Any], progress: bool, name: str, total: int) -> Iterable[Any]:
    if not progress:
        return todo
    from tqdm.auto import tqdm

    bar: Iterable[Any] = tqdm(todo, desc=name, unit="part", initial=total - len(todo), total=total)
    return bar
