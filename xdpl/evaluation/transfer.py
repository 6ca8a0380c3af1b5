"""What learned parameters are worth without the observation operator they were learned with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.errors import Problems
from xdpl.evaluation.metrics import metrics
from xdpl.labelled.host import on_host
from xdpl.labelled.tree import refuse_tree

if TYPE_CHECKING:
    from xdpl.fit import Fit

__all__ = ["transfer_test"]

_LONG_NAMES = {
    "training_rmse": "RMSE of the fit through its observation operator",
    "transfer_rmse": "RMSE of the fit without it, against the truth",
    "uncalibrated_rmse": "RMSE of the model with default parameters",
    "operator_rmse": "RMSE of the model with default parameters through the operator",
}


def transfer_test(
    fit: Fit,
    ds: xr.Dataset,
    *,
    target: str | None = None,
    truth: str | None = None,
    sites: xr.DataArray | None = None,
    time: slice | None = None,
    limit: float = 1.3,
) -> xr.Dataset:
    """Compare what parameters are worth in the model itself with the score they were learned at.

    Parameters
    ----------
    fit : Fit
    ds : Dataset
        As for `Fit.evaluate`, with the training period. Lazy data are computed.
    target : str, optional
        A target of the fit; may be left out if there is only one.
    truth : str, optional
        Variable with observations of the target that have no bias, in units that convert. Take
        some with the same error as those of the training: of a truth without error the
        transfer error is smaller. The observations of the training, if not given.
    sites : DataArray of bool, optional
        Those that count, over the site dims; all if not given.
    time : slice, optional
        Period that is scored; the days of the training that had a loss, if not given.
    limit : float
        Ratio from which the test fails, above 0.

    Returns
    -------
    Dataset
        Over the site dims, in units of the observations, at sites where all four are known:
        ``training_rmse``, of the simulated through the operator against the observations;
        ``transfer_rmse``, of the simulated as it is against the truth; ``uncalibrated_rmse``, of
        the model with its default parameters, as it is, against the observations; ``operator_rmse``,
        of the same through the operator of the fit. Without dims: ``ratio`` (1), median over sites
        of the transfer error over that of the training score; ``failed``, whether the ratio
        is at least `limit`, in words the attribute ``status``, ``"FAIL"`` or ``"PASS"``;
        ``affine_share`` (1), see Notes.

    Raises
    ------
    InputErrors
        If an argument makes no sense, no site has all four errors, or as `Fit.evaluate`.

    Notes
    -----
    With E the medians over sites of the errors, ``affine_share`` is
    (E_uncalibrated - E_operator) / (E_uncalibrated - E_training): the part of what the fit
    gained that its operator gains without any parameter. For that, a trained operator is fitted to
    the default model by the same loss and penalty. It is above 1 where parameters made
    the fit worse, below 0 where the operator alone does, and NaN where the fit gained nothing.

    References
    ----------
    Ahmad et al. (2025), doi:10.1029/2024GL112893, whose scale and bias of each site make
    learned parameters useless in the original model.

    Examples
    --------
    >>> import xdpl
    >>> ds = xdpl.data.twin(shape=(3, 4), years=1)
    >>> call = dict(target="soil_moisture", attributes=["sand"], epochs=2, progress=False)
    >>> fit = ds.dpl.learn("vic", observation="site_affine", **call)
    >>> status = str(xdpl.evaluation.transfer_test(fit, ds).attrs["status"])
    """
    refuse_tree("transfer_test", ds)
    problems = Problems("transfer_test")
    output = _check(fit, ds, target, truth, sites, limit, problems)
    period = slice(*fit.observation.attrs["period"]) if time is None else time
    found = _errors(fit, ds, output, truth, sites, period, problems)
    known = xr.ones_like(found["training_rmse"], bool)
    for error in found.values():
        known = known & error.notnull()
    known = known if sites is None else known & sites
    _check_sites(known, problems)
    out = xr.Dataset({k: v.where(known) for k, v in found.items()})
    return _summed(out, fit, ds, output, limit)


def _errors(
    fit: Fit,
    ds: xr.Dataset,
    output: str,
    truth: str | None,
    sites: xr.DataArray | None,
    period: slice,
    problems: Problems,
) -> dict[str, xr.DataArray]:
    """The four errors of every site, in the units of the observations."""
    from xdpl.fit.observed import observed_targets
    from xdpl.fit.observing import through
    from xdpl.fit.operator_alone import operator_alone
    from xdpl.simulate import simulate

    variable = fit.targets[output]
    mapping = fit.forcings_in(ds)
    scored = fit.evaluate(ds, time=period, operator=True)
    plain = fit.evaluate(ds, time=period, target={output: truth or variable})
    training, transfer = (_rmse(scores, output) for scores in (scored, plain))
    slope, _ = units.linear(transfer.attrs["units"], training.attrs["units"])
    known = {output: variable}
    observed = observed_targets(fit, ds, known, mapping, problems, fix=lambda _, name: f"add {name}")[output]
    observed = on_host(units.dequantify(observed)).compute()
    default = simulate(ds, fit.model, outputs=[output], forcings=mapping)[output]
    default = on_host(units.dequantify(default)).compute()
    usable = default.notnull().any("time") & training.notnull()
    usable = usable if sites is None else usable & sites
    _check_sites(usable, problems)
    alone = operator_alone(fit, output, default, observed, usable, problems)
    pairs = {
        "uncalibrated_rmse": (default, observed),
        "operator_rmse": through(fit.operators, alone, output, default, observed),
    }
    errors = {k: metrics(*(v.sel(time=period) for v in pair))["rmse"] for k, pair in pairs.items()}
    found = {"training_rmse": training, "transfer_rmse": transfer * slope, **errors}
    return {k: v.drop_attrs(deep=False).assign_attrs(training.attrs) for k, v in found.items()}


def _rmse(scores: xr.Dataset, output: str) -> xr.DataArray:
    rmse = units.dequantify(scores["rmse"]).compute()
    if "target" not in rmse.dims:
        return rmse
    one = rmse.sel(target=output)
    return one.assign_attrs(units=str(one["target_units"].values)).reset_coords(drop=True)


def _summed(out: xr.Dataset, fit: Fit, ds: xr.Dataset, output: str, limit: float) -> xr.Dataset:
    said = out["training_rmse"].attrs["units"]
    for name, text in _LONG_NAMES.items():
        out[name].attrs = {"units": said, "long_name": f"{text}, of {output}"}
    middle = {k: float(v.median()) for k, v in out.data_vars.items()}
    ratio = middle["transfer_rmse"] / middle["training_rmse"]
    gained = middle["uncalibrated_rmse"] - middle["training_rmse"]
    share = (middle["uncalibrated_rmse"] - middle["operator_rmse"]) / gained if gained > 0 else np.nan
    numbers = {
        "ratio": (ratio, "transfer error over training score, medians of sites"),
        "affine_share": (share, "share of the skill that the observation operator has without parameters"),
    }
    for number, (value, text) in numbers.items():
        out[number] = ((), value, {"units": "1", "long_name": text})
    failed = bool(ratio >= limit)
    out["failed"] = ((), failed, {"long_name": f"whether the ratio is at least {limit:g}"})
    out.attrs = {
        "status": "FAIL" if failed else "PASS",
        "operator": fit.operators[output].describe(),
        "limit": limit,
        "references": "doi:10.1029/2024GL112893",
    }
    return units.quantify_like(out.drop_encoding(), ds[fit.targets[output]])


def _check_sites(known: xr.DataArray, problems: Problems) -> None:
    if not bool(known.any()):
        problems.add(
            "ds",
            expected="a site with observations and truth, at which the fit was trained",
            got="none",
            fix="give the dataset of the training, or another period",
        )
        problems.raise_all()


def _check(
    fit: Fit,
    ds: xr.Dataset,
    target: str | None,
    truth: str | None,
    sites: xr.DataArray | None,
    limit: float,
    problems: Problems,
) -> str:
    """The output that is tested."""
    known = list(fit.targets)
    if (target is None and len(known) > 1) or (target is not None and target not in known):
        fix = f"target={known[0]!r}"
        problems.add(
            "target", expected=f"one of the targets of the fit: {', '.join(known)}", got=repr(target), fix=fix
        )
    if truth is not None and truth not in ds:
        problems.add(
            "truth", expected="a variable of ds", got=repr(truth), fix="name another, or leave it out"
        )
    if sites is not None and (not isinstance(sites, xr.DataArray) or sites.dtype.kind != "b"):
        problems.add("sites", expected="a boolean DataArray", got=repr(type(sites).__name__), fix="a mask")
    if not (isinstance(limit, int | float) and limit > 0):
        problems.add("limit", expected="a number above 0", got=repr(limit), fix="limit=1.3")
    problems.raise_if_any()
    return known[0] if target is None else target
