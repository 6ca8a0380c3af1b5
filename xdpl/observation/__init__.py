"""Observation operators: how simulated targets become what is compared with observations."""

from __future__ import annotations

import difflib
from typing import Any

from xdpl.errors import Problems, short
from xdpl.observation.affine import GlobalAffine, SiteAffine
from xdpl.observation.anomaly import Anomaly
from xdpl.observation.base import Operator
from xdpl.observation.frozen import Frozen
from xdpl.observation.identity import Identity

__all__ = ["Anomaly", "Frozen", "GlobalAffine", "Identity", "Operator", "SiteAffine", "from_dict", "get"]

_ALL: dict[str, type[Operator]] = {c.kind: c for c in (Anomaly, Frozen, GlobalAffine, Identity, SiteAffine)}
# A scale and an offset have to be given: there is nothing usual about them.
_NAMED = [kind for kind in _ALL if kind != Frozen.kind]


def get(operator: str | Operator, call: str = "learn") -> Operator:
    """Return an observation operator by name, with its usual options, or pass one through.

    Parameters
    ----------
    operator : {"anomaly", "global_affine", "identity", "site_affine"} or Operator
    call : str
        In the message.

    Raises
    ------
    InputErrors
        If there is none of this name.
    """
    problems = Problems(call)
    found = find(operator, problems)
    problems.raise_if_any()
    return found


def find(operator: Any, problems: Problems) -> Operator:
    """As `get`, with a note of what is none, in whose place the identity comes back."""
    if isinstance(operator, Operator):
        return operator
    if isinstance(operator, str) and operator in _NAMED:
        return _ALL[operator]()
    close = difflib.get_close_matches(str(operator), _NAMED, n=1)
    problems.add(
        "observation",
        expected=f"one of {', '.join(map(repr, _NAMED))}, or an operator such as"
        " xdpl.observation.Frozen(scale=0.9, offset=0.02)",
        got=short(operator),
        fix=f"use {close[0]!r}" if close else 'observation="identity"',
    )
    return Identity()


def from_dict(values: dict[str, Any]) -> Operator:
    """The operator that `Operator.to_dict` described.

    Raises
    ------
    ValueError
        If it is none of xdpl.
    """
    kind = values["kind"]
    if kind not in _ALL:
        msg = f"there is no observation operator {kind!r} in xdpl"
        raise ValueError(msg)
    return _ALL[kind].from_dict(values)
