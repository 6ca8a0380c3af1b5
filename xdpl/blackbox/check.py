"""What can be said of a black box before it runs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from xdpl.errors import Problems
from xdpl.models import Command

if TYPE_CHECKING:
    from xdpl.models import BlackBox

__all__ = ["check"]


def check(model: BlackBox, problems: Problems) -> None:
    """Note a program that is not there, a function that no process can have, an archive of something else."""
    if isinstance(model.run, Command):
        if shutil.which(model.run.args[0]) is None:
            expected = "a program that exists and may be executed"
            problems.add(
                "run", expected=expected, got=repr(model.run.args[0]), fix="compile it, or repair the path"
            )
    elif model.processes:
        from xdpl.blackbox.function import pickled

        try:
            pickled(model.run)
        except TypeError as error:
            problems.add(
                "run",
                expected="a function in a module that other processes can import",
                got=f"one that they cannot have: {error}",
                fix="move it into a module, install cloudpickle, or workers=0 to call it in this process",
            )
    if model.archive is not None and Path(model.archive).exists():
        _check_archive(model, Path(model.archive), problems)


def _check_archive(model: BlackBox, path: Path, problems: Problems) -> None:
    from xdpl.blackbox.archive import read_meta
    from xdpl.blackbox.recorder import refusal

    meta = read_meta(path)
    got = "something else" if meta is None else refusal(model, meta)
    if got:
        expected = f"an archive of {model.name!r} as it is declared, version {model.version!r}"
        problems.add(f"archive {path}", expected=expected, got=got, fix="another path, or that version")
