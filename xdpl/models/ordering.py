"""Parameters that keep an order at every site, by construction."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from array_api_compat import array_namespace

from xdpl.models.base import Parameter

if TYPE_CHECKING:
    from xdpl.errors import Problems
    from xdpl.models.base import Model

__all__ = ["Ordering"]

Array = Any


@dataclass(frozen=True)
class Ordering:
    """Maps parameters that are only within their bounds to such that keep an order too.

    A parameter keeps its place between its bounds, as a share of their distance on its linear or
    logarithmic scale; where a smaller one leaves less room below, or a larger one above, it is
    that share of the room that is left. So every order that the bounds allow can be reached, and
    gradients go to all parameters of a chain.

    Parameters
    ----------
    chains : tuple of tuple of Parameter
        Each from the smallest to the largest. A parameter may be in several.
    """

    chains: tuple[tuple[Parameter, ...], ...] = ()

    @classmethod
    def of(cls, model: Model, given: Sequence[Sequence[str]], problems: Problems) -> Ordering:
        """The order of a model's parameters, by name; what is wrong with it is noted."""
        known = {p.name: p for p in model.parameters}
        chains: list[Any] = [given] if given and all(isinstance(name, str) for name in given) else [*given]
        sound = []
        for chain in chains:
            wrong = _wrong(chain, known)
            for expected, got in wrong:
                problems.add("order", expected=expected, got=got, fix='order=[("<smaller>", "<larger>")]')
            if not wrong:
                sound.append(tuple(known[name] for name in chain))
        found = cls(tuple(sound))
        if sound and len(found.sequence) < len({p.name for chain in sound for p in chain}):
            got = ", ".join(" <= ".join(p.name for p in chain) for chain in sound)
            problems.add("order", expected="chains without a circle", got=got, fix="turn one of them round")
            return cls()
        return found

    def __bool__(self) -> bool:
        """Whether anything has to keep an order."""
        return bool(self.chains)

    @property
    def names(self) -> list[list[str]]:
        """The chains as plain values."""
        return [[p.name for p in chain] for chain in self.chains]

    @cached_property
    def sequence(self) -> tuple[Parameter, ...]:
        """All parameters with an order, each after those that are smaller; fewer if there is a circle."""
        waiting = list(dict.fromkeys(p for chain in self.chains for p in chain))
        done: list[Parameter] = []
        while ready := [p for p in waiting if all(q in done for q, r in self._pairs() if r == p)]:
            done += ready
            waiting = [p for p in waiting if p not in ready]
        return tuple(done)

    def apply(self, values: Mapping[str, Array]) -> dict[str, Array]:
        """Parameters in their order.

        Parameters
        ----------
        values : mapping of str to array
            In declared units and within bounds; shapes that broadcast.

        Returns
        -------
        dict of str to array
            The same names; those without an order are untouched.
        """
        found = dict(values)
        for p in self.sequence:
            least, most = self._room(p, found)
            xp = array_namespace(found[p.name])
            value = _unscaled(xp, p, least + _share(xp, p, found[p.name]) * (most - least))
            # Rounding must not break the order, nor leave the bounds.
            for q in self._smaller(p):
                value = xp.maximum(value, found[q.name])
            found[p.name] = xp.clip(value, p.lower, self._highest(p))
        return found

    def invert(self, values: Mapping[str, Array]) -> dict[str, Array]:
        """What `apply` makes these ordered parameters of; where there is no room, half way between bounds."""
        found = dict(values)
        for p in self.sequence:
            least, most = self._room(p, values)
            xp = array_namespace(values[p.name])
            room = most - least
            free = room > 0
            share = (_scaled(xp, p, values[p.name]) - least) / xp.where(free, room, xp.ones_like(room))
            share = xp.clip(xp.where(free, share, 0.5 * xp.ones_like(share)), 0.0, 1.0)
            lower, upper = _ends(p)
            found[p.name] = xp.clip(_unscaled(xp, p, lower + share * (upper - lower)), p.lower, p.upper)
        return found

    def broken(self, values: Mapping[str, Array]) -> list[tuple[Parameter, Parameter]]:
        """Pairs (smaller, larger) whose values are the other way round somewhere."""
        there = [(q, p) for q, p in self._pairs() if q.name in values and p.name in values]
        return [(q, p) for q, p in there if bool((values[q.name] > values[p.name]).any())]

    def _room(self, p: Parameter, values: Mapping[str, Array]) -> tuple[Array, Array]:
        """Where a parameter may lie, on its scale, given the smaller ones."""
        here = values[p.name]
        xp = array_namespace(here)
        least = xp.ones_like(here) * _ends(p)[0]
        for q in self._smaller(p):
            # Below its own bound nothing is gained by a smaller one.
            least = xp.maximum(least, _scaled(xp, p, xp.clip(values[q.name], p.lower, p.upper)))
        most = _place(p, self._highest(p))
        return least, xp.maximum(least, xp.ones_like(least) * most)

    def _highest(self, p: Parameter) -> float:
        """The least upper bound of a parameter and all that are larger."""
        above = [r for q, r in self._pairs() if q == p]
        return min([p.upper, *(self._highest(r) for r in above)])

    def _smaller(self, p: Parameter) -> list[Parameter]:
        return [q for q, r in self._pairs() if r == p]

    def _pairs(self) -> Iterator[tuple[Parameter, Parameter]]:
        for chain in self.chains:
            yield from pairwise(chain)


def _wrong(chain: Any, known: Mapping[str, Parameter]) -> list[tuple[str, str]]:
    """What is wrong with one chain, as (expected, got)."""
    if isinstance(chain, str) or not isinstance(chain, Sequence) or len(chain) < 2:
        return [("chains of two or more parameters, from the smallest to the largest", repr(chain))]
    missing = [name for name in chain if name not in known]
    if missing:
        return [(f"parameters of the model: {', '.join(known)}", ", ".join(map(repr, missing)))]
    if len(set(chain)) < len(chain):
        return [("each parameter once in a chain", ", ".join(chain))]
    wrong = []
    for smaller, larger in pairwise(chain):
        p, q = known[smaller], known[larger]
        if p.units != q.units:
            wrong.append((f"{larger} in the units of {smaller}, {p.units}", q.units))
        elif p.default >= q.default:
            # A fresh network gives the defaults, and begins between what is smaller and what is larger.
            wrong.append((f"a default of {larger} above that of {smaller}, {p.default:g}", f"{q.default:g}"))
    return wrong


def _ends(p: Parameter) -> tuple[float, float]:
    return _place(p, p.lower), _place(p, p.upper)


def _place(p: Parameter, value: float) -> float:
    return math.log(value) if p.scale == "log" else value


def _scaled(xp: Any, p: Parameter, value: Array) -> Array:
    return xp.log(value) if p.scale == "log" else value


def _unscaled(xp: Any, p: Parameter, value: Array) -> Array:
    return xp.exp(value) if p.scale == "log" else value


def _share(xp: Any, p: Parameter, value: Array) -> Array:
    lower, upper = _ends(p)
    return (_scaled(xp, p, value) - lower) / (upper - lower)
