"""Machine code kept on disk, so that the next process starts at once.

An entry is one file, written aside and renamed: processes that compile the same kernel at the same time
each leave a whole one. Its name is a digest of all that decides about the code, so that nothing in it can be
out of date: the graph of the step, the sources of this package, the processor, and the versions of what
compiles. The file begins with a digest of the rest; a damaged one is compiled anew.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import platformdirs

from xdpl.engines.numba.machine import host

__all__ = ["folder", "key", "read", "write"]

_SOURCES = ("numba", "tracing")


def folder() -> Path:
    """Folder of the cache: `XDPL_CACHE_DIR`, or the user's cache folder."""
    chosen = os.environ.get("XDPL_CACHE_DIR")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("xdpl")) / "kernels"


def key(*parts: object) -> str:
    """Digest of what decides about the code of a kernel, besides the state of the machine and the library."""
    here = host()
    everything = [*parts, here.triple, here.cpu, here.features, here.llvm, *_versions(), _emitter()]
    return hashlib.sha256(json.dumps(everything, default=str).encode()).hexdigest()


@functools.cache
def _versions() -> tuple[str, ...]:
    names = ("numba", "torch", "array-api-compat")
    return (sys.version, *(f"{name} {version(name)}" for name in names))


@functools.cache
def _emitter() -> str:
    """Digest of the sources that make kernels."""
    digest = hashlib.sha256()
    for name in _SOURCES:
        for path in sorted((Path(__file__).parent.parent / name).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def read(entry: str) -> tuple[dict[str, Any], bytes] | None:
    """Description and code of an entry; None if there is none, or none that is whole."""
    try:
        content = (folder() / f"{entry}.kernel").read_bytes()
    except OSError:
        return None
    digest, _, rest = content.partition(b"\n")
    if hashlib.sha256(rest).hexdigest().encode() != digest:
        return None
    description, _, code = rest.partition(b"\n")
    return json.loads(description), code


def write(entry: str, description: dict[str, Any], code: bytes) -> None:
    """Keep an entry; where the folder cannot be written to, nothing is kept."""
    rest = json.dumps(description).encode() + b"\n" + code
    content = hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest
    with contextlib.suppress(OSError):
        folder().mkdir(parents=True, exist_ok=True)
        file = tempfile.NamedTemporaryFile(dir=folder(), delete=False)
        try:
            with file:
                file.write(content)
            os.replace(file.name, folder() / f"{entry}.kernel")
        finally:
            with contextlib.suppress(OSError):
                os.unlink(file.name)
