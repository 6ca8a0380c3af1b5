"""Changes of forcings: which, by how much, and the units of a response to them."""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import xarray as xr

from xdpl.errors import short

if TYPE_CHECKING:
    from xdpl.errors import Problems
    from xdpl.models import Model

__all__ = ["Change", "Changes", "changes_of"]

Changes = Mapping[str, float | Sequence[float]]

_FACTOR = re.compile(r"([A-Za-z_%°]+)(-?\d+)?")


@dataclass(frozen=True)
class Change:
    """Steps by which a forcing changes.

    Parameters
    ----------
    forcing : str
    units : str
        Of the forcing.
    steps : tuple of float
        Shares of the forcing, or what is added to it.
    relative : bool
        Which of both.
    """

    forcing: str
    units: str
    steps: tuple[float, ...]
    relative: bool

    def applied(self, ds: xr.Dataset, variable: str, step: float) -> xr.Dataset:
        """A dataset with one variable changed by a step."""
        array = ds[variable]
        changed = array * (1.0 + step) if self.relative else array + step
        return ds.assign({variable: changed.astype(array.dtype).assign_attrs(array.attrs)})

    @property
    def attrs(self) -> dict[str, str]:
        """Of a coordinate of the steps."""
        what = "as a share of it" if self.relative else "added to it"
        said = "1" if self.relative else "K" if self.units in ("degC", "K") else self.units
        return {"units": said, "long_name": f"change of {self.forcing}, {what}"}

    @property
    def measure(self) -> str:
        """What a response is called."""
        return "elasticity" if self.relative else "relative sensitivity"

    @property
    def response_units(self) -> str:
        """Inverse of the units of the steps."""
        given = self.attrs["units"]
        if given == "1":
            return "1"
        powers = {name: -int(power or 1) for name, power in _FACTOR.findall(given)}
        return " ".join(name if power == 1 else f"{name}{power}" for name, power in powers.items())


def changes_of(
    model: Model, relative: Changes | None, absolute: Changes | None, problems: Problems
) -> list[Change]:
    """Changes as `xdpl.evaluation.perturbation_response` takes them; notes what is wrong with them."""
    known = {f.name: f.units for f in model.forcings}
    given = {"relative": dict(relative or {}), "absolute": dict(absolute or {})}
    if not any(given.values()):
        fix = 'relative={"precipitation": (-0.1, 0.1)}'
        problems.add("relative", expected="a forcing that changes, or one in absolute", got="none", fix=fix)
    for name in sorted(set(given["relative"]) & set(given["absolute"])):
        problems.add(name, expected="one kind of change", got="both", fix="two calls")
    found = []
    for argument, asked in given.items():
        for name, steps in asked.items():
            if name not in known:
                problems.add(
                    f"{argument}[{name!r}]",
                    expected=f"a forcing of {model.name!r}: {', '.join(known)}",
                    got="another name",
                    fix="name the forcing of the model, and its variable in forcings=",
                )
                continue
            listed = _steps(steps, argument, name, problems)
            found.append(Change(name, known[name], listed, argument == "relative"))
    return found


def _steps(steps: Any, argument: str, name: str, problems: Problems) -> tuple[float, ...]:
    listed: list[Any] = [steps] if isinstance(steps, numbers.Real) else list(steps) if _listing(steps) else []
    lowest = -1.0 if argument == "relative" else -math.inf
    good = all(
        isinstance(s, numbers.Real) and math.isfinite(s) and s != 0.0 and float(s) >= lowest for s in listed
    )
    if not listed or not good or len(set(listed)) < len(listed):
        problems.add(
            f"{argument}[{name!r}]",
            expected="different numbers but 0" + (", -1 or more" if argument == "relative" else ""),
            got=short(steps),
            fix="-0.1, 0.1" if argument == "relative" else "3.0",
        )
        return (1.0,)
    return tuple(float(s) for s in listed)


def _listing(steps: Any) -> bool:
    return isinstance(steps, Sequence) and not isinstance(steps, str)
