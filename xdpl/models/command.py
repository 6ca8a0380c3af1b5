"""A program as a model runs it: its command line, and the files it reads and writes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from xdpl.errors import Problems

__all__ = ["Command"]

_PLACES = ("forcing", "parameters", "output")
_SUFFIX = {"csv": "csv", "netcdf": "nc"}


@dataclass(frozen=True)
class Command:
    """The command line of a program, and the files it exchanges with a `BlackBox`.

    Every task has a new folder, in which the program is started. In it are a file of forcings and
    one of parameters; the program writes one of outputs.

    Parameters
    ----------
    args : sequence of str
        The program and its arguments. ``{forcing}``, ``{parameters}`` and ``{output}`` stand for
        the names of the files. The program itself may be a path relative to where Python runs, or
        be found on the ``PATH``.
    format : {"csv", "netcdf"}
        Of the files.
    files : sequence of path
        Files that the program needs besides, such as a script or a namelist: copied into the folder
        of every task.
    keep_failed : path, optional
        Where to move the folders of failed tasks, with all files and what was printed
        (``log.txt``); they are deleted if not given.

    Raises
    ------
    InputErrors
        If there is no program, a placeholder or a format is unknown, or a file is not there.

    Notes
    -----
    Names are ``forcing.csv``, ``parameters.csv`` and ``output.csv``, or with ``.nc``. A model with
    ``batch=False`` runs one site in a task:

    - ``forcing.csv`` has a column ``time`` (ISO 8601) and one for each forcing;
    - ``parameters.csv`` has a line ``name,value`` for each parameter, without a head;
    - ``output.csv`` has a column for each flux, and one ``time`` or none.

    With ``batch=True`` all three have a first column ``site``, a number from 0: forcings and outputs
    one site after the other, and ``parameters.csv`` a line for each site, with a head.

    In netCDF these are variables on ``time``, or ``(time, site)``, and parameters without dims, or on
    ``site``; with attributes ``units``. Columns and variables that are not declared are not read.
    Units are those declared, numbers in full double precision.
    """

    args: tuple[str, ...]
    format: Literal["csv", "netcdf"] = "csv"
    files: tuple[str, ...] = ()
    keep_failed: str | None = None

    def __post_init__(self) -> None:
        problems = Problems("Command")
        given: Any = self.args
        args = () if isinstance(given, str) else tuple(str(arg) for arg in given)
        if not args:
            problems.add(
                "args",
                expected="a list of the program and its arguments",
                got=repr(self.args),
                fix='args=["./bucket", "{forcing}", "{parameters}", "{output}"]',
            )
        for place in dict.fromkeys(p for arg in args for p in re.findall(r"\{(\w+)\}", arg)):
            if place not in _PLACES:
                fix = f"one of {', '.join(f'{{{p}}}' for p in _PLACES)}; other braces belong into a script"
                problems.add("args", expected="placeholders of files", got=f"{{{place}}}", fix=fix)
        if self.format not in _SUFFIX:
            problems.add("format", expected="'csv' or 'netcdf'", got=repr(self.format), fix='format="csv"')
        files: Any = self.files
        files = (files,) if isinstance(files, str | Path) else files
        # Absolute from now on: Python may be somewhere else when the program runs.
        paths = tuple(str(Path(file).absolute()) for file in files)
        for path in paths:
            if not Path(path).is_file():
                problems.add(
                    "files", expected="files that exist", got=f"no file {path!r}", fix="repair the path"
                )
        problems.raise_if_any()
        object.__setattr__(self, "args", args)
        object.__setattr__(self, "files", paths)
        if self.keep_failed is not None:
            object.__setattr__(self, "keep_failed", str(Path(self.keep_failed).absolute()))

    def name(self, place: str) -> str:
        """Name of a file: ``"forcing"``, ``"parameters"`` or ``"output"`` with its ending."""
        return f"{place}.{_SUFFIX[self.format]}"

    def arguments(self) -> list[str]:
        """What follows the program, with the names of the files in place."""
        return [re.sub(r"\{(\w+)\}", lambda m: self.name(m[1]), arg) for arg in self.args[1:]]
