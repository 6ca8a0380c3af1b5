"""Carry calibrated parameters to other sites: Dataset in, Regionalisation out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.models import Model
    from xdpl.regionalisation import Regionalisation

__all__ = ["regionalise"]


def regionalise(
    ds: xr.Dataset,
    model: str | Model,
    parameters: xr.Dataset | Mapping[str, Any],
    *,
    target: str | Sequence[str] | Mapping[str, str],
    attributes: Sequence[str] | None = None,
    method: str = "regression",
    donors: int = 5,
    average: str = "outputs",
    sites: xr.DataArray | None = None,
    forcings: Mapping[str, str] | None = None,
) -> Regionalisation:
    """Carry parameters that were calibrated site by site to other sites.

    The classical alternative to `xdpl.learn`, which answers the same questions.

    Parameters
    ----------
    ds : Dataset
        The dataset of the calibration: forcings and target with a `time` dimension,
        attributes without, on any site dimensions.
    model : str or Model
        A name, such as ``"hbv"``, or an instance.
    parameters : Dataset or mapping
        Calibrated parameters over the site dimensions, with units. A site where one of
        them is NaN was not calibrated. Those that are not given keep their defaults.
    target : str, sequence of str or mapping
        Observed variables that have the names of model outputs, or pairs
        ``{"model output": "variable"}``; what `evaluate` of the result scores.
    attributes : sequence of str, optional
        Static variables by which sites are compared, normalised with the mean and standard
        deviation of the calibrated sites. Sites where all are NaN take no part. Not needed
        for ``"nearest"``, which asks them for nothing else.
    method : {"regression", "similarity", "nearest"}
        How parameters reach another site; see Notes.
    donors : int
        How many calibrated sites give theirs, with the two latter.
    average : {"outputs", "parameters"}
        Whether the simulations with the complete parameter sets of the donors are averaged,
        or the parameters themselves (their logarithms, where their scale is logarithmic).
    sites : DataArray of bool, optional
        Calibrated sites to use, over the site dimensions; all if not given.
    forcings : mapping of str to str, optional
        Which variable is which forcing. Others are found by name, then by CF
        standard name.

    Returns
    -------
    Regionalisation
        Gives parameters, simulations and scores; saves and loads.

    Raises
    ------
    InputErrors
        With every problem of the input.

    Notes
    -----
    ``"regression"``: with s the place of a parameter between its bounds, 0 to 1 (of logarithms,
    where its scale is logarithmic), log(s / (1 - s)) is a linear function of the attributes,
    and what comes back lies in the bounds. Calibrated values nearer to a bound than 0.01 of
    the range are taken as that far from it. A penalty on the sum of squared coefficients is
    chosen for each parameter by its leave-one-out error (Allen, 1974). Every parameter is
    carried on its own: what makes up for another one in the calibration gets lost.

    ``"similarity"``: the donors nearest in normalised attributes (Euclidean distance).
    ``"nearest"``: those nearest by great-circle distance; `ds` has latitude and longitude.
    The parameter sets of donors stay complete, unless parameters are averaged. Oudin et al.
    (2008) compare the three on 913 catchments. Of equally near donors the first in the order
    of sites, by dims in alphabetical order, is taken. A calibrated site is its own first donor,
    or another that is at the same place: only scores at sites left out of `sites` tell how good
    it is.

    A third form, transfer functions fitted to all sites at once, is
    ``learn(..., network="transfer")``.

    References
    ----------
    Oudin et al. (2008), doi:10.1029/2007WR006240; Allen (1974),
    doi:10.1080/00401706.1974.10489157.

    Examples
    --------
    >>> import xdpl
    >>> ds = xdpl.data.twin(shape=(4, 4), years=1)
    >>> theta = ds[["true_porosity"]].rename(true_porosity="porosity")
    >>> regional = ds.dpl.regionalise("vic", theta, target="soil_moisture", attributes=["sand"])
    """
    # What needs torch is imported here and not above: `import xdpl` stays light.
    from xdpl.labelled.tree import refuse_tree
    from xdpl.regionalisation.entry import run
    from xdpl.regionalisation.request import Request

    refuse_tree("regionalise", ds)
    request = Request(
        model=model,
        parameters=parameters,
        target=target,
        attributes=attributes,
        method=method,
        donors=donors,
        average=average,
        sites=sites,
        forcings=forcings,
    )
    return run(ds, request)
