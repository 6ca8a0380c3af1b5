"""How much simulated means change when a forcing does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl import models, units
from xdpl.errors import Problems, short
from xdpl.evaluation.changes import Change, Changes, changes_of
from xdpl.labelled import schema
from xdpl.labelled.attrs import provenance
from xdpl.labelled.host import on_host
from xdpl.labelled.tree import refuse_tree

if TYPE_CHECKING:
    from xdpl.fit import Ensemble, Fit
    from xdpl.models import Model
    from xdpl.regionalisation import Regionalisation

__all__ = ["perturbation_response"]


def perturbation_response(
    ds: xr.Dataset,
    source: str | Model | Fit | Ensemble | Regionalisation,
    parameters: xr.Dataset | Mapping[str, Any] | None = None,
    *,
    relative: Changes | None = None,
    absolute: Changes | None = None,
    outputs: Sequence[str] | None = None,
    forcings: Mapping[str, str] | None = None,
    average: str | Sequence[str] | None = None,
    time: slice | None = None,
) -> xr.Dataset:
    """Elasticities and sensitivities of mean outputs to changes of forcings, one forcing at a time.

    Parameters
    ----------
    ds : Dataset
        As for `xdpl.simulate`, or for the `simulate` of `source`.
    source : str, Model, Fit, Ensemble or Regionalisation
        What simulates: a model, with `parameters`; or a result of learning, a network
        without a process model among them.
    parameters : Dataset or mapping, optional
        Of a model, as for `xdpl.simulate`; its defaults if not given.
    relative : mapping of str to float or sequence of float, optional
        Forcings of the model and shares by which they change, such as ``{"precipitation": (-0.1, 0.1)}``;
        -1 or more and not 0.
    absolute : mapping of str to float or sequence of float, optional
        Forcings and what is added to them, in units of the model, such as ``{"air_temperature": 3.0}``.
    outputs : sequence of str, optional
        As in `xdpl.simulate`.
    forcings : mapping of str to str, optional
        Which variable is which forcing, as in `xdpl.simulate`.
    average : str or sequence of str, optional
        Dims of members of `parameters`, as in `xdpl.simulate`; a fit averages its own.
    time : slice, optional
        Period whose means are compared, by dates; the whole record is run.

    Returns
    -------
    Dataset
        For every output and forcing ``<output>_to_<forcing>``, with a dim ``<forcing>_change`` first: the
        relative change of the mean of the output over the relative change of the forcing (1), or over its
        absolute change (``K-1`` for temperatures, else the inverse of the units of the forcing).
        NaN where the unchanged mean is zero. Lazy where `ds` is.

    Raises
    ------
    InputErrors
        If nothing changes, a change is none or out of range, a forcing is changed twice or not of the
        model, or as the simulation.

    Notes
    -----
    ε = (ΔQ / Q) / (ΔP / P) with means over `time` (Schaake 1990; Sankarasubramanian et al. 2001,
    doi:10.1029/2000WR900330). Whatever else would change in a changed climate stays: potential
    evapotranspiration when it gets warmer (change it as well, or compute it anew with `xdpl.pet` and
    compare), and attributes of the network, those of climate too.
    """
    refuse_tree("perturbation_response", ds)
    problems = Problems("perturbation_response")
    model, mapping = _asked(source, parameters, ds, forcings, problems)
    found = schema.forcings(ds, model, mapping, problems)
    changes = changes_of(model, relative, absolute, problems)
    _check_period(ds, time, problems)
    problems.raise_if_any()
    plain, known = _plain(ds, model, found)
    given = {"outputs": outputs, "average": average}
    options = {"forcings": known} | {k: v for k, v in given.items() if v is not None}

    def means(changed: xr.Dataset) -> xr.Dataset:
        run: xr.Dataset = _simulate(source, changed, parameters, options)
        run = run if time is None else run.sel(time=time)
        arrays = {k: on_host(units.magnitude(v)) for k, v in run.data_vars.items()}
        return xr.Dataset({k: v.mean("time", skipna=False, dtype=np.float64) for k, v in arrays.items()})

    before = means(plain)
    out = xr.Dataset()
    for change in changes:
        afters = [means(change.applied(plain, known[change.forcing], step)) for step in change.steps]
        out = out.assign(_responses(before, afters, change).variables)
    title = f"response of {model.name} to changed forcings"
    out.attrs = provenance(title, model, history=ds.attrs.get("history"))
    return units.quantify_like(
        out.drop_encoding(), *(ds[v] for f in found.values() for v in f.sources.values())
    )


def _responses(before: xr.Dataset, afters: Sequence[xr.Dataset], change: Change) -> xr.Dataset:
    """Relative changes of outputs over the changes of a forcing, along a dim of them."""
    dim = f"{change.forcing}_change"
    each = [
        (after - before) / before.where(before != 0.0) / step
        for after, step in zip(afters, change.steps, strict=True)
    ]
    together = xr.concat(each, dim, coords="minimal", compat="override", join="exact")
    out = xr.Dataset(coords={dim: (dim, np.asarray(change.steps), change.attrs)})
    for output, array in together.data_vars.items():
        name = f"{output}_to_{change.forcing}"
        out[name] = array.transpose(dim, ...)
        long_name = f"{change.measure} of mean {output} to {change.forcing}"
        out[name].attrs = {"units": change.response_units, "long_name": long_name}
    return out


def _asked(
    source: Any,
    parameters: Any,
    ds: xr.Dataset,
    forcings: Mapping[str, str] | None,
    problems: Problems,
) -> tuple[Model, Mapping[str, str] | None]:
    """The model of a source, and which variable is which forcing."""
    if isinstance(source, str | models.Model):
        return models.get(source, problems.call), forcings
    # An ensemble is as its fits are.
    first = source.fits[0] if hasattr(source, "fits") else source
    if not hasattr(first, "simulate") or not hasattr(first, "forcings_in"):
        problems.add(
            "source",
            expected="a model, a Fit, an Ensemble or a Regionalisation",
            got=short(source),
            fix='perturbation_response(ds, "vic", theta, ...)',
        )
        problems.raise_all()
    if parameters is not None:
        problems.add(
            "parameters",
            expected="none, since the source has its own",
            got=type(parameters).__name__,
            fix="leave them out, or give the model as source",
        )
    return first.model, forcings or first.forcings_in(ds)


def _simulate(source: Any, ds: xr.Dataset, parameters: Any, options: dict[str, Any]) -> Any:
    if not isinstance(source, str | models.Model):
        return source.simulate(ds, **options)
    from xdpl.simulate import simulate

    return simulate(ds, source, parameters, **options)


def _plain(
    ds: xr.Dataset, model: Model, found: Mapping[str, schema.Found]
) -> tuple[xr.Dataset, dict[str, str]]:
    """The dataset with forcings in units of the model, and the variable that each is now."""
    known, out = {}, ds
    said = {f.name: f.units for f in model.forcings}
    for name, forcing in found.items():
        sources = [v for k, v in forcing.sources.items() if k != "area"]
        # The mean of several goes by the name of the model; what it was made of would be found first.
        known[name] = sources[0] if len(sources) == 1 else name
        out = out if len(sources) == 1 else out.drop_vars(sources)
        out = out.assign({known[name]: forcing.data.assign_attrs(units=said[name])})
    return out, known


def _check_period(ds: xr.Dataset, time: slice | None, problems: Problems) -> None:
    if time is None or "time" not in ds.indexes:
        return
    try:
        if ds["time"].sel(time=time).size:
            return
    except (KeyError, TypeError, ValueError):
        pass
    problems.add(
        "time", expected="a period inside the data", got=repr(time), fix='time=slice("2001", "2003")'
    )
