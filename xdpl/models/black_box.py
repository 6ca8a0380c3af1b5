"""A model that is somebody else's program: declarations here, the run elsewhere."""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from xdpl.errors import Problems, short
from xdpl.models.base import Flux, Forcing, Model, Parameter, State
from xdpl.models.command import Command

__all__ = ["BlackBox", "refuse_black_box"]

# Columns, dims and variables that files and the archive of runs have besides what is declared.
_TAKEN = ("message", "run", "seconds", "series", "series_of_run", "site", "status", "time")


@dataclass(frozen=True)
class BlackBox(Model):
    """An external model without gradients: what goes in and comes out, and how to run it.

    Its runs go through parallel processes. It can be simulated and calibrated like any model; what
    needs a step or gradients (``method="gradient"``, identifiability) refuses it. `learn` takes it with
    a surrogate, or of few parameters with `xdpl.gradients`.

    Parameters
    ----------
    name : str
    forcings : sequence of Forcing
    parameters : sequence of Parameter
    fluxes : sequence of Flux
        What a run gives, all of them series.
    run : callable or Command
        ``run(forcings, parameters)`` takes and gives a `Dataset` (or gives a mapping of arrays), in
        declared units and double precision: forcings and outputs on ``(time, site)``, parameters
        on ``site``; without ``site`` where `batch` is false. Or the command line of a program.
    version : str
        Of the program and its settings. A program has no hash: change it with whatever changes
        results. Needed for an archive.
    outputs : sequence of str, optional
        Names of the main outputs; all fluxes if not given.
    dt : float
        Time step in days.
    batch : bool
        Whether a task has many sites (and members, which are sites to it) or one. A task of many
        that fails is run again one by one, so that only those are lost that fail by themselves.
    workers : int, optional
        Processes at once; as many as there are CPUs if not given. 0 calls the function in this
        process.
    timeout : float, optional
        Seconds after which a task is killed and has failed.
    retries : int
        How often a task that failed is tried again.
    archive : path, optional
        Where all runs are kept (`xdpl.blackbox.Archive`). A run that is there is not run again.
    retry_failed : bool
        Run again what failed according to the archive.

    Raises
    ------
    InputErrors
        With everything that is wrong with the declarations.

    Notes
    -----
    A run has failed where the program says so (an exception, or an exit code other than 0), takes too
    long, dies, or does not give finite numbers of the right shape for every flux. It is NaN in what
    is simulated, and infinitely bad in a calibration.

    Sites have numbers in files and datasets, not their labels; the dates are those of the forcings.
    """

    name: str  # type: ignore[misc]
    forcings: tuple[Forcing, ...] = field(repr=False)
    parameters: tuple[Parameter, ...] = field(repr=False)
    fluxes: tuple[Flux, ...] = field(repr=False)
    run: Callable[..., Any] | Command
    version: str = field(default="", kw_only=True)
    outputs: tuple[str, ...] = field(default=(), repr=False, kw_only=True)
    dt: float = field(default=1.0, kw_only=True)
    batch: bool = field(default=True, kw_only=True)
    workers: int | None = field(default=None, kw_only=True)
    timeout: float | None = field(default=None, kw_only=True)
    retries: int = field(default=0, kw_only=True)
    archive: str | None = field(default=None, kw_only=True)
    retry_failed: bool = field(default=False, kw_only=True)

    states: ClassVar[tuple[State, ...]] = ()  # type: ignore[misc]

    def __post_init__(self) -> None:
        problems = Problems(f"BlackBox({self.name!r})")
        for kind in ("forcings", "parameters", "fluxes", "outputs"):
            given = getattr(self, kind)
            object.__setattr__(self, kind, (given,) if isinstance(given, str) else tuple(given))
        _check_declared(self, problems)
        _check_run(self, problems)
        problems.raise_if_any()
        object.__setattr__(self, "outputs", self.outputs or tuple(f.name for f in self.fluxes))
        if self.archive is not None:
            object.__setattr__(self, "archive", str(Path(self.archive).absolute()))

    @property
    def processes(self) -> int:
        """Processes at once; 0 for none but this one."""
        if self.workers is not None:
            return self.workers
        own = getattr(os, "sched_getaffinity", None)
        return len(own(0)) if own else os.cpu_count() or 1

    def options(self) -> dict[str, Any]:
        """What of it changes results: the version, and the time step."""
        return {"version": self.version, "dt": self.dt}

    def step(self, xp: Any, s: Any, f: Any, p: Any) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Refused: a program runs whole series.

        Raises
        ------
        TypeError
        """
        msg = f"{self.name} is a BlackBox, which has no step: simulate or calibrate it"
        raise TypeError(msg)


def refuse_black_box(model: Model, problems: Problems, *, expected: str, fix: str) -> None:
    """Raise all problems and this one if a model is a black box; what follows cannot be checked of it."""
    if isinstance(model, BlackBox):
        got = f"{model.name!r}, a BlackBox, which has neither a step nor gradients"
        problems.add("model", expected=expected, got=got, fix=fix)
        problems.raise_all()


def _check_declared(model: BlackBox, problems: Problems) -> None:
    kinds: dict[str, type] = {"forcings": Forcing, "parameters": Parameter, "fluxes": Flux}
    names: list[str] = []
    for kind, wanted in kinds.items():
        declared = getattr(model, kind)
        if not declared and kind != "parameters":
            problems.add(kind, expected=f"at least one {wanted.__name__}", got="none", fix=f"{kind}=[...]")
        for item in declared:
            if isinstance(item, wanted):
                names.append(item.name)  # type: ignore[attr-defined]
            else:
                fix = f'{wanted.__name__}("name", ...)'
                problems.add(kind, expected=f"a {wanted.__name__}", got=short(item), fix=fix)
    for name in dict.fromkeys(names):
        if not name.isidentifier() or name in _TAKEN:
            expected = f"a name of letters, digits and _, and not {', '.join(_TAKEN)}"
            problems.add(name, expected=expected, got=repr(name), fix="another name")
        elif names.count(name) > 1:
            problems.add(name, expected="one declaration", got=str(names.count(name)), fix="another name")
    fluxes = [f.name for f in model.fluxes if isinstance(f, Flux)]
    for name in model.outputs:
        if name not in fluxes:
            expected = f"among the fluxes: {', '.join(fluxes)}"
            problems.add("outputs", expected=expected, got=repr(name), fix="remove it")


def _check_run(model: BlackBox, problems: Problems) -> None:
    program: Any = model.run
    if not isinstance(program, Command) and not callable(program):
        expected = "a function of forcings and parameters, or a Command"
        problems.add("run", expected=expected, got=short(program), fix='run=Command(["./bucket", ...])')
    version: Any = model.version
    if not isinstance(version, str):
        problems.add("version", expected="text", got=repr(version), fix='version="1"')
    elif model.archive is not None and not version:
        expected = "the version of the program, by which an archive knows its runs"
        problems.add("version", expected=expected, got="none", fix='version="1"')
    for name, lowest in (("workers", 1 if isinstance(program, Command) else 0), ("retries", 0)):
        count: Any = getattr(model, name)
        whole = not isinstance(count, bool) and isinstance(count, numbers.Integral) and int(count) >= lowest
        if not whole and not (name == "workers" and count is None):
            expected = f"a whole number of at least {lowest}"
            problems.add(name, expected=expected, got=repr(count), fix=f"{name}={lowest}")
    for name in ("dt", "timeout"):
        number: Any = getattr(model, name)
        real = isinstance(number, numbers.Real) and not isinstance(number, bool)
        if not (real and 0 < float(number) < math.inf) and not (name == "timeout" and number is None):
            problems.add(name, expected="a number above 0", got=repr(number), fix=f"{name}=1.0")
    if model.timeout is not None and model.workers == 0:
        expected = "a process that can be killed"
        problems.add("timeout", expected=expected, got="workers=0", fix="workers=1, or leave timeout out")
    for name in ("batch", "retry_failed"):
        flag: Any = getattr(model, name)
        if not isinstance(flag, bool):
            problems.add(name, expected="True or False", got=repr(flag), fix=f"{name}=True")
