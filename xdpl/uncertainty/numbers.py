"""Checks of numbers that several calls share."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from typing import Any

from xdpl.errors import Problems, short

__all__ = ["check_error", "check_level", "check_quantiles", "check_samples"]


def check_samples(samples: Any, problems: Problems, subject: str = "samples") -> None:
    """Note what is no number of samples, 2 or more."""
    if not isinstance(samples, int) or isinstance(samples, bool) or samples < 2:
        problems.add(subject, expected="an integer, 2 or more", got=short(samples), fix=f"{subject}=100")


def check_level(level: Any, problems: Problems) -> None:
    """Note what is no fraction between 0 and 1."""
    real = isinstance(level, numbers.Real) and not isinstance(level, bool)
    if not (real and 0.0 < float(level) < 1.0):
        problems.add("level", expected="a number between 0 and 1", got=short(level), fix="level=0.9")


def check_quantiles(quantiles: Any, problems: Problems) -> list[float]:
    """Rising quantiles between 0 and 1; notes what is none."""
    listed = list(quantiles) if isinstance(quantiles, Sequence) and not isinstance(quantiles, str) else []
    real = all(isinstance(q, numbers.Real) and 0.0 < float(q) < 1.0 for q in listed)
    if not listed or not real or sorted(set(listed)) != listed:
        problems.add(
            "quantiles",
            expected="rising numbers between 0 and 1",
            got=short(quantiles),
            fix="quantiles=(0.05, 0.5, 0.95)",
        )
        return [0.5]
    return [float(q) for q in listed]


def check_error(
    error: float | Mapping[str, float] | None, targets: Sequence[str], problems: Problems
) -> dict[str, float]:
    """Observation error of each target that is given; notes what is none."""
    if error is None:
        return {}
    given: Mapping[str, Any] = error if isinstance(error, Mapping) else dict.fromkeys(targets, error)
    for name, value in given.items():
        good = isinstance(value, numbers.Real) and math.isfinite(float(value)) and float(value) > 0.0
        if name not in targets or not good:
            problems.add(
                "observation_error",
                expected=f"a standard deviation above zero, of {', '.join(targets)}",
                got=f"{short(value)} of {name}",
                fix="leave it out: it is then estimated from residuals",
            )
    return {k: float(v) for k, v in given.items() if k in targets and isinstance(v, numbers.Real)}
