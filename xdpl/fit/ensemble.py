"""Fits that differ by their seed, as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from xdpl.fit import report
from xdpl.fit.result import Fit
from xdpl.labelled.tree import method_over_nodes

__all__ = ["Ensemble"]


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

    @method_over_nodes(lambda ensemble, ds, **_: [k for k in ensemble.fits[0].attributes if k in ds])
    def parameters(self, ds: xr.Dataset, *, at: Any = None) -> xr.Dataset:
        """Parameters of each fit; arguments as in `Fit.parameters`.

        Returns
        -------
        Dataset
            As of one fit, along `seed`.
        """
        return self._along(lambda fit: fit.parameters(ds, at=at))

    def simulate(self, ds: xr.Dataset, **options: Any) -> xr.Dataset:
        """Simulations of each fit; arguments as in `Fit.simulate`.

        Returns
        -------
        Dataset
            As of one fit, along `seed`. Its mean over `seed` is the ensemble's best guess.
        """
        return self._along(lambda fit: fit.simulate(ds, **options))

    def evaluate(
        self,
        ds: xr.Dataset,
        *,
        time: slice | None = None,
        target: str | Mapping[str, str] | None = None,
        forcings: Mapping[str, str] | None = None,
        mean: bool = False,
    ) -> xr.Dataset:
        """Scores of each fit, or of the mean of their simulations.

        Parameters
        ----------
        ds, time, target, forcings
            As in `Fit.evaluate`.
        mean : bool
            Score the mean of the simulations instead of each.

        Returns
        -------
        Dataset
            As of one fit, along `seed` unless `mean`.
        """
        if not mean:
            options: dict[str, Any] = {"time": time, "target": target, "forcings": forcings}
            return self._along(lambda fit: fit.evaluate(ds, **options))
        from xdpl.fit.scoring import evaluate

        return evaluate(
            self.fits[0], ds, time=time, target=target, forcings=forcings, simulate=self._mean_simulation
        )

    def save(self, path: str | Path) -> None:
        """Write a folder with one store for each fit; `xdpl.load` reads it back.

        Raises
        ------
        InputErrors
            If something exists at `path`.
        """
        from xdpl.fit import storage

        storage.save_all(self.fits, Path(path))

    def _mean_simulation(self, ds: xr.Dataset, **options: Any) -> xr.Dataset:
        every = self.simulate(ds, **options)
        out = every.mean("seed", keep_attrs=False)
        for name in out.variables:
            out[name].attrs = dict(every[name].attrs)
        return out

    def _along(self, part: Callable[[Fit], xr.Dataset], join: Any = "exact") -> xr.Dataset:
        parts = [part(fit) for fit in self.fits]
        out = xr.concat(
            parts,
            dim="seed",
            data_vars="all",
            coords="minimal",
            compat="override",
            join=join,
            combine_attrs="override",
        )
        return out.assign_coords(seed=("seed", self.seeds, {"long_name": "seed of the fit"}))

    def __repr__(self) -> str:
        return f"<xdpl.Ensemble> of {self._seeds()}; the first:\n{report.text(self.fits[0])}"

    def _repr_html_(self) -> str:
        return f"<b>xdpl.Ensemble</b> of {self._seeds()}; the first:<br>{report.html(self.fits[0])}"

    def _seeds(self) -> str:
        return f"seeds {', '.join(map(str, self.seeds))}"
