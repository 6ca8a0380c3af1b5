"""Run a protocol of splits: models trained and scored fold by fold, in one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.evaluation import Protocol
    from xdpl.models import Model

__all__ = ["cross_validate"]


def cross_validate(
    ds: xr.Dataset,
    models: str | Model | Mapping[str, str | Model | Mapping[str, Any]],
    *,
    protocol: Protocol,
    train: slice | None,
    test: slice | None,
    seeds: Sequence[int] = (0,),
    scores: Callable[[xr.DataArray, xr.DataArray], xr.Dataset] | None = None,
    out: str | Path | None = None,
    save_fits: bool = False,
    progress: bool = True,
    **options: Any,
) -> xr.Dataset:
    """Train and score models on every fold of a protocol, with every seed.

    Parameters
    ----------
    ds : Dataset
        As for `xdpl.learn`.
    models : str, Model or mapping
        One model; or several by label, each a name, an instance, or a mapping of the options of
        `xdpl.learn` that it has alone, ``"model"`` among them.
    protocol : Protocol
        How sites are split: `xdpl.evaluation.Temporal`, `Ungauged`, `UngaugedRegions`, `Density`, or
        your own. Its sites are those where the target was ever observed and every model has its
        forcings and attributes.
    train, test : slice or None
        Training and test period, by dates; None is the whole record. They must not overlap where a
        site is both trained on and tested.
    seeds : sequence of int
        Of the training.
    scores : callable, optional
        Takes simulated and observed, both over time and site dims in the test period and in units of
        the target, and returns a Dataset of further scores over the site dims. Those with names of
        `xdpl.evaluation.metrics` take their place.
    out : path, optional
        Folder in which every finished fit leaves its scores, and the one at work its checkpoint. The
        same call continues with what is missing; more models, or other seeds, may join. Processes with
        different seeds or models may share it.
    save_fits : bool
        Keep the fits in `out` too, for `xdpl.load`.
    progress : bool
        Show a bar over the fits.
    **options
        Those of `xdpl.learn`, for all models: `target`, `attributes`, `network`, `epochs` and so on.

    Returns
    -------
    Dataset
        Over ``model``, ``fold``, ``seed`` and the site dims: the metrics per site of `Fit.evaluate`
        in the test period, where the fold tests the site, else NaN (``count``: 0). Over
        ``model``, ``fold`` and ``seed``: ``seconds`` (s) and ``epochs`` (1) of training, and
        ``stopped``, why it ended. Coordinate ``fold_of_site`` is the position along ``fold`` of the
        fold that tests a site, -1 where none does. Quantified if the target is.

    Raises
    ------
    InputErrors
        With every problem of the input, before any training; also if `out` belongs to other
        data or settings.
    KeyboardInterrupt
        After Ctrl-C before the first fit is finished.

    Warns
    -----
    RuntimeWarning
        After Ctrl-C later on, which returns what is finished; the rest is NaN, ``seconds`` too.

    Notes
    -----
    A lazy dataset is read anew for every fit; ``ds.load()`` first where memory allows. Other errors
    while training end the run: what is finished is lost unless it is in `out`.

    See Also
    --------
    xdpl.evaluation.summary : the median site per model, and its spread over seeds.

    Examples
    --------
    >>> import xdpl
    >>> ds = xdpl.data.twin(shape=(4, 4), years=1)
    >>> scores = ds.dpl.cross_validate(
    ...     "vic",
    ...     protocol=xdpl.evaluation.Ungauged(k=2),
    ...     train=slice("2001-01", "2001-08"),
    ...     test=slice("2001-09", None),
    ...     target="soil_moisture",
    ...     attributes=["sand"],
    ...     epochs=2,
    ...     progress=False,
    ... )
    """
    # torch is imported here and not above: `import xdpl` stays light.
    from xdpl.cross_validation.plan import Plan
    from xdpl.cross_validation.run import run
    from xdpl.labelled.tree import refuse_tree

    refuse_tree("cross_validate", ds)
    plan = Plan.of(
        models,
        options,
        protocol=protocol,
        train=train,
        test=test,
        seeds=seeds,
        scores=scores,
        out=out,
        save_fits=save_fits,
    )
    return run(ds, plan, progress=progress)
