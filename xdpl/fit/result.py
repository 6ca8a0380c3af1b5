"""The result of learning: a network that gives parameters, and all that belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

from xdpl.fit import repr as shown
from xdpl.fit.source import ParameterSource, has_attributes, has_forcings, has_target, simulate_with
from xdpl.labelled.tree import method_over_nodes
from xdpl.models import Model
from xdpl.networks import Network
from xdpl.networks.bounded import ParameterNetwork
from xdpl.networks.scaling import Scaling
from xdpl.networks.series import SeriesNetwork
from xdpl.observation import Operator

if TYPE_CHECKING:
    from xdpl.plot import FitPlot

__all__ = ["Fit"]


@dataclass(frozen=True, repr=False)
class Fit(ParameterSource):
    """A trained network with its model, statistics, settings and history.

    Made by `xdpl.learn` or `xdpl.load`.

    Parameters
    ----------
    model : Model
    network_spec : Network
    network : ParameterNetwork or SeriesNetwork
        The latter predicts the target itself.
    attributes : dict of str to str or None
        Names of the attributes and the units they had in training.
    scaling : Scaling
        Moments of the training sites and period, for normalisation.
    forcings : dict of str to str
        Which variable was which forcing.
    history : Dataset
        Over dim `epoch`: loss, validation_loss, learning_rate, gradient_norm, seconds.
    settings : dict
        How it was trained, as plain values.
    operators : dict of str to Operator
        How each simulated target was compared with its observations.
    observation : Dataset
        ``<target>_scale`` (1) and ``<target>_offset`` (units of the model output) of targets that have
        them, given or learned: without dims, or over the site dims of the training and NaN where
        there was no training. What is compared is scale × simulated + offset. Empty
        of other operators; attributes say for each target what it is, and ``period`` is that of the loss.
    """

    model: Model
    network_spec: Network
    network: ParameterNetwork | SeriesNetwork
    attributes: dict[str, str | None]
    scaling: Scaling
    forcings: dict[str, str]
    history: xr.Dataset
    settings: dict[str, Any]
    operators: dict[str, Operator] = field(default_factory=dict)
    observation: xr.Dataset = field(default_factory=xr.Dataset)

    @method_over_nodes(has_attributes)
    def parameters(self, ds: xr.Dataset, *, at: Any = None) -> xr.Dataset:
        """Parameters of the sites of a dataset, seen in training or not.

        Parameters
        ----------
        ds : Dataset or DataTree
            With the attributes of the fit, on any dimensions; with the forcings too, if
            the network reads them, and the observed targets, if it reads their history.
            Of a tree, the nodes that have attributes.
        at : date, optional
            Of a network with a history: what comes before this date is read, and nothing
            else; what comes before the end of the record, if not given.

        Returns
        -------
        Dataset
            One variable per parameter with units, bounds and long name; NaN where
            all attributes are NaN. With a dim `member` where members have their own,
            and `time` for dynamic parameters. Lazy where `ds` is, the same in blocks of
            any size, on the GPU where its arrays are, quantified if an attribute is.

        Raises
        ------
        InputErrors
            If attributes are missing, have a time dimension or other units, or
            some but not all of them are NaN at a site; if the network alone predicts
            the target, and there are no parameters.
        """
        from xdpl.fit.parameters import parameters

        return parameters(self, ds, at)

    @method_over_nodes(has_forcings)
    def simulate(self, ds: xr.Dataset, *, at: Any = None, **options: Any) -> xr.Dataset:
        """Run the model with the learned parameters; the mean over members, if there are some.

        The output of the model as it is: no observation operator is applied.

        Parameters
        ----------
        ds : Dataset or DataTree
            With the forcings, under the names of the training or those of the model, and
            what `Fit.parameters` needs.
        at : date, optional
            As in `Fit.parameters`.
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
        if isinstance(self.network, SeriesNetwork):
            from xdpl.fit.alone import simulate_alone

            return simulate_alone(self, ds, **({} if at is None else {"at": at}), **options)
        return simulate_with(self, ds, self.parameters(ds, at=at), **options)

    @method_over_nodes(has_target)
    def evaluate(
        self,
        ds: xr.Dataset,
        *,
        time: slice | None = None,
        target: str | Mapping[str, str] | None = None,
        forcings: Mapping[str, str] | None = None,
        operator: bool = False,
    ) -> xr.Dataset:
        """Score the simulated against the observed target: the output of the model as it is.

        Parameters
        ----------
        ds : Dataset or DataTree
            With forcings, the target and what `parameters` needs; of a tree, the nodes
            that have the target. The whole record is run, so
            that what comes before `time` warms the states up.
        time : slice, optional
            Period that is scored, by dates.
        target : str or mapping of str to str, optional
            Observed variable, if it has another name than in training; of several
            targets, a mapping of outputs to variables.
        forcings : mapping of str to str, optional
            As in `xdpl.simulate`.
        operator : bool
            Score what the training compared instead: the output through the observation
            operator. Over the training period that is the training score; what the parameters are
            worth in the model itself, only scores without it say.

        Returns
        -------
        Dataset
            Metrics per site, pooled ones as `pooled_*`, and, where the model has
            precipitation and potential evapotranspiration, `worst_*` of the terciles
            of dryness; these are NaN where there are too few sites for three. In
            units of the target (of a target in m3 s-1, those of its depth),
            quantified if it is. Of several targets along a dim `target`. Lazy where `ds`
            is. A network with a history reads what was observed before `time`, and
            nothing without it. The attribute ``scored`` says whether the output of the model
            itself was scored, ``comment`` where scores and the training loss differ in kind.
            Through an operator with a scale and an offset of each site, other sites are NaN.

        Raises
        ------
        InputErrors
            If something is missing or has wrong units; if sites have not the dims of
            those with scale and offset, or the training period, of which means are taken, is not there.
        """
        from xdpl.fit.observing import Compare
        from xdpl.fit.scoring import evaluate

        run = partial(self._scored, time=time)
        compare = Compare(self.operators, self.observation) if operator else None
        return evaluate(self, ds, time=time, target=target, forcings=forcings, simulate=run, compare=compare)

    def coefficients(self) -> xr.Dataset:
        """Of a fit with transfer functions, what relates its parameters to the attributes.

        Returns
        -------
        Dataset
            ``coefficient`` (parameter, [member,] attribute) and ``constant`` (parameter,
            [member]), both without units. With θ a parameter and its bounds (of logarithms,
            where its scale is logarithmic), the logarithm of (θ - lower) / (upper - θ) is the
            constant plus the sum of coefficients times attributes: in linear relations less
            their ``mean`` and over their ``std``, coordinates of `attribute`, in units of the
            training; in power relations the logarithms of attributes. NaN where a parameter
            does not depend on an attribute.

        Raises
        ------
        InputErrors
            If the fit has another network.
        """
        from xdpl.fit.coefficients import coefficients

        return coefficients(self)

    @property
    def plot(self) -> FitPlot:
        """Pictures of the fit: `FitPlot`, whose methods draw on axes given or new.

        Of the training `plot.history()`, of parameters `plot.parameters(ds)`; of the target,
        simulated and observed, `plot.series(ds, site)`, `plot.hydrograph(ds, site)`,
        `plot.flow_duration(ds, site)`, `plot.scatter(ds)` and `plot.cdf(ds)`.
        """
        from xdpl.plot import FitPlot

        return FitPlot(self)

    def report(
        self,
        path: str | Path,
        ds: xr.Dataset | None = None,
        *,
        time: slice | None = None,
        groups: xr.DataArray | None = None,
        sites: int = 3,
        identifiability: bool = True,
        title: str | None = None,
        progress: bool = True,
    ) -> Path:
        """Write one HTML page about the fit, warnings first: a single file that needs no network.

        Parameters
        ----------
        path : path
            Of the page, ending in ``.html``. A page that is there is replaced, at once when the
            new one is complete.
        ds : Dataset, optional
            As for `Fit.evaluate`, best that of the training. Without it the page has what the fit itself
            knows: learning curve, operators and settings, and says what is left out.
        time : slice, optional
            Period that is scored and shown, by dates. If not given, the record after training and
            validation where at least 30 steps of it are observed; else the validation period; else
            the whole record. The page says which.
        groups : DataArray of int, (*site dims), optional
            Label of the group of each site, negative where there is none, named by CF
            ``flag_meanings``; thirds by dryness, if not given, where the model has the forcings for them.
        sites : int
            Time series that are shown of each target, from the best to the worst site.
        identifiability : bool
            Whether to look what the observations of the training period can tell: the longest part.
        title : str, optional
            Of the page; model and targets if not given.
        progress : bool
            Show a bar over the parts.

        Returns
        -------
        Path
            That of the page.

        Raises
        ------
        InputErrors
            If an argument makes no sense, with every problem of all; as `Fit.evaluate`. What else cannot be
            made of this dataset is left out, and the page says why.
        ImportError
            Without matplotlib, which comes with ``xdpl[plot]``.
        """
        from xdpl.report import write
        from xdpl.report.request import Request

        return write(self, path, ds, Request(time, groups, sites, identifiability, title, progress))

    def save(self, path: str | Path) -> None:
        """Write the fit as a zarr store; `xdpl.load` reads it back and runs no code from it.

        Raises
        ------
        InputErrors
            If something exists at `path`.
        """
        from xdpl.fit import storage

        storage.save(self, Path(path))

    def _scored(self, ds: xr.Dataset, *, time: slice | None, **options: Any) -> xr.Dataset:
        from xdpl.fit.scoring import start

        # A network with a history reads nothing of what is scored.
        scored: xr.Dataset = self.simulate(ds, at=start(self, ds, time), **options)
        return scored

    def __repr__(self) -> str:
        return shown.text(self)

    def _repr_html_(self) -> str:
        return shown.html(self)
