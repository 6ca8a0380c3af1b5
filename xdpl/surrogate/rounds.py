"""Learn through a surrogate, run the model there, and make the surrogate anew, round by round."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr
from tqdm.auto import tqdm

from xdpl import units
from xdpl.blackbox.session import at_work
from xdpl.fit.scoring import start
from xdpl.models import Model
from xdpl.networks import LSTM
from xdpl.surrogate.audit import audit
from xdpl.surrogate.design import DRAW, design
from xdpl.surrogate.diary import Diary, Round
from xdpl.surrogate.emulate import check_options, emulate
from xdpl.surrogate.loop import Loop
from xdpl.surrogate.places import PAIRS, Places, rows
from xdpl.surrogate.runs import Runs
from xdpl.surrogate.scores import Scoring
from xdpl.surrogate.stopped import AuditError
from xdpl.surrogate.surrogate import Surrogate

if TYPE_CHECKING:
    from xdpl.fit import Fit
    from xdpl.training.request import Inputs, Request

__all__ = ["learn_in_rounds"]

Train = Callable[..., "Fit"]

# Of an emulator, by default; the series of an update, and steps of a window.
_NETWORK = LSTM(64)
_BATCH, _WINDOW = 64, 120


def learn_in_rounds(
    ds: xr.Dataset,
    request: Request,
    inputs: Inputs,
    loop: Loop,
    places: Places,
    train: Train,
    *,
    progress: bool,
    checkpoint: Path | None,
    log: Path | None,
) -> Fit:
    """The fit of the round that was best in the model itself.

    Parameters
    ----------
    ds : Dataset
    request : Request
        Whose gradients are those of the loop.
    inputs : Inputs
    loop : Loop
        With settings that make sense.
    places : Places
    train : callable
        Dataset and request, with a surrogate, to a fit.
    progress, checkpoint, log
        As in `xdpl.learn`; each round has a file and a folder of its own.

    Raises
    ------
    AuditError
        If the first surrogate does not answer its parameters as the model does.
    InputErrors
        Of options of the emulator that make no sense.
    """
    scoring = Scoring.of(ds, inputs, request, places)
    # Dims by name, so that a transposed dataset gives the same fit.
    weather = _weather(inputs).transpose("time", *places.learned.dims)
    options = {"network": _NETWORK, "warmup": request.warmup} | dict(loop.emulator)
    check_options(weather, inputs.model, list(inputs.targets), options, "Loop(emulator=...)")
    work = _Work(
        ds,
        request,
        inputs.model,
        loop,
        places,
        scoring,
        Runs(weather, inputs.model, list(inputs.targets)),
        train,
        progress,
        checkpoint,
        log,
    )
    with at_work(inputs.model):
        return work.all_rounds()


@dataclass
class _Work:
    ds: xr.Dataset
    request: Request
    model: Model
    loop: Loop
    places: Places
    scoring: Scoring
    runs: Runs
    train: Train
    progress: bool
    checkpoint: Path | None
    log: Path | None

    def all_rounds(self) -> Fit:
        diary: Diary | None = None
        fits: list[Fit] = []
        stopped = "rounds"
        try:
            self._fill()
            for number in range(1, self.loop.rounds + 1):
                started = time.perf_counter()
                surrogate = self._emulated(number)
                audits = {"range": self._audited(surrogate, self._over_bounds(), self.places.audited)}
                if audits["range"].attrs["failures"]:
                    stopped = self._refused("range", audits["range"], last=bool(fits))
                    break
                fit = self._learned(surrogate, number)
                diary = Diary(self.model, self._uncalibrated(fit)) if diary is None else diary
                theta = self._estimate(fit)
                audits["estimate"] = self._audited(surrogate, theta, self.places.estimated)
                one = self._scored(fit, surrogate, theta, audits, started)
                # In this order: an interruption in between leaves no round without its fit.
                fits.append(fit)
                diary.rounds.append(one)
                self._say(number, diary.rounds[-1])
                final = number == self.loop.rounds
                if (number > 1 or final) and audits["estimate"].attrs["failures"]:
                    # Refitted around an estimate, or never to be, it does not know what parameters do there.
                    stopped = self._refused("estimate", audits["estimate"], last=True)
                    break
                if final:
                    break
                if number > 1 and not self._improved(diary):
                    stopped = "improved less than the tolerance"
                    break
                self._enlarge(theta, number)
        except KeyboardInterrupt:
            if diary is None or not diary.rounds:
                raise
            stopped = "interrupted"
        assert diary is not None
        return self._result(diary, fits, stopped)

    def _fill(self) -> None:
        """The first runs, over the full bounds."""
        loop = self.loop
        seed = _seed(self.request, 0)
        where = design(self.runs.weather, self.model, int(loop.draws), method=loop.method, seed=seed)
        self.runs.grow(where, self.places.trained)

    def _emulated(self, number: int) -> Surrogate:
        options = self._defaults() | dict(self.loop.emulator)
        found = emulate(
            self.runs.at(self.places.trained),
            self.model,
            self.runs.parameters,
            self.runs.simulated,
            seed=int(self.request.seed),
            progress=self.progress,
            checkpoint=_beside(self.checkpoint, f"round-{number}-emulator"),
            device=self.request.device,
            **options,
        )
        if found.fit.settings["stopped"] == "interrupted":
            raise KeyboardInterrupt
        return found

    def _defaults(self) -> dict[str, Any]:
        """Of the emulator: about as many updates however many runs there are."""
        days, request = self.runs.weather.sizes["time"], self.request
        window = min(int(request.window), _WINDOW)
        window = int(self.loop.emulator.get("window", window))
        batch = int(self.loop.emulator.get("batch", _BATCH))
        runs = int(self.places.trained.sum()) * self.runs.parameters.sizes[DRAW]
        series = max(1, runs * max(1, round(days / window)))
        return {
            "network": _NETWORK,
            "window": window,
            "warmup": int(request.warmup),
            "batch": batch,
            "learning_rate": 1e-2,
            "epochs": max(1, math.ceil(self.loop.updates * batch / series)),
        }

    def _over_bounds(self) -> xr.Dataset:
        # The same in each round, so that rounds compare; with another seed than what is trained on.
        seed, count = _seed(self.request, -1), self.loop.audit_draws
        if count is None:
            count = max(2, math.ceil(PAIRS / int(self.places.audited.sum())))
        return design(self.runs.weather, self.model, int(count), method=self.loop.method, seed=seed)

    def _audited(self, surrogate: Surrogate, parameters: xr.Dataset, where: xr.DataArray) -> xr.Dataset:
        there = parameters.isel(rows(where), missing_dims="ignore")
        found = audit(surrogate, self.runs.at(where), there, **self.loop.audit)
        self.runs.note(parameters.sizes[DRAW] * (1 + 2 * len(self.model.parameters)), where)
        return found

    def _learned(self, surrogate: Surrogate, number: int) -> Fit:
        fit = self.train(
            self.ds,
            replace(self.request, gradients=surrogate),
            progress=self.progress,
            checkpoint=_beside(self.checkpoint, f"round-{number}"),
            log=None if self.log is None else self.log / f"round-{number}",
        )
        if fit.settings["stopped"] == "interrupted":
            raise KeyboardInterrupt
        return fit

    def _estimate(self, fit: Fit) -> xr.Dataset:
        """What was learned, (draw, *site dims); a network with a history reads nothing of what is scored."""
        found = fit.parameters(self.ds, at=start(fit, self.ds, self.scoring.time))
        return _as_draws(_without_units(found))

    def _uncalibrated(self, fit: Fit) -> dict[str, float]:
        defaults = xr.Dataset({p.name: p.default for p in self.model.parameters})
        for p in self.model.parameters:
            defaults[p.name].attrs["units"] = p.units
        simulated = self.runs.run(defaults.expand_dims({DRAW: 1}), self.places.scored)
        return self.scoring.errors(fit, simulated.isel({DRAW: 0}))

    def _scored(
        self,
        fit: Fit,
        surrogate: Surrogate,
        theta: xr.Dataset,
        audits: dict[str, xr.Dataset],
        started: float,
    ) -> Round:
        where = self.places.scored | self.places.learned
        true = self.runs.run(theta, where)
        alike = surrogate.simulate(self.runs.weather.where(where), theta)
        # Where the model fails, nothing can be compared.
        failed = (where & true[next(iter(true))].isnull().any(("time", DRAW))).sum()
        model, through = (
            self.scoring.errors(fit, v.mean(DRAW, keep_attrs=True))
            for v in (true, alike.where(true.notnull()))
        )
        self.runs.add(theta, true, self.places.trained)
        return Round(
            through,
            model,
            self.scoring.of_all(model),
            audits,
            self.runs.count,
            int(failed),
            time.perf_counter() - started,
        )

    def _enlarge(self, theta: xr.Dataset, number: int) -> None:
        """Runs around what was learned, of each member some."""
        loop, members = self.loop, theta.sizes[DRAW]
        each = math.ceil(loop.more / members)
        for i in range(members):
            where = design(
                self.runs.weather,
                self.model,
                each,
                method=loop.method,
                around=theta.isel({DRAW: i}),
                spread=float(loop.spread),
                seed=_seed(self.request, number, i),
            )
            self.runs.grow(where, self.places.trained)

    def _improved(self, diary: Diary) -> bool:
        """Whether the last round is better than all before it, by more than the tolerance."""
        failed, score = min(diary.rank(i) for i in range(len(diary.rounds) - 1))
        now_failed, now = diary.rank(len(diary.rounds) - 1)
        return now_failed < failed or (now_failed == failed and now < (1.0 - self.loop.tolerance) * score)

    def _refused(self, where: str, found: xr.Dataset, *, last: bool) -> str:
        """Stop, with an error if there is nothing yet that a model has confirmed."""
        if not last:
            raise AuditError(self.model.name, where, found)
        said = AuditError.said(self.model.name, where, found)
        warnings.warn(f"{said}; the best round so far is the result", RuntimeWarning, stacklevel=2)
        return "audit"

    def _say(self, number: int, one: Round) -> None:
        if self.progress:
            tqdm.write(f"round {number}: {one}")

    def _result(self, diary: Diary, fits: list[Fit], stopped: str) -> Fit:
        best = diary.best
        self._warn(diary, best)
        found = fits[best]
        said = {
            "gradients": {"surrogate": found.settings["gradients"], "loop": self.loop.to_dict()},
            "rounds": len(diary.rounds),
            "best_round": best + 1,
            "rounds_stopped": stopped,
        }
        if stopped == "interrupted":
            # The training of this round is whole, the call is not.
            said["stopped"] = stopped
        return replace(found, history=found.history.assign(diary.history()), settings=found.settings | said)

    def _warn(self, diary: Diary, best: int) -> None:
        one, model = diary.rounds[best], self.model.name
        worse = [k for k, v in one.model.items() if v >= diary.uncalibrated[k]]
        if worse:
            text = f"what was learned through the surrogate is worse in {model!r} than its defaults"
            warnings.warn(f"{text}: {', '.join(worse)}", RuntimeWarning, stacklevel=2)
        if one.failed:
            text = f"with what was learned through the surrogate {model!r} fails at {one.failed} sites"
            warnings.warn(f"{text}, which no score has", RuntimeWarning, stacklevel=2)


def _without_units(ds: xr.Dataset) -> xr.Dataset:
    """Numbers, with units in attributes."""
    return ds.assign({k: units.dequantify(v) for k, v in ds.data_vars.items()})


def _weather(inputs: Inputs) -> xr.Dataset:
    """Forcings by the names and in the units of the model."""
    said = {f.name: f.units for f in inputs.model.forcings}
    found = {k: units.magnitude(f.data).assign_attrs(units=said[k]) for k, f in inputs.forcings.items()}
    return xr.Dataset(found)


def _as_draws(theta: xr.Dataset) -> xr.Dataset:
    """Parameter sets along the dim of draws: one, or those of the members."""
    if "member" not in theta.dims:
        return theta.expand_dims({DRAW: 1})
    count = theta.sizes["member"]
    theta = theta.drop_vars("member", errors="ignore").rename(member=DRAW)
    each = {k: v if DRAW in v.dims else v.expand_dims({DRAW: count}) for k, v in theta.data_vars.items()}
    return theta.assign(each)


def _beside(path: Path | None, name: str) -> Path | None:
    return None if path is None else path.with_name(f"{path.name}.{name}")


def _seed(request: Request, number: int, member: int = 0) -> int:
    """Other points in each round, the same in each call."""
    return (int(request.seed) * 1000 + number + 1) * 100 + member
