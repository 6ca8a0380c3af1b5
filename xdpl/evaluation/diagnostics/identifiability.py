"""Which parameters, and which mixes of them, observations can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.errors import Problems
from xdpl.evaluation.diagnostics.numbers import check_attributes, check_between, check_positive
from xdpl.evaluation.sites import check_integer

if TYPE_CHECKING:
    from xdpl.models import Model

__all__ = ["identifiability"]

# How far a profile goes from the parameters, as a share of the bounds.
_REACH = 0.5


def identifiability(
    ds: xr.Dataset,
    model: str | Model,
    parameters: xr.Dataset | Mapping[str, Any] | None,
    *,
    target: str | Mapping[str, str],
    noise: float,
    attributes: Sequence[str] | None = None,
    forcings: Mapping[str, str] | None = None,
    time: slice | None = None,
    threshold: float = 0.5,
    positions: int = 9,
    engine: str | None = None,
) -> xr.Dataset:
    """What the observations tell of the parameters, and which mixes of them they cannot see.

    Parameters
    ----------
    ds : Dataset
        Forcings with a ``time`` dimension, any site dims, and the observed target.
    model : str or Model
    parameters : Dataset or mapping
        Where to linearise: learned or calibrated ones, or the truth of a synthetic world. On any of
        the site dims; those that are not given take their default.
    target : str or mapping
        Observed variable that has the name of a model output, or one pair
        ``{"model output": "variable"}``. NaN where there is no observation.
    noise : float
        Standard deviation of the observation error, in units of the model output; of the error of the
        model too, where that is larger. Errors are taken as independent from step to step: where they
        are not, the data tell less than is said here.
    attributes : sequence of str, optional
        Static variables of `ds`, where parameters are a function of them: the errors of that are given too.
    forcings : mapping of str to str, optional
        Which variable is which forcing, as in `xdpl.simulate`.
    time : slice, optional
        Period of the observations, by dates; what lies before it is run too.
    threshold : float
        Share of the standard deviation that the bounds alone leave (0.29 of their distance), above 0
        and below 1: a parameter or direction whose standard error is above it is not seen.
    positions : int
        Of the profile of the misfit, an odd number of at least 3; 0 leaves it out.
    engine : {"array", "numba"}, optional
        What runs the time loop. ``"array"`` is for models that kernels cannot run, and slow.

    Returns
    -------
    Dataset
        Over the site dims, and again without them for one shift that all sites share (``pooled_...``).
        Everything is about parameters as shares of the distance of their bounds (1), on their scales.

        ``information`` (parameter, other_parameter): Fisher information.
        ``eigenvalue`` (direction): of it, the best seen direction first.
        ``loading`` (direction, parameter): what the direction is made of; of unit length. Directions
        with the same eigenvalue, such as several of zero, are any mix of each other.
        ``flat`` (direction): whether the data cannot see the direction.
        ``effective_dimension``: how many directions the data see, Σ λ / (λ + 12).
        ``standard_error`` (parameter): with the others unknown, and
        ``conditional_standard_error`` with them known.
        ``seen`` (parameter): 0 ``seen``; 1 ``traded_off``, against others, but seen if those were
        known; 2 ``unseen`` even then; -1 at sites left out.
        ``misfit`` (direction, position): RMSE, in units of the model output, of a run with parameters
        moved along a direction by ``position``; each stops at its bounds.

        ``pooled_direction`` names the pooled directions. Attributes list what is open:
        ``unseen_at_most_sites``, more than half of them, and ``unseen``, ``traded_off`` and
        ``flat_directions`` for all together, where one site that sees a parameter is enough.
        With `attributes`, ``mapped_standard_error`` (parameter) is as that of
        `xdpl.evaluation.standard_errors`.

        Sites without forcings, parameters, attributes or observations are NaN. Nothing is lazy.

    Raises
    ------
    InputErrors
        With every problem of the input, before any run.
    UnsupportedOperation
        If the step does what kernels cannot; the engine ``"array"`` can.

    Notes
    -----
    With J the sensitivity of a site's simulated series to its parameters where it was observed, the
    information is Jᵀ J / noise². A uniform distribution between the bounds has variance 1/12, which
    is information too: standard errors are the roots of the diagonal of (Jᵀ J / noise² + 12 I)⁻¹,
    and are 0.29 where the data say nothing. The effective dimension is that of MacKay (1992).

    J is exact. One run of the adjoint gives the gradient of one number; all T values of a series
    would take T of them. So the step of the model beside its tangent, which is the transpose of its
    adjoint and made from it, runs once for each parameter, forward, all in one call of a kernel. It is
    the derivative at the parameters, not what a large change does: for that look at ``misfit``. At a
    threshold of the model (a store just full, a day just freezing) it is that of one side or their mean.

    References
    ----------
    MacKay (1992), doi:10.1162/neco.1992.4.3.415.

    Examples
    --------
    >>> import xdpl
    >>> ds = xdpl.data.twin(shape=(2, 2), years=1)
    >>> told = xdpl.evaluation.identifiability(ds, "vic", None, target="soil_moisture", noise=0.02)
    >>> "d3" in told.attrs["unseen"]
    True
    """
    from xdpl.evaluation.diagnostics import identifiability_labels as labels
    from xdpl.evaluation.diagnostics.case import Request, gather
    from xdpl.evaluation.diagnostics.information import fisher_information, shares
    from xdpl.evaluation.diagnostics.polynomial import of_polynomials
    from xdpl.evaluation.diagnostics.profiles import profiles, together
    from xdpl.evaluation.diagnostics.spectrum import spectrum

    problems = Problems("identifiability")
    check_positive("noise", noise, problems)
    check_between("threshold", threshold, 0.0, 1.0, 0.5, problems)
    _check_positions(positions, problems)
    names = check_attributes(attributes, problems)
    request = Request(parameters, target, names, forcings, time, engine, dims=labels.DIMS)
    case = gather(ds, model, request, problems)
    information = fisher_information(case, float(noise), engine)
    sites = spectrum(information, threshold)
    pooled = spectrum(np.nansum(information, axis=0), threshold)
    out = labels.labelled(case, information, sites, pooled)
    if positions:
        reach, start = np.linspace(-_REACH, _REACH, positions), shares(case)
        same = np.broadcast_to(pooled.loadings, sites.loadings.shape)
        errors, shared = (profiles(case, start, v, reach, engine) for v in (sites.loadings, same))
        out = labels.with_misfit(out, case, reach, errors, together(case, shared))
    if names:
        out = labels.with_mapped(out, case, of_polynomials(information, case.attributes))
    out.attrs = labels.described(ds, case, sites, pooled, float(noise), threshold)
    return units.quantify_like(out.drop_encoding(), *(ds[v] for v in case.variables))


def _check_positions(positions: Any, problems: Problems) -> None:
    if (
        check_integer(problems, "positions", positions, 0)
        and positions
        and (positions < 3 or positions % 2 == 0)
    ):
        expected = "0 or an odd number of at least 3"
        problems.add("positions", expected=expected, got=repr(positions), fix="positions=9")
