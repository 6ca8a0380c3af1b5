"""Observation operators while training: what they are applied to, learn and cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from xdpl.observation import GlobalAffine, Operator, SiteAffine

__all__ = ["PENALTY", "Affine", "Given", "Level", "Observer"]

#: Among what is simulated: no output of a model has such a name.
PENALTY = "observation penalty"


@dataclass(frozen=True)
class Level:
    """Where the observations of a target lie in the training period, and how much they vary.

    Parameters
    ----------
    mean : ndarray, (site,)
        Of each site.
    training : ndarray of bool, (site,)
        Of which sites the median is taken.
    typical : float
        Median over training sites of the standard deviation.
    """

    mean: np.ndarray
    training: np.ndarray
    typical: float

    @property
    def unit(self) -> float:
        """The typical deviation, 1 where nothing varies."""
        return self.typical if self.typical > 0 else 1.0


class Affine(torch.nn.Module):
    """m + exp(α) (y - m) + β σ, of all sites or of each.

    Parameters
    ----------
    operator : GlobalAffine or SiteAffine
    level : Level
    trusted : ndarray of bool, (site,), optional
        Sites whose observations are compared as they are.
    """

    pivot: Tensor
    free: Tensor
    alpha: Tensor
    beta: Tensor

    def __init__(
        self, operator: GlobalAffine | SiteAffine, level: Level, trusted: np.ndarray | None = None
    ) -> None:
        super().__init__()
        own = operator.per_site
        self.per_site, self.rate, self.unit = own, operator.rate, level.unit
        self.penalty = operator.penalty if isinstance(operator, SiteAffine) else 0.0
        pivot = level.mean if own else np.median(level.mean[level.training], keepdims=True)
        self.register_buffer("pivot", torch.tensor(pivot, dtype=torch.float32), persistent=False)
        free = np.ones(len(pivot)) if trusted is None else ~trusted
        self.register_buffer("free", torch.tensor(free, dtype=torch.float32), persistent=False)
        self.alpha = torch.nn.Parameter(torch.zeros_like(self.pivot))
        self.beta = torch.nn.Parameter(torch.zeros_like(self.pivot))

    def forward(self, simulated: Tensor, sites: Tensor) -> Tensor:
        """What is compared, of simulated series (window, series) at some sites (series,)."""
        pivot = self._of(self.pivot, sites)
        alpha, beta = (self._of(self.free * v, sites) for v in (self.alpha, self.beta))
        return pivot + torch.exp(alpha) * (simulated - pivot) + beta * self.unit

    def cost(self, sites: Tensor) -> Tensor:
        """α² + β² (series,), times the strength."""
        alpha, beta = (self._of(self.free * v, sites) for v in (self.alpha, self.beta))
        return self.penalty * (alpha**2 + beta**2)

    def values(self) -> dict[str, np.ndarray]:
        """Scale and offset, (site,) or (1,)."""
        with torch.no_grad():
            pivot, free = self.pivot.double(), self.free.double()
            alpha, beta = (free * v.double() for v in (self.alpha, self.beta))
            scale = torch.exp(alpha)
            return {
                "scale": scale.cpu().numpy(),
                "offset": (pivot * (1 - scale) + beta * self.unit).cpu().numpy(),
            }

    def _of(self, values: Tensor, sites: Tensor) -> Tensor:
        return values[sites] if self.per_site else values


class Given(torch.nn.Module):
    """A scale and an offset that do not change.

    Parameters
    ----------
    scale, offset : ndarray, (site,)
        In the units of the model.
    """

    scale: Tensor
    offset: Tensor

    def __init__(self, scale: np.ndarray, offset: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float32), persistent=False)
        self.register_buffer("offset", torch.tensor(offset, dtype=torch.float32), persistent=False)

    def forward(self, simulated: Tensor, sites: Tensor) -> Tensor:
        """What is compared, as of `Affine`."""
        return self.scale[sites] * simulated + self.offset[sites]


class Observer(torch.nn.Module):
    """The operators of all targets; without a part for those that leave the simulated as it is.

    Parameters
    ----------
    operators : mapping of str to Operator
        Of each target.
    levels : mapping of str to Level
    given : mapping of str to pairs of ndarray, (site,)
        Scale and offset of targets with frozen ones.
    units : mapping of str to float
        What a penalty counts in the loss of each target.
    trusted : mapping of str to ndarray of bool, (site,), optional
        Sites without a scale and an offset of their own, of targets whose other sites have them.
    """

    def __init__(
        self,
        operators: Mapping[str, Operator],
        levels: Mapping[str, Level],
        given: Mapping[str, tuple[np.ndarray, np.ndarray]],
        units: Mapping[str, float],
        trusted: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        super().__init__()
        self.parts = torch.nn.ModuleDict()
        self.units = dict(units)
        for name, operator in operators.items():
            if isinstance(operator, GlobalAffine | SiteAffine):
                self.parts[name] = Affine(operator, levels[name], (trusted or {}).get(name))
            elif name in given:
                self.parts[name] = Given(*given[name])

    def forward(self, simulated: Mapping[str, Tensor], sites: Tensor) -> dict[str, Tensor]:
        """Simulated targets (window, series) as they are compared.

        While training also what each series costs, (1, series), under `PENALTY`: as a series it is
        gathered from the processes of a team as they are, and its gradients add up as theirs do.
        """
        sites = sites.to(next(iter(simulated.values())).device)
        out = {k: self.parts[k](v, sites) if k in self.parts else v for k, v in simulated.items()}
        costs = [self.units[k] * p.cost(sites) for k, p in self._affine().items() if p.penalty]
        if costs and self.training:
            out[PENALTY] = torch.stack(costs).sum(dim=0)[None, :]
        return out

    def values(self) -> dict[str, dict[str, np.ndarray]]:
        """Scale and offset of each target that has some."""
        return {k: p.values() for k, p in self._affine().items()}

    def groups(self, learning_rate: float) -> list[dict[str, object]]:
        """Groups of an optimiser: no decay, which would be another penalty."""
        return [
            {"params": [p.alpha, p.beta], "lr": p.rate * learning_rate, "weight_decay": 0.0}
            for p in self._affine().values()
        ]

    def _affine(self) -> dict[str, Affine]:
        return {k: p for k, p in self.parts.items() if isinstance(p, Affine)}
