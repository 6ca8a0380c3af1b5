"""Seeds of an experiment."""

from __future__ import annotations

from collections.abc import Sequence

from xdpl.errors import Problems

__all__ = ["check_seeds"]


def check_seeds(problems: Problems, seeds: Sequence[int]) -> None:
    """Note seeds that are none, or that are there twice."""
    if not seeds or len(set(seeds)) < len(seeds):
        problems.add(
            "seeds", expected="one or more, all different", got=repr(tuple(seeds)), fix="seeds=range(3)"
        )
