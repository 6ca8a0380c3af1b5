"""A distribution of parameters, and of what is simulated with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import xarray as xr

from xdpl.errors import Problems
from xdpl.fit import Fit
from xdpl.fit.source import simulate_with
from xdpl.labelled.tree import refuse_tree
from xdpl.models import Model
from xdpl.uncertainty.intervals import along_quantiles
from xdpl.uncertainty.moments import Moments
from xdpl.uncertainty.numbers import check_error, check_level, check_quantiles, check_samples
from xdpl.uncertainty.predictions import check_outputs, intervals_of
from xdpl.uncertainty.sampling import described, drawn, quantiles_of

__all__ = ["Posterior"]


@dataclass(frozen=True)
class Posterior:
    """A normal distribution of the parameters of all sites, on the unbounded scale of a network.

    Made by `laplace` or `deep_ensemble`. Its mean and covariance are those of some fits: of an
    ensemble, or with weights drawn around those of one fit. On that scale a parameter is the
    logarithm of its odds within the bounds, so that no sample and no interval leaves them. Sites
    vary together: a sample is a whole map.

    Parameters
    ----------
    fits : tuple of Fit
        At least two, of the same model.
    observation_error : dict of str to float
        Standard deviation of the observations of each target around what is simulated, in
        units of the model.
    scale : float
        What all standard deviations of the distribution are multiplied by; 1 unless `tuned`.
    settings : dict
        How it was made, as plain values.
    """

    fits: tuple[Fit, ...]
    observation_error: dict[str, float]
    scale: float = 1.0
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def model(self) -> Model:
        """The model of the fits."""
        return self.fits[0].model

    def parameters(self, ds: xr.Dataset, *, samples: int = 100, seed: int = 0) -> xr.Dataset:
        """Samples of the parameters of the sites of a dataset, seen in training or not.

        Parameters
        ----------
        ds : Dataset
            As for `Fit.parameters`.
        samples : int
            2 or more.
        seed : int
            The same seed gives the same samples, at a site whatever its company.

        Returns
        -------
        Dataset
            As of `Fit.parameters`, with a dim ``sample`` first; in double precision.

        Raises
        ------
        InputErrors
            As `Fit.parameters`, or if `samples` is no such number.
        """
        problems = Problems("Posterior.parameters")
        check_samples(samples, problems)
        problems.raise_if_any()
        refuse_tree("Posterior.parameters", ds)
        return drawn(self, ds, Moments.of(self.fits, ds, self.scale), samples, seed)

    def parameter_intervals(
        self, ds: xr.Dataset, *, quantiles: Sequence[float] = (0.05, 0.5, 0.95)
    ) -> xr.Dataset:
        """Quantiles of every parameter at every site.

        Parameters
        ----------
        ds : Dataset
            As for `Fit.parameters`.
        quantiles : sequence of float
            Rising, between 0 and 1.

        Returns
        -------
        Dataset
            As of `Fit.parameters`, with a dim ``quantile`` first. Quantiles of a normal distribution
            go through the bounds, which keep their order. Of fits whose parameters keep an order they are
            those of 1000 samples.

        Raises
        ------
        InputErrors
            As `Fit.parameters`, or if quantiles are out of range.
        """
        problems = Problems("Posterior.parameter_intervals")
        wanted = check_quantiles(quantiles, problems)
        problems.raise_if_any()
        refuse_tree("Posterior.parameter_intervals", ds)
        return along_quantiles(quantiles_of(self, ds, Moments.of(self.fits, ds, self.scale), wanted), wanted)

    def simulate(self, ds: xr.Dataset, *, samples: int = 100, seed: int = 0, **options: Any) -> xr.Dataset:
        """Simulations with samples of the parameters; the mean over members, if there are some.

        Parameters
        ----------
        ds : Dataset
            As for `Fit.simulate`.
        samples, seed
            As of `Posterior.parameters`.
        **options
            Those of `xdpl.simulate`.

        Returns
        -------
        Dataset, or a pair of them with `return_states`
            As of `xdpl.simulate`, with a dim ``sample``. Without the error of observations.

        Raises
        ------
        InputErrors
            As `Posterior.parameters` and `xdpl.simulate`.
        """
        theta = self.parameters(ds, samples=samples, seed=seed)
        return simulate_with(self.fits[0], ds, theta, **options)

    def prediction_intervals(
        self,
        ds: xr.Dataset,
        *,
        observed: bool,
        quantiles: Sequence[float] = (0.05, 0.5, 0.95),
        time: slice | None = None,
        samples: int = 100,
        seed: int = 0,
        **options: Any,
    ) -> xr.Dataset:
        """Quantiles of what is simulated, or of what would be observed.

        Parameters
        ----------
        ds : Dataset
            As for `Fit.simulate`.
        observed : bool
            Whether intervals are those of observations of the targets, the error of observing
            among what is uncertain; else they are of the simulation without such an error, and
            should hold the truth, not the observations.
        quantiles : sequence of float
            Rising, between 0 and 1.
        time : slice, optional
            Period that is returned, by dates; the whole record is run.
        samples, seed
            As of `Posterior.parameters`.
        **options
            Those of `xdpl.simulate`, such as `outputs`: the targets if not given.

        Returns
        -------
        Dataset
            Each output in its units with a dim ``quantile`` first. Quantiles of the samples; with
            `observed` those of a normal distribution with their mean, and with their variance plus
            that of the observation error.

        Raises
        ------
        InputErrors
            As `Posterior.simulate`; if quantiles are out of range, or `observed` and an output
            is none of the targets.
        """
        problems = Problems("Posterior.prediction_intervals")
        wanted = check_quantiles(quantiles, problems)
        outputs = list(options.pop("outputs", None) or self.observation_error)
        if observed:
            check_outputs(self, outputs, problems)
        problems.raise_if_any()
        found = self.simulate(ds, samples=samples, seed=seed, outputs=outputs, **options)
        found = found if time is None else found.sel(time=time)
        return intervals_of(self, found, outputs, wanted, observed).assign_attrs(posterior=described(self))

    def tuned(
        self,
        ds: xr.Dataset,
        *,
        sites: xr.DataArray | None = None,
        time: slice | None = None,
        observation_error: float | Mapping[str, float] | None = None,
        level: float = 0.9,
        window: int = 90,
        samples: int = 100,
        seed: int = 0,
    ) -> Posterior:
        """The same with the scale whose intervals hold validation data as often as they should.

        A spread of weights is usually not that of errors: seeds share their data, and a Laplace
        approximation holds the other layers. Take observations that neither trained the fits
        nor will test the intervals, best of other sites.

        Parameters
        ----------
        ds : Dataset
            With forcings, attributes and observed targets.
        sites : DataArray of bool, optional
            Validation sites; all if not given.
        time : slice, optional
            Validation period, by dates; that of the training if not given.
        observation_error : float or mapping of str to float, optional
            Where it is known, of each target; else what residuals scatter within
            windows more than samples do.
        level : float
            What intervals should hold, between 0 and 1.
        window : int
            Steps over which observations are averaged: longer than errors of observations
            last, shorter than those of simulations.
        samples, seed
            As of `Posterior.parameters`.

        Returns
        -------
        Posterior

        Raises
        ------
        InputErrors
            If something is missing or has wrong units, there is no observation, or an argument is
            out of range.

        Notes
        -----
        An interval of single observations says little about the scale, since it is mostly as wide as
        their error. Means over a window of n observations have an error of σ / √n only, if
        errors are independent: the scale is the smallest with which `level` of such means lie in their own
        intervals, each tried by running the model. That is the calibration on data held back of
        conformal prediction (Lei et al. 2018, doi:10.1080/01621459.2017.1307116), for quantiles whose
        width varies between sites (Romano et al. 2019, arXiv:1905.03222), without its guarantee, which
        would need windows that are exchangeable.

        The scale is never below 1: what observations of the target find too wide may be parameters that
        they do not depend on, and tell nothing of. Errors of a simulation that change within a
        window, such as those of single floods, count as errors of observation, unless these are given.
        """
        from xdpl.uncertainty.tuning import tune

        problems = Problems("Posterior.tuned")
        refuse_tree("Posterior.tuned", ds)
        check_samples(samples, problems)
        check_samples(window, problems, "window")
        check_level(level, problems)
        known = check_error(observation_error, list(self.fits[0].targets), problems)
        found = tune(self, ds, sites, time, known, level, window, samples, seed, problems)
        return replace(found, settings=self.settings | {"tuned": {"level": level, "window": window}})

    def save(self, path: str | Path) -> None:
        """Write a folder with the fits and the weights of all draws; `xdpl.load` reads it back.

        Raises
        ------
        InputErrors
            If something exists at `path`.
        """
        from xdpl.uncertainty import storage

        storage.save(self, Path(path))

    def __repr__(self) -> str:
        errors = [f"{k} {v:.4g} {self.model.output(k).units}" for k, v in self.observation_error.items()]
        head = (
            f"<xdpl.uncertainty.Posterior> of {self.model.name}, {self.settings.get('method', 'given fits')}"
        )
        return f"{head}: {len(self.fits)} fits, scale {self.scale:.3g}, observation error {', '.join(errors)}"
