"""A task as files and a command line."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from xdpl.blackbox import csv_files, netcdf_files
from xdpl.blackbox.labels import arrays, datasets
from xdpl.blackbox.processes import Processes, kill, tail
from xdpl.blackbox.task import Failure, Task

if TYPE_CHECKING:
    from xdpl.models import BlackBox, Command

__all__ = ["Program"]

_FORMATS: dict[str, ModuleType] = {"csv": csv_files, "netcdf": netcdf_files}


class Program:
    """Runs a command for each task, in a folder of its own.

    Parameters
    ----------
    model : BlackBox
        Whose `run` is a `Command`.
    processes : Processes
    """

    def __init__(self, model: BlackBox, processes: Processes) -> None:
        self._model = model
        self._processes = processes

    def do(self, task: Task) -> dict[str, np.ndarray]:
        """Outputs (time, run) of a task.

        Raises
        ------
        Failure
            If the program fails, takes too long, or leaves no sound file.
        """
        command: Command = self._model.run  # type: ignore[assignment]
        folder = Path(tempfile.mkdtemp(prefix="xdpl-run-"))
        try:
            return self._in(folder, command, task)
        except Failure as failure:
            if command.keep_failed is None:
                raise
            kept = Path(command.keep_failed) / folder.name
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(folder, kept)
            msg = f"{failure} (files in {kept})"
            raise Failure(msg) from failure
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Nothing is left running between tasks."""

    def _in(self, folder: Path, command: Command, task: Task) -> dict[str, np.ndarray]:
        forcings, parameters = datasets(task, self._model)
        files = {place: folder / command.name(place) for place in ("forcing", "parameters", "output")}
        form = _FORMATS[command.format]
        form.write(forcings, parameters, files["forcing"], files["parameters"])
        for file in command.files:
            shutil.copy(file, folder)
        self._call(folder, command)
        if not files["output"].is_file():
            msg = f"the program ended without a file {files['output'].name}{tail(folder / 'log.txt')}"
            raise Failure(msg)
        names = [flux.name for flux in self._model.fluxes]
        return arrays(form.read(files["output"], forcings), names, forcings)

    def _call(self, folder: Path, command: Command) -> None:
        log = folder / "log.txt"
        found = shutil.which(command.args[0])
        if found is None:
            msg = f"there is no program {command.args[0]!r}"
            raise Failure(msg)
        # It starts in its folder, where a relative path would lead nowhere. The printed goes to a file:
        # a pipe would stay open as long as any child of a killed program has it.
        args = [str(Path(found).absolute()), *command.arguments()]
        with log.open("wb") as printed:
            try:
                process = self._processes.start(
                    args, cwd=folder, stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.STDOUT
                )
            except OSError as error:
                if self._processes.stopped:
                    raise
                msg = f"the program cannot be started: {error}"
                raise Failure(msg) from error
        try:
            code = process.wait(self._model.timeout)
        except subprocess.TimeoutExpired:
            kill(process)
            process.wait()
            msg = f"killed after {self._model.timeout:g} s{tail(log)}"
            raise Failure(msg) from None
        finally:
            self._processes.ended(process)
        if code:
            how = f"exit code {code}" if code > 0 else f"ended by signal {-code}"
            msg = f"{how}{tail(log)}"
            raise Failure(msg)
