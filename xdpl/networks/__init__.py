"""Networks that map attributes, forcings or their history to the parameters of a model."""

from __future__ import annotations

import difflib
from typing import Any

import torch

from xdpl.errors import Problems, short
from xdpl.networks.base import Network
from xdpl.networks.custom import Custom
from xdpl.networks.history import History
from xdpl.networks.hybrid import Hybrid
from xdpl.networks.lstm import LSTM
from xdpl.networks.mlp import MLP
from xdpl.networks.transfer import TransferFunction

__all__ = ["LSTM", "MLP", "Custom", "History", "Hybrid", "Network", "TransferFunction", "from_dict", "get"]

_NAMED: dict[str, type[Network]] = {c.kind: c for c in (History, Hybrid, LSTM, MLP, TransferFunction)}


def get(network: str | Network | torch.nn.Module, call: str = "learn") -> Network:
    """Return a network specification by name, or pass one through; a module becomes one.

    Raises
    ------
    InputErrors
        If there is no network of this name.
    """
    if isinstance(network, Network):
        return network
    if isinstance(network, torch.nn.Module):
        return Custom(network)
    if isinstance(network, str) and network in _NAMED:
        return _NAMED[network]()
    problems = Problems(call)
    close = difflib.get_close_matches(str(network), _NAMED, n=1)
    names = ", ".join(map(repr, _NAMED))
    problems.add(
        "network",
        expected=f"one of {names}, a specification such as xdpl.networks.MLP(), or a torch.nn.Module",
        got=short(network),
        fix=f"use {close[0]!r}" if close else 'network="mlp"',
    )
    problems.raise_all()


def from_dict(values: dict[str, Any]) -> Network:
    """The specification that `Network.to_dict` described.

    Raises
    ------
    ValueError
        If it needs a module that is not stored, or is no network of xdpl.
    """
    kind = values["kind"]
    if kind not in (Custom.kind, *_NAMED):
        msg = f"there is no network {kind!r} in xdpl"
        raise ValueError(msg)
    return (Custom if kind == Custom.kind else _NAMED[kind]).from_dict(values)
