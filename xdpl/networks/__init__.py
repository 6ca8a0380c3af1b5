"""Networks that map attributes to the parameters of a model."""

from __future__ import annotations

import difflib

from xdpl.errors import Problems, short
from xdpl.networks.spec import MLP

__all__ = ["MLP", "get"]

_NAMED = {"mlp": MLP}


def get(network: str | MLP, call: str = "learn") -> MLP:
    """Return a network specification by name, or pass one through.

    Raises
    ------
    InputErrors
        If there is no network of this name.
    """
    if isinstance(network, MLP):
        return network
    if isinstance(network, str) and network in _NAMED:
        return _NAMED[network]()
    problems = Problems(call)
    close = difflib.get_close_matches(str(network), _NAMED, n=1)
    problems.add(
        "network",
        expected=f"one of {', '.join(map(repr, _NAMED))}, or a specification such as xdpl.networks.MLP()",
        got=short(network),
        fix=f"use {close[0]!r}" if close else 'network="mlp"',
    )
    problems.raise_all()
