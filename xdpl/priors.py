"""What is known of parameters before anything is observed, as penalties while learning."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from xdpl.models import Model

__all__ = ["LogNormal", "Normal", "Prior", "around_defaults"]


@dataclass(frozen=True)
class Prior:
    """A parameter near a value that is known, such as from the texture of the soil.

    Parameters
    ----------
    mean : float or str
        Expected value in the units of the parameter, or a static variable of the dataset with units.
        Where that is NaN nothing is known.
    sd : float or str
        How far off it may be: one standard deviation, or a variable with them.
    weight : float
        Strength. The square of the departure in standard deviations, averaged over sites, members and
        days, counts so much beside the loss; for losses in units of the target, times its typical
        standard deviation.

    Raises
    ------
    ValueError
        If `sd` or `weight` is not a finite number above 0, or `mean` not a finite one.

    Notes
    -----
    There is no weight that is right for every loss: of a likelihood it would be known, and most losses
    are none. With the loss ``"nrmse"``, a share r of the variance that is left, and n observations
    of a site that are independent of each other, a normal prior has a weight of about r / n.
    """

    mean: float | str
    sd: float | str
    weight: float = 0.01

    #: Whether departures are of logarithms.
    logarithmic: ClassVar[bool] = False
    kind: ClassVar[str]

    def __post_init__(self) -> None:
        for name, least in (("mean", -math.inf), ("sd", 0.0), ("weight", 0.0)):
            value: Any = getattr(self, name)
            if isinstance(value, str) and name != "weight":
                continue
            number = isinstance(value, Real) and not isinstance(value, bool)
            if not number or not math.isfinite(value) or not value > least:
                wanted = "a finite number" if name == "mean" else "a finite number above 0"
                also = "" if name == "weight" else " or the name of a variable"
                msg = f"{name} must be {wanted}{also}, got {value!r}"
                raise ValueError(msg)
            object.__setattr__(self, name, float(value))

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables it reads."""
        return tuple(v for v in (self.mean, self.sd) if isinstance(v, str))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, such as ``{"kind": "normal", "mean": "texture", "sd": 0.05, "weight": 0.01}``."""
        return {"kind": self.kind} | {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}


@dataclass(frozen=True)
class Normal(Prior):
    """Departures of the parameter itself, with `sd` in its units; see `Prior`."""

    kind: ClassVar[str] = "normal"


@dataclass(frozen=True)
class LogNormal(Prior):
    """Departures of its natural logarithm, with `sd` without units: 0.7 is a factor of two; see `Prior`."""

    kind: ClassVar[str] = "log_normal"
    logarithmic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.mean, str) and not self.mean > 0:
            msg = f"mean must be above 0, of which there is a logarithm, got {self.mean!r}"
            raise ValueError(msg)


def around_defaults(model: str | Model, *, sd: float = 0.25, weight: float = 0.01) -> dict[str, Prior]:
    """Weak priors for all parameters of a model: near its defaults, unless observations say otherwise.

    What observations do not tell then stays where it is plausible, and not at a bound.

    Parameters
    ----------
    model : str or Model
    sd : float
        Standard deviation as a share of the distance of the bounds; of their logarithms, for a
        parameter with a logarithmic scale.
    weight : float
        As of `Prior`.

    Returns
    -------
    dict of str to Prior

    Raises
    ------
    InputErrors
        If there is no such model.
    ValueError
        If `sd` or `weight` is not a finite number above 0.

    Examples
    --------
    >>> import xdpl
    >>> priors = xdpl.priors.around_defaults("vic") | {"porosity": xdpl.priors.Normal(0.45, sd=0.05)}
    """
    from xdpl import models

    found: dict[str, Prior] = {}
    for p in models.get(model, "around_defaults").parameters:
        if p.scale == "log":
            found[p.name] = LogNormal(p.default, sd * math.log(p.upper / p.lower), weight)
        else:
            found[p.name] = Normal(p.default, sd * (p.upper - p.lower), weight)
    return found
