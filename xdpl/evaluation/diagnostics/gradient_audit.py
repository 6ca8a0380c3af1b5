"""Whether the gradients that learning follows can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import xarray as xr

from xdpl import units
from xdpl.errors import Problems
from xdpl.evaluation.diagnostics.audit_result import Audit
from xdpl.evaluation.diagnostics.numbers import check_loss, check_positive
from xdpl.evaluation.sites import check_integer

if TYPE_CHECKING:
    from xdpl.models import Model

__all__ = ["gradient_audit"]


def gradient_audit(
    ds: xr.Dataset,
    model: str | Model,
    parameters: xr.Dataset | Mapping[str, Any] | None,
    *,
    target: str | Mapping[str, str],
    loss: str = "nrmse",
    score: str = "site_rmse",
    forcings: Mapping[str, str] | None = None,
    time: slice | None = None,
    warmup: int = 30,
    tolerance: float = 1e-3,
    engine: str | None = None,
) -> Audit:
    """Check the gradients of a loss before learning with them.

    Parameters
    ----------
    ds : Dataset
        Forcings with a ``time`` dimension, any site dims, and the observed target.
    model : str or Model
    parameters : Dataset or mapping
        Where to look: defaults (None), where a fresh network starts, or learned ones. On any of the
        site dims.
    target : str or mapping
        Observed variable that has the name of a model output, or one pair
        ``{"model output": "variable"}``. NaN where there is no observation.
    loss : {"kge", "nrmse", "nse", "rmse", "rmse_log", "site_rmse"}
        What is, or would be, trained on; as in `xdpl.learn`.
    score : {"kge", "nrmse", "nse", "rmse", "rmse_log", "site_rmse"}
        What it is judged by.
    forcings : mapping of str to str, optional
        Which variable is which forcing, as in `xdpl.simulate`.
    time : slice, optional
        The days that are compared, such as one window of a training; the whole record if not given.
    warmup : int
        Steps before them that are run but not compared, from the initial states of the model; taken
        from the period itself where the record does not begin before it. As in `xdpl.learn`.
    tolerance : float
        Relative difference of adjoint and central difference above which they do not match.
    engine : {"array", "numba"}, optional
        What runs the time loop, as in `xdpl.simulate`.

    Returns
    -------
    Audit
        `flags`, in words; `parameters`, over ``parameter``, and `sites`, over the site dims too, in
        fractions of sites and other ratios (1). Gradients are with respect to the shares of the bounds,
        in units of the loss.

        In `parameters`: ``relative_error``, the median difference of adjoint and central difference over
        the larger of the two; ``mismatch``, where it is above the tolerance and rounding; ``bent``, where
        the differences to both sides are unlike, as at a threshold; ``zero``, where the gradient is below
        1e-12 of the largest of the site; ``not_finite``; ``at_bound``, within 1 % of one.
        Without gradients through the warm-up, as ``learn(..., warmup_gradient=False)`` trains:
        ``sign_agreement``, where it keeps its sign; ``remaining``, the median of its size over that with
        them; both of the sites where the parameter matters, with at least 1e-3 of the largest gradient
        of the site. ``slow`` is true where the sign is kept at fewer than 90 % of them, or
        ``remaining`` is below 0.5 or above 1.5.

        In `sites`: the gradients ``adjoint``, ``central_difference`` and ``without_warmup``;
        ``correlation`` r and ``variability_ratio`` α of the simulated; ``cost``, what the kind of
        the loss costs in the score at this r; ``alignment``, the cosine between the gradients of loss
        and score.

    Raises
    ------
    InputErrors
        With every problem of the input, before any run.
    UnsupportedOperation
        If the step does what kernels cannot; the engine ``"array"`` can.

    Notes
    -----
    Everything is in double precision. The differences are of the simulated series, with a step of
    1e-6 of the bounds, and are weighted with the slope of the loss by each simulated value. So they are
    checked at each site also where the loss is one number for all of them.

    A store that is slower than the window holds water from the warm-up. What a parameter did
    to that water is part of its gradient; where the warm-up carries none, the parameter is blamed only
    for what it does to a given store, which may be the opposite: a faster outflow gives more water
    from a given store, and the same from one that had time to follow.

    With an unbiased simulation of correlation r, RMSE is σ √(1 + α² - 2 α r): least for α = r, σ √(1 - r²),
    and σ √(2 (1 - r)) for α = 1, which KGE asks for (Murphy 1988; Gupta et al. 2009). ``cost`` is the
    one over the other, less 1; of a training on squared errors that is scored by KGE it is the KGE
    that is lost, (√2 - 1)(1 - r). It is what the kinds imply where r cannot be helped, no more.

    References
    ----------
    Gupta et al. (2009), doi:10.1016/j.jhydrol.2009.08.003;
    Murphy (1988), doi:10.1175/1520-0493(1988)116<2417:SSBOTM>2.0.CO;2.

    Examples
    --------
    >>> import xdpl
    >>> ds = xdpl.data.twin(shape=(2, 2), years=1)
    >>> audit = xdpl.evaluation.gradient_audit(ds, "vic", None, target="soil_moisture")
    >>> bool((audit.parameters["mismatch"] == 0).all())
    True
    """
    from xdpl.evaluation.diagnostics.case import Request, gather

    problems = Problems("gradient_audit")
    for subject, value in {"loss": loss, "score": score}.items():
        check_loss(subject, value, problems)
    check_positive("tolerance", tolerance, problems)
    whole = check_integer(problems, "warmup", warmup, 0)
    # Only of a sound warm-up can be said whether it leaves anything of the period.
    request = Request(
        parameters, target, (), forcings, time, engine, int(warmup) if whole else 0, ("parameter",)
    )
    case = gather(ds, model, request, problems)
    # These import torch, only for what is sound.
    from xdpl.evaluation.diagnostics.audit_flags import words
    from xdpl.evaluation.diagnostics.audit_gradients import gradients
    from xdpl.evaluation.diagnostics.audit_labels import described, per_parameter, per_site

    found = gradients(case, loss, score, engine)
    sites = per_site(case, found, loss, score)
    table = per_parameter(case, found, float(tolerance))
    for out, what in ((sites, "gradients at each site"), (table, "gradient audit")):
        out.attrs = described(ds, case, what, loss, score)
    flags = words(table, sites, loss, score, case.warmup)
    sites = units.quantify_like(sites.drop_encoding(), *(ds[v] for v in case.variables))
    return Audit(flags, table, sites, f"gradients of {loss} of {case.output}, {case.model.name}")
