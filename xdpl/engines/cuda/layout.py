"""The arguments of a kernel: what arrays and numbers it takes, by name and in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Arguments", "arguments"]

_SIZES = ("sites", "steps", "members", "every")


@dataclass(frozen=True)
class Arguments:
    """Names of the arguments of a kernel; a kernel takes them in the order of the fields.

    Parameters
    ----------
    integers : tuple of str
        Sizes, and strides as numbers of elements: `forcing0_time` is what a step in
        time adds to the place of the first forcing, `start0_member` what a further
        member adds.
    numbers : tuple of str
        Numbers of the dtype of the kernel.
    arrays : tuple of str
        One-dimensional arrays of that dtype.
    """

    integers: tuple[str, ...]
    numbers: tuple[str, ...]
    arrays: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.integers, *self.numbers, *self.arrays)


def arguments(counts: dict[str, int], moving: Sequence[int], *, backward: bool) -> Arguments:
    """Arguments of a kernel.

    Parameters
    ----------
    counts : dict of str to int
        How many arrays there are of each kind.
    moving : sequence of int
        Which of the parameters vary in time.
    backward : bool
    """
    arrays = [f"{kind}{k}" for kind, count in counts.items() for k in range(count)]
    strides = [f"forcing{k}_time" for k in range(counts["forcing"])]
    strides += [f"parameter{k}_time" for k in moving]
    strides += [f"parameter{k}_member" for k in range(counts["parameter"])]
    if backward:
        strides += [f"d_series{k}_{dim}" for k in range(counts["d_series"]) for dim in ("time", "member")]
        strides += [f"d_final{k}_member" for k in range(counts["d_final"])]
        return Arguments((*_SIZES, *strides), ("weight",), (*arrays, "checkpoints", "scratch"))
    strides += [f"start{k}_member" for k in range(counts["start"])]
    return Arguments((*_SIZES, "keep", *strides), (), (*arrays, "checkpoints"))
