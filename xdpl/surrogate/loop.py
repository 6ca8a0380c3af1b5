"""How a surrogate is made, learned through, and made again where that led."""

from __future__ import annotations

import dataclasses
import inspect
import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xdpl.errors import Problems
from xdpl.surrogate.design import METHODS

__all__ = ["Loop"]

_COUNTS = {"draws": 2, "more": 1, "rounds": 1, "updates": 1}
_COUNTS_OR_NONE = ("sites", "audit_draws")
_ABOVE_ZERO = ("spread",)
_FRACTIONS = ("held_out", "tolerance")


@dataclass(frozen=True)
class Loop:
    """Learning through a surrogate that follows what was learned, for ``xdpl.learn(..., gradients=Loop())``.

    A network imitates the model over the full bounds; parameters are learned through it; the model
    itself is run there and scored; runs around there join the others, and the network is trained anew. It
    ends when the score of the model itself improves no more. The fit is that of the round whose
    parameters were best in the model.

    Parameters
    ----------
    draws : int
        Parameter sets of each site over the full bounds, at the start.
    more : int
        Sets of each site around what was learned, that join after each round.
    spread : float
        Their standard deviation, as in `design`.
    rounds : int
        The most there are.
    tolerance : float
        Share by which the score of the model has to improve for another round, 0 to below 1.
    sites : int, optional
        How many of the training sites the network is trained and audited on, drawn at random; all if
        not given.
    held_out : float
        Share of these that the network never sees, for the audit; 0 to below 1. At least one if there are
        several.
    audit_draws : int, optional
        Parameter sets of each held-out site at which the audit over the full range is made; if not given, so
        many that there are forty in all, and two of each at least. With few of them correlations are chance.
    method : {"sobol", "latin-hypercube"}
        As in `design`.
    updates : int
        Of each network, of 64 series each if `emulator` does not say otherwise.
    emulator : mapping
        Options of `emulate`: the network and how it is trained, checked before the first run. By default
        ``LSTM(64)``, with the warm-up of the call and windows of 120 steps at most; ``epochs`` there replace
        `updates`.
    audit : mapping
        Options of `audit`: the step, and the limits of what passes.
    """

    draws: int = 16
    more: int = 8
    spread: float = 0.1
    rounds: int = 4
    tolerance: float = 0.01
    sites: int | None = None
    held_out: float = 0.1
    audit_draws: int | None = None
    method: str = "sobol"
    updates: int = 2000
    emulator: Mapping[str, Any] = field(default_factory=dict)
    audit: Mapping[str, Any] = field(default_factory=dict)

    @property
    def runs_model(self) -> bool:
        """The model itself is run while training."""
        return True

    def to_dict(self) -> dict[str, Any]:
        """Plain values, which a fit stores."""
        return {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self)}

    def note(self, problems: Problems) -> None:
        """Note what makes no sense of these settings; options of others are for them to judge."""
        for name, lowest in _COUNTS.items():
            self._expect(name, _whole(getattr(self, name), lowest), f"a whole number from {lowest}", problems)
        for name in _COUNTS_OR_NONE:
            value = getattr(self, name)
            self._expect(name, value is None or _whole(value, 1), "a whole number from 1, or None", problems)
        for name in _ABOVE_ZERO:
            value = getattr(self, name)
            self._expect(name, _real(value) and 0 < value < math.inf, "a number above 0", problems)
        for name in _FRACTIONS:
            value = getattr(self, name)
            self._expect(name, _real(value) and 0 <= value < 1, "a number from 0 to below 1", problems)
        self._expect("method", self.method in METHODS, f"one of {', '.join(METHODS)}", problems)
        for name, taken in (("emulator", _OF_THE_LOOP), ("audit", _OF_THE_AUDIT)):
            given = getattr(self, name)
            said = f"a mapping of options, without {', '.join(sorted(taken))}"
            self._expect(name, isinstance(given, Mapping) and not taken & set(given), said, problems)
        self._note_options(problems)

    def _note_options(self, problems: Problems) -> None:
        from xdpl.learn import learn
        from xdpl.surrogate.audit import check_limits
        from xdpl.surrogate.emulate import emulate

        known = {
            "emulator": {*_keywords(learn), *_keywords(emulate)} - {"target", "attributes", "options"},
            "audit": set(_keywords(check_limits)),
        }
        for name, names in known.items():
            given = getattr(self, name)
            for unknown in set(given) - names if isinstance(given, Mapping) else ():
                fix = "leave it out"
                problems.add(f"Loop.{name}", expected="names of options", got=repr(unknown), fix=fix)
        if isinstance(self.audit, Mapping):
            check_limits(problems, **{k: v for k, v in self.audit.items() if k in known["audit"]})

    def _expect(self, name: str, sound: bool, expected: str, problems: Problems) -> None:
        if not sound:
            default = {f.name: f.default for f in dataclasses.fields(self)}[name]
            fix = f"leave {name} out" if default is dataclasses.MISSING else f"Loop({name}={default!r})"
            problems.add(f"Loop.{name}", expected=expected, got=repr(getattr(self, name)), fix=fix)


# What the loop itself decides.
_OF_THE_LOOP = {
    "checkpoint",
    "device",
    "engine",
    "forcings",
    "gradients",
    "groups",
    "log",
    "outputs",
    "progress",
    "seed",
    "sites",
}
_OF_THE_AUDIT = {"forcings", "time"}


def _keywords(function: Any) -> list[str]:
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]


def _whole(value: Any, lowest: int) -> bool:
    return not isinstance(value, bool) and isinstance(value, numbers.Integral) and int(value) >= lowest


def _real(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, numbers.Real)


def _plain(value: Any) -> Any:
    """What JSON knows; of what has no plain form, its text."""
    if value is None or isinstance(value, bool | str):
        return value
    if hasattr(value, "to_dict") and not isinstance(value, type):
        return value.to_dict()
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, slice):
        return [_plain(value.start), _plain(value.stop)]
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else str(value)
