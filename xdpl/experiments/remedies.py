"""What is learned with in the experiment on biased observations: operators, and knowledge from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr

from xdpl.experiments.case import Case
from xdpl.observation import Anomaly, Identity, Operator, SiteAffine
from xdpl.priors import Normal, Prior

__all__ = ["UNBIASED", "Applied", "Remedy", "expected", "remedies"]

#: What is learned from observations without bias, where there are some.
UNBIASED = "unbiased"


@dataclass(frozen=True)
class Remedy:
    """One way of learning from biased observations.

    Parameters
    ----------
    operator : Operator
    trusted : int
        Sites with observations that have no bias, drawn at random; all of them if negative.
    priors : mapping of str to Prior
    alone : bool
        Whether the other sites take no part.
    """

    operator: Operator
    trusted: int = 0
    priors: Mapping[str, Prior] = field(default_factory=dict)
    alone: bool = False

    def key(self) -> dict[str, str]:
        """What it is, for names of files."""
        said = {k: v for k, v in self.operator.to_dict().items() if isinstance(v, str | float)}
        found = {"operator": "-".join(f"{k}={v}" for k, v in said.items())}
        if self.trusted > 0:
            found["trusted"] = f"{self.trusted}-{'alone' if self.alone else 'half'}"
        if self.priors:
            found["priors"] = "-".join(f"{k}={p.mean}={p.sd}={p.weight}" for k, p in self.priors.items())
        return found

    def apply(self, case: Case, truth: str | None, seed: int) -> Applied:
        """What is learned from, and where it is scored."""
        ds, sites = case.data, case.usable()
        options: dict[str, Any] = {"observation": self.operator}
        if self.priors:
            options["priors"] = self.priors
        if truth is None or not self.trusted:
            return Applied(ds, options, sites, sites)
        if self.trusted < 0:
            return Applied(ds.assign({case.target: ds[truth]}), options, sites, sites)
        trusted = _drawn(sites, self.trusted, seed).reset_coords(drop=True)
        target = ds[case.target]
        mixed = ds[truth].where(trusted, target).transpose(*target.dims)
        ds = ds.assign({case.target: mixed.drop_attrs(deep=False).assign_attrs(target.attrs)})
        if self.alone:
            return Applied(ds, options, trusted, sites & ~trusted)
        if isinstance(self.operator, SiteAffine):
            options["observation"] = replace(self.operator, trusted=trusted)
        # Few among many would hardly count.
        options |= {"objective": "stratified", "groups": trusted.astype(int)}
        return Applied(ds, options, sites, sites & ~trusted)


@dataclass(frozen=True)
class Applied:
    """What a remedy makes of a case.

    Parameters
    ----------
    ds : Dataset
        With trusted observations.
    options : dict
        Of `learn`: an operator that knows of them, and an objective in which they count half.
    trained, scored : DataArray of bool
        Sites. Trusted ones are not scored: what is asked is what they do for the others.
    """

    ds: xr.Dataset
    options: dict[str, Any]
    trained: xr.DataArray
    scored: xr.DataArray


def remedies(
    operators: Mapping[str, Operator],
    truth: str | None,
    trusted: Sequence[int],
    priors: Mapping[str, Prior],
) -> dict[str, Remedy]:
    """By name, in the order of tables: the operators, then what knows something from elsewhere."""
    free = SiteAffine(penalty=0.0)
    found = {UNBIASED: Remedy(Identity(), -1)} if truth is not None else {}
    found |= {name: Remedy(operator) for name, operator in operators.items()}
    if priors:
        found |= {"free, prior": Remedy(free, 0, priors), "anomaly, prior": Remedy(Anomaly(), 0, priors)}
    if truth is not None:
        found |= {f"free, {n} trusted": Remedy(free, n) for n in trusted}
        found |= {f"{n} trusted alone": Remedy(Identity(), n, alone=True) for n in trusted}
        if priors and trusted:
            found[f"free, prior, {min(trusted)} trusted"] = Remedy(free, min(trusted), priors)
    return found


def expected(case: Case) -> dict[str, Prior]:
    """Priors that a case has: variables ``expected_<parameter>`` with ``expected_<parameter>_sd``."""
    names = [p.name for p in case.process.parameters]
    there = [n for n in names if {f"expected_{n}", f"expected_{n}_sd"} <= {*map(str, case.data.data_vars)}]
    return {n: Normal(f"expected_{n}", f"expected_{n}_sd") for n in there}


def _drawn(sites: xr.DataArray, count: int, seed: int) -> xr.DataArray:
    """Some of the sites, at random."""
    whole = np.flatnonzero(sites.values)
    mask = np.zeros(sites.size, bool)
    mask[np.random.default_rng([seed, 11]).choice(whole, count, replace=False)] = True
    return sites.copy(data=mask.reshape(sites.shape))
