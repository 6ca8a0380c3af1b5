"""Engine `process`: runs of a black box, for each site and member, in place of a time loop."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from xdpl.blackbox.failures import Failures
from xdpl.blackbox.keys import run_keys, series_keys
from xdpl.blackbox.session import Session, session
from xdpl.blackbox.task import Outcome, Task
from xdpl.labelled.attrs import model_hash

if TYPE_CHECKING:
    import pandas as pd

    from xdpl.blackbox.recorder import Record
    from xdpl.models import BlackBox

__all__ = ["run"]

# Numbers of a forcing in one task.
_AT_ONCE = 2**23


def run(
    model: BlackBox,
    forcings: Mapping[str, np.ndarray],
    parameters: Mapping[str, np.ndarray],
    *,
    time: pd.Index,
    begins: np.ndarray | None = None,
    outputs: Sequence[str] = (),
    members: int | None = None,
    average: bool = True,
    progress: bool = False,
    failures: Failures | None = None,
    **_: Any,
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Run a program for every site and member; arguments and result as in `xdpl.engines.array.run`.

    Parameters
    ----------
    model : BlackBox
    forcings : mapping of str to ndarray, (time, *sites)
    parameters : mapping of str to ndarray, ([member,] *sites)
        Where one is NaN nothing is run.
    time : Index
        Dates of the forcings, or of the record they are windows of.
    begins : ndarray of int, (*sites), optional
        Position in `time` of the first step of each site, of windows that begin at different dates.
    failures : Failures, optional
        Takes the messages of runs that failed; without it there is a warning.

    Returns
    -------
    series : dict of str to ndarray, (time, [member,] *sites)
        NaN where nothing was run, or a run has failed.
    final : dict
        Empty: what a program has in store it keeps to itself.
    """
    first = next(iter(forcings.values()))
    steps, sites, count = first.shape[0], math.prod(first.shape[1:]), members or 1
    runs = _Runs(
        model,
        {f.name: np.asarray(forcings[f.name], np.float64).reshape(steps, sites) for f in model.forcings},
        {p.name: np.asarray(parameters[p.name], np.float64).ravel() for p in model.parameters},
        time,
        np.zeros(sites, np.int64) if begins is None else np.asarray(begins).ravel(),
    )
    shape = (steps, count * sites)
    series = {name: np.full(shape, np.nan, first.dtype) for name in outputs}
    known = [np.isfinite(v) for v in runs.parameters.values()]
    wanted = np.flatnonzero(np.logical_and.reduce(known)) if known else np.arange(count * sites)
    told = Failures() if failures is None else failures
    told.runs += len(wanted)
    with session(model) as shared, closing(_Bar(len(wanted), model.name, progress)) as bar:
        for numbers, outcome in _all(runs, wanted, shared):
            for name in outputs:
                series[name][:, numbers] = outcome.outputs[name]
            # As many as there are runs: one that was asked for twice has failed twice.
            told.messages += [message for message in outcome.messages if message]
            bar.update(len(numbers))
    if failures is None:
        told.warn(model.name, "NaN", stacklevel=2)
    kept = () if members is None else (members,)
    series = {k: v.reshape(steps, *kept, *first.shape[1:]) for k, v in series.items()}
    if members is not None and average:
        series = {k: v.mean(axis=1) for k, v in series.items()}
    return series, {}


@dataclass(frozen=True)
class _Runs:
    """Everything that may be run: forcings (time, site), parameters (member and site,), begins (site,)."""

    model: BlackBox
    forcings: dict[str, np.ndarray]
    parameters: dict[str, np.ndarray]
    time: pd.Index
    begins: np.ndarray

    @property
    def steps(self) -> int:
        return int(next(iter(self.forcings.values())).shape[0])

    @property
    def sites(self) -> int:
        return int(next(iter(self.forcings.values())).shape[1])

    def dates(self, site: int) -> pd.Index:
        """Those of the forcings of a site."""
        return self.time[self.begins[site] : self.begins[site] + self.steps]

    def on_the_same_dates(self, numbers: np.ndarray) -> list[np.ndarray]:
        """Runs in groups, since a task has one series of dates."""
        begins = self.begins[numbers % self.sites]
        order = np.argsort(begins, kind="stable")
        groups = np.split(numbers[order], np.flatnonzero(np.diff(begins[order])) + 1)
        return [group for group in groups if len(group)]

    def keys(self) -> list[bytes]:
        """Of the forcings of each site."""
        keys = [b""] * self.sites
        for sites in self.on_the_same_dates(np.arange(self.sites)):
            own = {k: v[:, sites] for k, v in self.forcings.items()}
            for site, key in zip(sites, series_keys(own, self.dates(sites[0])), strict=True):
                keys[site] = key
        return keys

    def of(self, numbers: np.ndarray) -> dict[str, np.ndarray]:
        """Parameters of some runs."""
        return {k: v[numbers] for k, v in self.parameters.items()}

    def task(self, numbers: np.ndarray) -> Task:
        """Some of them, counted through members and their sites."""
        columns = numbers % self.sites
        taken = {k: v[:, columns] for k, v in self.forcings.items()}
        return Task(taken, self.of(numbers), self.dates(columns[0]), self.model.batch)


def _all(runs: _Runs, wanted: np.ndarray, shared: Session) -> Iterator[tuple[np.ndarray, Outcome]]:
    """Numbers of runs and what came of them, from the archive if there is one."""
    if shared.recorder is None:
        yield from _done(runs, wanted, shared)
        return
    from xdpl.blackbox.recorder import Record

    series = runs.keys()
    own = [series[number % runs.sites] for number in wanted]
    same: dict[bytes, list[int]] = {}
    for number, key in zip(wanted, run_keys(model_hash(runs.model), own, runs.of(wanted)), strict=True):
        same.setdefault(key, []).append(int(number))
    missing: dict[int, bytes] = {}
    for key, numbers in same.items():
        record = shared.recorder.find(key)
        if record is None:
            missing[numbers[0]] = key
        else:
            yield _repeated(numbers, record)
    for numbers_done, outcome in _done(runs, np.array(list(missing), dtype=np.int64), shared):
        records, forcings = [], {}
        for i, number in enumerate(numbers_done.tolist()):
            site = number % runs.sites
            records.append(
                Record(
                    missing[number],
                    series[site],
                    {k: float(v[number]) for k, v in runs.parameters.items()},
                    {k: v[:, i] for k, v in outcome.outputs.items()},
                    outcome.messages[i],
                    float(outcome.seconds[i]),
                )
            )
            forcings[series[site]] = {k: v[:, site] for k, v in runs.forcings.items()}
        shared.recorder.add(records, runs.dates(numbers_done[0] % runs.sites), forcings)
        for record in records:
            yield _repeated(same[record.key], record)


def _done(runs: _Runs, numbers: np.ndarray, shared: Session) -> Iterator[tuple[np.ndarray, Outcome]]:
    """Run them, in tasks."""
    if runs.model.batch:
        even = -(-len(numbers) // max(1, runs.model.processes))
        size = max(1, min(even, _AT_ONCE // max(1, runs.steps)))
    else:
        size = 1
    alike = runs.on_the_same_dates(numbers)
    groups = [some[i : i + size] for some in alike for i in range(0, len(some), size)]
    with closing(shared.pool.outcomes(_Tasks(runs, groups))) as outcomes:  # type: ignore[type-var]
        for i, outcome in outcomes:
            yield groups[i], outcome


@dataclass(frozen=True)
class _Tasks(Sequence[Task]):
    """Tasks made when they are taken: their forcings are copies."""

    runs: _Runs
    groups: list[np.ndarray]

    def __len__(self) -> int:
        return len(self.groups)

    def __getitem__(self, i: Any) -> Any:
        return self.runs.task(self.groups[i])


def _repeated(numbers: Sequence[int], record: Record) -> tuple[np.ndarray, Outcome]:
    """One run as the outcome of all that are the same."""
    count = len(numbers)
    outputs = {k: np.repeat(v[:, None], count, axis=1) for k, v in record.outputs.items()}
    return np.asarray(numbers), Outcome(outputs, (record.message,) * count, np.full(count, record.seconds))


class _Bar:
    """A bar over runs."""

    def __init__(self, total: int, name: str, show: bool) -> None:
        self._bar: Any = None
        if show:
            from tqdm.auto import tqdm

            self._bar = tqdm(total=total, desc=name, unit="run")

    def update(self, count: int) -> None:
        """Advance."""
        if self._bar is not None:
            self._bar.update(count)

    def close(self) -> None:
        """Leave it as it stands."""
        if self._bar is not None:
            self._bar.close()
