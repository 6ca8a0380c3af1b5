"""What fits uncertainty can be told of."""

from __future__ import annotations

from typing import Any

from xdpl.errors import Problems
from xdpl.fit import Fit
from xdpl.networks.series import SeriesNetwork

__all__ = ["check_fit"]


def check_fit(fit: Any, problems: Problems, subject: str) -> bool:
    """Note what is no fit of static parameters; returns whether it is one."""
    if not isinstance(fit, Fit):
        got = f"a {type(fit).__name__}"
        problems.add(subject, expected="a Fit", got=got, fix="give what xdpl.learn returned")
        return False
    if isinstance(fit.network, SeriesNetwork):
        problems.add(
            subject,
            expected="a fit of a process model, whose parameters are uncertain",
            got="a network that predicts the target itself",
            fix="learn(..., seed=range(5)).simulate(ds), and its spread over seed",
        )
        return False
    if fit.settings["dynamic"]:
        problems.add(
            subject,
            expected="static parameters",
            got=f"dynamic ones: {', '.join(fit.settings['dynamic'])}",
            fix="learn(..., dynamic=())",
        )
        return False
    return True
