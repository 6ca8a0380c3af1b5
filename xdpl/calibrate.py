"""Calibrate a model site by site: Dataset in, parameters out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import DTypeLike

    from xdpl.calibration.methods import Begin
    from xdpl.models import Model

__all__ = ["calibrate"]


def calibrate(
    ds: xr.Dataset,
    model: str | Model,
    *,
    target: str | Mapping[str, str],
    method: str | Begin = "sce-ua",
    options: Mapping[str, Any] | None = None,
    objective: str = "nse",
    evaluations: int | None = None,
    forcings: Mapping[str, str] | None = None,
    train: slice | None = None,
    sites: xr.DataArray | None = None,
    warmup: int = 365,
    fixed: xr.Dataset | Mapping[str, Any] | None = None,
    start: xr.Dataset | Mapping[str, Any] | None = None,
    order: Sequence[Sequence[str]] = (),
    engine: str | None = None,
    dtype: DTypeLike = "float32",
    seed: int = 0,
    progress: bool = True,
    checkpoint: str | Path | None = None,
) -> xr.Dataset:
    """Calibrate the parameters of a process model at every site by itself.

    The classical way beside `xdpl.learn`: sites know nothing of each other, and nothing is
    learned for a site without observations. All sites run at once, in one call of a kernel
    for each round of the method.

    Parameters
    ----------
    ds : Dataset
        Forcings and target with a `time` dimension, on any site dimensions. Sites where a
        forcing or the target is NaN throughout are left out.
    model : str or Model
        A name, such as ``"hbv"``, or an instance.
    target : str or mapping
        Observed variable that has the name of a model output, or one pair
        ``{"model output": "variable"}``. NaN where there is no observation.
    method : {"sce-ua", "cma-es", "differential-evolution", "gradient"} or callable
        Shuffled complex evolution (Duan et al. 1992), the evolution strategy with covariance
        adaptation (Hansen and Ostermeier 2001), differential evolution (Storn and Price 1997),
        or Adam from several starts through the adjoint of the model. Or what begins an
        optimiser like those of `xdpl.calibration.optimisers`.
    options : mapping, optional
        Of the method, such as ``{"complexes": 8}``.
    objective : {"nse", "kge", "rmse", "rmse_log"}
        What is minimised: 1 - NSE, 1 - KGE, RMSE, or RMSE mixed with that of logarithms.
    evaluations : int, optional
        The most runs of the model for each site: 5000, of ``"gradient"`` 600 with their
        adjoint, if not given.
    forcings : mapping of str to str, optional
        Which variable is which forcing. Others are found by name, then by CF standard name.
    train : slice, optional
        Training period, by dates; the whole record if not given.
    sites : DataArray of bool, optional
        Sites to calibrate, over the site dimensions; all if not given.
    warmup : int
        Steps before the training period that are run but not compared; taken from the period
        itself where the record does not begin before it.
    fixed : Dataset or mapping, optional
        Parameters that are not calibrated.
    start : Dataset or mapping, optional
        Parameters to begin with, such as learned ones; defaults where none are given. They
        are among the first that are tried.
    order : sequence of sequences of str
        Chains of parameters that keep their order, from the smallest to the largest, as in `xdpl.learn`.
    engine : {"array", "numba", "process"}, optional
        What runs the time loop, as in `xdpl.simulate`.
    dtype : {"float32", "float64"}
        Floating type to run the model in.
    seed : int
        The same seed gives the same result. The random numbers of a site depend on the seed
        and its position in `ds`, not on the other sites.
    progress : bool
        Show a bar over runs of the model.
    checkpoint : path, optional
        File that keeps every answer of the model. Calling again with the same data and
        settings continues from it exactly.

    Returns
    -------
    Dataset
        One variable per parameter with units, bounds and long name, over the site dims; NaN at
        sites left out. With coordinates ``objective``, the value reached, and
        ``evaluations``, the runs of the model that it took. Ctrl-C ends the calibration early
        and returns the best so far; the attribute ``calibration`` then says so.

    Raises
    ------
    InputErrors
        With every problem of the input, before any run.

    Warns
    -----
    UserWarning
        If runs of a `BlackBox` failed, which are infinitely bad; attributes count them, and list
        their messages.

    Examples
    --------
    >>> import xdpl
    >>> ds = xdpl.data.twin(shape=(2, 2), years=1)
    >>> theta = ds.dpl.calibrate("vic", target="soil_moisture", warmup=30, evaluations=50, progress=False)
    """
    from xdpl.calibration.entry import run
    from xdpl.calibration.request import Request
    from xdpl.labelled.tree import refuse_tree

    refuse_tree("calibrate", ds)
    request = Request(
        model=model,
        target=target,
        method=method,
        options={} if options is None else dict(options),
        objective=objective,
        evaluations=evaluations,
        forcings=forcings,
        train=train,
        sites=sites,
        warmup=warmup,
        fixed=fixed,
        start=start,
        order=order,
        engine=engine,
        dtype=dtype,
        seed=seed,
        checkpoint=None if checkpoint is None else Path(checkpoint),
    )
    return run(ds, request, progress=progress)
