"""Fits that differ by their seed, as one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr

from xdpl import units
from xdpl.errors import Problems
from xdpl.fit import repr as shown
from xdpl.fit.result import Fit
from xdpl.fit.source import has_attributes, has_forcings, has_target
from xdpl.labelled.host import on_host
from xdpl.labelled.tree import method_over_nodes

__all__ = ["Ensemble"]

_CUT_SHORT = ("interrupted", "diverged")


@dataclass(frozen=True, repr=False)
class Ensemble:
    """Fits of several seeds: everything along a dim `seed`.

    Made by `xdpl.learn` with several seeds, or by `xdpl.load`.

    Parameters
    ----------
    fits : tuple of Fit
    """

    fits: tuple[Fit, ...]

    @property
    def seeds(self) -> list[int]:
        """Seeds of the fits."""
        return [fit.settings["seed"] for fit in self.fits]

    @property
    def history(self) -> xr.Dataset:
        """Histories along `seed`; NaN after the last epoch of a fit that stopped earlier."""
        return self._along(lambda fit: fit.history, join="outer")

    @property
    def observation(self) -> xr.Dataset:
        """What observation operators learned, along `seed`; as `Fit.observation`."""
        return self._along(lambda fit: fit.observation)

    @method_over_nodes(lambda ensemble, ds, **_: has_attributes(ensemble.fits[0], ds))
    def parameters(self, ds: xr.Dataset, *, at: Any = None) -> xr.Dataset:
        """Parameters of each fit; arguments as in `Fit.parameters`.

        Returns
        -------
        Dataset
            As of one fit, along `seed`.
        """
        return self._along(lambda fit: fit.parameters(ds, at=at))

    @method_over_nodes(lambda ensemble, ds, **_: has_forcings(ensemble.fits[0], ds))
    def simulate(self, ds: xr.Dataset, *, initial: xr.Dataset | None = None, **options: Any) -> xr.Dataset:
        """Simulations of each fit; arguments as in `Fit.simulate`.

        Parameters
        ----------
        ds : Dataset or DataTree
        initial : Dataset, optional
            States to start from; along `seed`, if they are those of an ensemble.
        **options
            As in `Fit.simulate`.

        Returns
        -------
        Dataset, or a pair of them with `return_states`
            As of one fit, along `seed`. Its mean over `seed` is the ensemble's best guess.

        Raises
        ------
        InputErrors
            As `Fit.simulate`; if `initial` lacks a seed.
        """
        if initial is None:
            return self._along(lambda fit: fit.simulate(ds, **options))
        own = self._own(initial)
        return self._along(lambda fit: fit.simulate(ds, initial=own[fit.settings["seed"]], **options))

    @method_over_nodes(lambda ensemble, ds, **options: has_target(ensemble.fits[0], ds, **options))
    def evaluate(
        self,
        ds: xr.Dataset,
        *,
        time: slice | None = None,
        target: str | Mapping[str, str] | None = None,
        forcings: Mapping[str, str] | None = None,
        mean: bool = False,
        operator: bool = False,
    ) -> xr.Dataset:
        """Scores of each fit, or of the mean of their simulations.

        Parameters
        ----------
        ds, time, target, forcings
            As in `Fit.evaluate`.
        mean : bool
            Score the mean of the simulations instead of each.
        operator : bool
            As in `Fit.evaluate`; not together with `mean`, since every fit has its own.

        Returns
        -------
        Dataset
            As of one fit, along `seed` unless `mean`.

        Raises
        ------
        InputErrors
            As `Fit.evaluate`; if both `mean` and `operator` are wanted.
        """
        if mean and operator:
            problems = Problems("Ensemble.evaluate")
            problems.add(
                "operator",
                expected="False for the mean of simulations, since every fit has its own",
                got="True",
                fix="leave mean out, or operator",
            )
            problems.raise_all()
        if not mean:
            options: dict[str, Any] = {
                "time": time,
                "target": target,
                "forcings": forcings,
                "operator": operator,
            }
            return self._along(lambda fit: fit.evaluate(ds, **options))
        from xdpl.fit.scoring import evaluate

        run = partial(self._mean_simulation, time=time)
        scores = evaluate(self.fits[0], ds, time=time, target=target, forcings=forcings, simulate=run)
        scores.attrs["training"] = self._training()
        return scores

    def save(self, path: str | Path) -> None:
        """Write a folder with one store for each fit; `xdpl.load` reads it back.

        Raises
        ------
        InputErrors
            If something exists at `path`.
        """
        from xdpl.fit import storage

        storage.save_all(self.fits, Path(path))

    def _mean_simulation(self, ds: xr.Dataset, *, time: slice | None, **options: Any) -> xr.Dataset:
        from xdpl.fit.scoring import start

        simulated = self.simulate(ds, at=start(self.fits[0], ds, time), **options)
        arrays = {k: units.dequantify(v) for k, v in simulated.data_vars.items()}
        # On the host, where it is scored.
        means = {k: on_host(v).mean("seed", keep_attrs=False) for k, v in arrays.items()}
        return xr.Dataset({k: v.assign_attrs(arrays[k].attrs) for k, v in means.items()})

    def _own(self, states: xr.Dataset) -> dict[int, xr.Dataset]:
        """The states that each fit starts from, by seed."""
        if "seed" not in states.dims:
            return dict.fromkeys(self.seeds, states)
        known = states["seed"].values.tolist() if "seed" in states.coords else []
        if not set(self.seeds) <= set(known):
            problems = Problems("Ensemble.simulate")
            problems.add(
                "initial",
                expected=f"states of seeds {', '.join(map(str, self.seeds))}",
                got=f"those of {', '.join(map(str, known)) or 'seeds without labels'}",
                fix="give what simulate(..., return_states=True) of this ensemble returned",
            )
            problems.raise_all()
        return {seed: states.sel(seed=seed, drop=True) for seed in self.seeds}

    def _along(self, part: Callable[[Fit], Any], join: Any = "exact") -> Any:
        parts = [part(fit) for fit in self.fits]
        if isinstance(parts[0], tuple):
            return tuple(self._joined(of_all, join) for of_all in zip(*parts, strict=True))
        return self._joined(parts, join)

    def _joined(self, parts: Sequence[xr.Dataset], join: Any) -> xr.Dataset:
        out = xr.concat(
            parts,
            dim="seed",
            data_vars="all",
            coords="minimal",
            compat="override",
            join=join,
            combine_attrs="override",
        )
        # What is true of the first fit only is not said of all.
        out.attrs = {k: v for k, v in parts[0].attrs.items() if k == "history" or _shared(k, parts)}
        if "training" in parts[0].attrs:
            out.attrs["training"] = self._training()
        return out.assign_coords(seed=("seed", self.seeds, {"long_name": "seed of the fit"}))

    def _training(self) -> str:
        return json.dumps([fit.settings for fit in self.fits])

    def __repr__(self) -> str:
        return f"<xdpl.Ensemble> of {self._seeds()}; the first:\n{shown.text(self.fits[0])}"

    def _repr_html_(self) -> str:
        return f"<b>xdpl.Ensemble</b> of {self._seeds()}; the first:<br>{shown.html(self.fits[0])}"

    def _seeds(self) -> str:
        each = (fit.settings for fit in self.fits)
        named = (f"{s['seed']}" + f" ({s['stopped']})" * (s["stopped"] in _CUT_SHORT) for s in each)
        return f"seeds {', '.join(named)}"


def _shared(name: str, parts: Sequence[xr.Dataset]) -> bool:
    return all(part.attrs.get(name) == parts[0].attrs[name] for part in parts)
