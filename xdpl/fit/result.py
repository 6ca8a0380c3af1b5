"""The result of learning: a network that gives parameters, and all that belongs to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.errors import Problems
from xdpl.fit import report
from xdpl.fit.predict import Prediction
from xdpl.labelled import schema
from xdpl.labelled.attrs import provenance, variable_attrs
from xdpl.labelled.floats import as_type
from xdpl.labelled.tree import method_over_nodes
from xdpl.models import Model
from xdpl.networks.bounded import ParameterNetwork
from xdpl.networks.spec import MLP
from xdpl.simulate import simulate

if TYPE_CHECKING:
    from xdpl.plot import FitPlot

__all__ = ["Fit"]


@dataclass(frozen=True, repr=False)
class Fit:
    """A trained network with its model, statistics, settings and history.

    Made by `xdpl.learn` or `xdpl.load`.

    Parameters
    ----------
    model : Model
    network_spec : MLP
    network : ParameterNetwork
    attributes : dict of str to str or None
        Names of the attributes and the units they had in training.
    mean, std : ndarray, (attribute,)
        Of the training sites, for normalisation.
    forcings : dict of str to str
        Which variable was which forcing.
    history : Dataset
        Over dim `epoch`: loss, validation_loss, learning_rate, gradient_norm, seconds.
    settings : dict
        How it was trained, as plain values.
    """

    model: Model
    network_spec: MLP
    network: ParameterNetwork
    attributes: dict[str, str | None]
    mean: np.ndarray
    std: np.ndarray
    forcings: dict[str, str]
    history: xr.Dataset
    settings: dict[str, Any]

    @method_over_nodes(lambda fit, ds: [k for k in fit.attributes if k in ds])
    def parameters(self, ds: xr.Dataset) -> xr.Dataset:
        """Parameters of the sites of a dataset, seen in training or not.

        Parameters
        ----------
        ds : Dataset or DataTree
            With the attributes of the fit, on any dimensions. Of a tree, the nodes that
            have attributes.

        Returns
        -------
        Dataset
            One variable per parameter with units, bounds and long name; NaN where
            all attributes are NaN. Lazy where `ds` is, the same in blocks of any
            size, on the GPU where its arrays are, quantified if an attribute is.

        Raises
        ------
        InputErrors
            If attributes are missing, have a time dimension or other units, or
            some but not all of them are NaN at a site.
        """
        problems = Problems("Fit.parameters")
        site_dims = tuple(str(d) for d in ds.dims if d != "time")
        found = schema.static(ds, list(self.attributes), site_dims, "an attribute", problems)
        arrays = [self._in_training_units(array, problems) for array in found.values()]
        problems.raise_if_any()
        results = xr.apply_ufunc(
            Prediction(self.network, tuple(self.attributes), self.mean, self.std),
            *arrays,
            output_core_dims=[[]] * len(self.model.parameters),
            dask="parallelized",
            output_dtypes=[np.float32] * len(self.model.parameters),
            keep_attrs=False,
        )
        results = results if isinstance(results, tuple) else (results,)
        out = xr.Dataset(dict(zip(self.network.names, results, strict=True)))
        for parameter in self.model.parameters:
            out[parameter.name].attrs = variable_attrs(parameter)
        for name in out.coords:
            out[name].attrs = dict(ds[name].attrs)
        learned = {"attributes": json.dumps(list(self.attributes)), "training": json.dumps(self.settings)}
        title = f"{self.model.name} parameters learned from attributes"
        out.attrs = provenance(title, self.model, history=ds.attrs.get("history")) | learned
        out = out.drop_encoding()
        return units.quantify_like(out, *found.values())

    @method_over_nodes(lambda fit, ds, **_: schema.present(ds, fit.model, forcings=fit.forcings_in(ds)))
    def simulate(self, ds: xr.Dataset, **options: Any) -> xr.Dataset:
        """Run the model with the learned parameters.

        Parameters
        ----------
        ds : Dataset or DataTree
            With the forcings, under the names of the training or those of the model, and
            the attributes of the fit.
        **options
            Those of `xdpl.simulate`, such as `outputs`, `initial` or `return_states`.

        Returns
        -------
        Dataset, or a pair of them with `return_states`
            As `xdpl.simulate` returns.

        Raises
        ------
        InputErrors
            As `Fit.parameters` and `xdpl.simulate`.
        """
        options = {"forcings": self.forcings_in(ds)} | options
        return simulate(ds, self.model, self.parameters(ds), **options)

    @method_over_nodes(
        lambda fit, ds, target=None, **_: {target or fit.settings["target_variable"]} & {*ds.data_vars}
    )
    def evaluate(
        self,
        ds: xr.Dataset,
        *,
        time: slice | None = None,
        target: str | None = None,
        forcings: Mapping[str, str] | None = None,
    ) -> xr.Dataset:
        """Score the simulated against the observed target.

        Parameters
        ----------
        ds : Dataset or DataTree
            With forcings, attributes and the target; of a tree, the nodes that have the
            target. The whole record is run, so
            that what comes before `time` warms the states up.
        time : slice, optional
            Period that is scored, by dates.
        target : str, optional
            Observed variable, if it has another name than in training.
        forcings : mapping of str to str, optional
            As in `xdpl.simulate`.

        Returns
        -------
        Dataset
            Metrics per site, pooled ones as `pooled_*`, and, where the model has
            precipitation and potential evapotranspiration, `worst_*` of the terciles
            of dryness; these are NaN where there are too few sites for three. In
            units of the target (of a target in m3 s-1, those of its depth),
            quantified if it is. Lazy where `ds` is.

        Raises
        ------
        InputErrors
            If something is missing or has wrong units.
        """
        from xdpl.fit.scoring import evaluate

        return evaluate(self, ds, time=time, target=target, forcings=forcings)

    @property
    def plot(self) -> FitPlot:
        """Pictures: `plot.history()`, `plot.parameters(ds)`, `plot.series(ds, site)`, `plot.scatter(ds)`."""
        from xdpl.plot import FitPlot

        return FitPlot(self)

    def save(self, path: str | Path) -> None:
        """Write the fit as a zarr store; `xdpl.load` reads it back and runs no code from it.

        Raises
        ------
        InputErrors
            If something exists at `path`.
        """
        from xdpl.fit import storage

        storage.save(self, Path(path))

    def forcings_in(self, ds: xr.Dataset) -> dict[str, str] | None:
        """The mapping of the training, as far as the dataset has those variables."""
        mapping = {k: v for k, v in self.forcings.items() if v in ds.variables}
        return mapping or None

    def _in_training_units(self, array: xr.DataArray, problems: Problems) -> xr.DataArray:
        name = str(array.name)
        trained, here = self.attributes[name], units.read(array)
        plain = as_type(units.magnitude(array), np.dtype(np.float64))
        if trained == here:
            return plain
        if trained is None or here is None:
            problems.add(
                name,
                expected="no units, as in the training" if trained is None else f"units as {trained!r}",
                got=repr(here) if here else "no units attribute",
                fix=f'del ds["{name}"].attrs["units"], once the values are in those of the training'
                if trained is None
                else f'ds["{name}"].attrs["units"] = "<its units>"',
            )
            return plain
        try:
            slope, offset = units.linear(here, trained)
        except units.UnitsError as error:
            problems.add(
                name,
                expected=f"units {trained!r}, those of the training",
                got=f"{here!r} ({error})",
                fix=f'convert ds["{name}"] first',
            )
            return plain
        return plain * slope + offset

    def __repr__(self) -> str:
        return report.text(self)

    def _repr_html_(self) -> str:
        return report.html(self)
