"""Which parameters a model is run with, so that a network can learn what it does."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl import models
from xdpl.calibration.cube import Cube
from xdpl.errors import Problems
from xdpl.labelled import schema
from xdpl.labelled.attrs import provenance, variable_attrs
from xdpl.labelled.grid import Grid
from xdpl.labelled.parameters import resolve

if TYPE_CHECKING:
    from xdpl.models import Model

__all__ = ["DRAW", "METHODS", "design"]

#: The dim along which a site has several parameter sets.
DRAW = "draw"
#: How points are spread.
METHODS = ("sobol", "latin-hypercube")


def design(
    ds: xr.Dataset,
    model: str | Model,
    count: int,
    *,
    method: str = "sobol",
    around: xr.Dataset | Mapping[str, Any] | None = None,
    spread: float = 0.1,
    forcings: Mapping[str, str] | None = None,
    seed: int = 0,
) -> xr.Dataset:
    """Parameter sets of every site that fill the space within the bounds, or lie around an estimate.

    No two sites have the same: all together fill the space, as many points as sites times `count`.

    Parameters
    ----------
    ds : Dataset
        Whose site dims they are for; its forcings are not looked at.
    model : str or Model
    count : int
        Sets of each site, 1 or more.
    method : {"sobol", "latin-hypercube"}
        A scrambled low-discrepancy sequence (Owen 1998), or one point in each of as many slices of
        every parameter as there are points (McKay et al. 1979).
    around : Dataset or mapping, optional
        Parameters of the sites, such as learned ones, in whose neighbourhood the sets are. The full range if
        not given; NaN, where there is no estimate, takes the default.
    spread : float
        Standard deviation around the estimate, as a share of the distance of the bounds, on
        the linear or logarithmic scale of each parameter; above 0.
    forcings : mapping of str to str, optional
        Which variable is which forcing, as in `xdpl.simulate`.
    seed : int

    Returns
    -------
    Dataset
        Every parameter with units, (draw, *site dims).

    Raises
    ------
    InputErrors
        With every problem of the input.

    References
    ----------
    McKay et al. (1979), doi:10.1080/00401706.1979.10489755; Owen (1998), doi:10.1006/jcom.1998.0487.

    Examples
    --------
    >>> import xdpl
    >>> ds = xdpl.data.twin(shape=(2, 3), years=1)
    >>> theta = xdpl.surrogate.design(ds, "vic", 4)
    """
    problems = Problems("surrogate.design")
    owner = models.get(model, problems.call)
    found = schema.forcings(ds, owner, forcings, problems)
    _check(count, method, spread, seed, problems)
    centre, _ = resolve(owner, around, problems)
    problems.raise_if_any()
    grid = Grid.of(ds, [v for f in found.values() for k, v in f.sources.items() if k != "area"])
    cube = Cube(tuple(owner.parameters))
    generator = np.random.default_rng(seed)
    points = _points(method, count * grid.size, len(owner.parameters), generator)
    # In the order of the sequence neighbours would have neighbouring sets.
    shares = generator.permutation(points).reshape(count, grid.size, -1)
    if around is not None:
        shares = _near(shares, cube.points(_filled(owner, centre, grid)), spread)
    values = cube.values(shares)
    out = xr.Dataset(
        {
            p.name: (
                (DRAW, *grid.dims),
                values[p.name].reshape(count, *grid.shape),
                variable_attrs(p),
            )
            for p in owner.parameters
        },
        {k: v for k, v in grid.coords.items()},
    )
    out.attrs = provenance(f"design of {owner.name} parameters", owner)
    out.attrs["design"] = method if around is None else f"{method}, {spread:g} around an estimate"
    return out


def _points(method: str, count: int, dims: int, generator: np.random.Generator) -> np.ndarray:
    """Points (count, dims) of the unit cube."""
    from scipy.stats import qmc

    seed = int(generator.integers(2**31))
    if method == "sobol":
        # Whole powers of two are balanced; a part of the next one is still spread out.
        points = qmc.Sobol(dims, scramble=True, seed=seed).random_base2(math.ceil(math.log2(max(count, 2))))
        return np.asarray(points[:count])
    return np.asarray(qmc.LatinHypercube(dims, seed=seed).random(count))


def _near(shares: np.ndarray, centre: np.ndarray, spread: float) -> np.ndarray:
    """Points (draw, site, parameter) as normal departures from a centre; turned back at the bounds."""
    from scipy.special import ndtri

    moved = centre + spread * ndtri(np.clip(shares, 1e-6, 1.0 - 1e-6))
    return np.asarray(1.0 - np.abs(1.0 - np.abs(moved))).clip(0.0, 1.0)


def _filled(model: Model, centre: Mapping[str, xr.DataArray], grid: Grid) -> dict[str, np.ndarray]:
    found = {}
    for p in model.parameters:
        values = grid.flatten(centre[p.name])
        found[p.name] = np.where(np.isnan(values), p.default, values)
    return found


def _check(count: Any, method: Any, spread: Any, seed: Any, problems: Problems) -> None:
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        problems.add("count", expected="an integer of at least 1", got=repr(count), fix="count=8")
    if method not in METHODS:
        problems.add(
            "method", expected=f"one of {', '.join(METHODS)}", got=repr(method), fix='method="sobol"'
        )
    if isinstance(spread, bool) or not isinstance(spread, int | float) or not 0 < spread < math.inf:
        problems.add("spread", expected="a number above 0", got=repr(spread), fix="spread=0.1")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        problems.add("seed", expected="an integer of at least 0", got=repr(seed), fix="seed=0")
