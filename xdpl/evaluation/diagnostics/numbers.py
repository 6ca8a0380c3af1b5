"""Checks of plain arguments that several diagnostics share."""

from __future__ import annotations

import math
import numbers
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xdpl.errors import Problems

__all__ = ["check_attributes", "check_between", "check_loss", "check_positive"]


def check_positive(subject: str, value: Any, problems: Problems) -> None:
    """Note a value that is no finite number above 0."""
    if not _is_number(value) or not 0.0 < float(value) < math.inf:
        problems.add(subject, expected="a number above 0", got=repr(value), fix=f"{subject}=0.02")


def check_between(
    subject: str, value: Any, low: float, high: float, usual: float, problems: Problems
) -> None:
    """Note a value that is no number above `low` and below `high`."""
    if not _is_number(value) or not low < float(value) < high:
        expected = f"a number above {low:g} and below {high:g}"
        problems.add(subject, expected=expected, got=repr(value), fix=f"{subject}={usual:g}")


def check_attributes(attributes: Any, problems: Problems) -> list[str]:
    """Names of attributes; what is no sequence of names is noted."""
    if attributes is None:
        return []
    if isinstance(attributes, str):
        return [attributes]
    try:
        return [str(name) for name in attributes]
    except TypeError:
        fix = 'attributes=["<static variable>"]'
        problems.add("attributes", expected="names of static variables", got=repr(attributes), fix=fix)
        return []


def check_loss(subject: str, value: Any, problems: Problems) -> None:
    """Note what is no name of a loss."""
    from xdpl.training.losses import LOSSES

    if value not in list(LOSSES):
        problems.add(
            subject, expected=f"one of {', '.join(LOSSES)}", got=repr(value), fix=f'{subject}="nrmse"'
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
