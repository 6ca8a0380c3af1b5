"""How the series of an output change with every parameter."""

from __future__ import annotations

from collections.abc import Mapping

import array_api_compat.torch as xp
import numpy as np
import torch
from torch import Tensor

from xdpl import engines
from xdpl.engines.tangent_model import TangentModel, changed
from xdpl.engines.tracing.tangent import push
from xdpl.models.base import Model
from xdpl.models.routes import GammaHydrograph
from xdpl.routing import convolve

__all__ = ["Sensitivities"]


class Sensitivities:
    """The Jacobian of an output with respect to the parameters, exact to rounding.

    Parameters
    ----------
    model : Model
    output : str
        A flux or a state.
    engine : str, optional
        As in `xdpl.simulate`; with None the fused engine for the CPU.

    Raises
    ------
    UnsupportedOperation
        If the step does what kernels cannot, and `engine` is not ``"array"``.

    Notes
    -----
    A gradient by the adjoint is one number per parameter and a run back in time; of a series of T
    values that is T runs back, T²/2 steps. The tangent (`xdpl.engines.tracing.tangent`), the transpose
    of the adjoint of a step, runs forward beside the states: T steps for each of the P parameters, in
    one call of a kernel in which each parameter is a member. A route is linear in its flux: the change
    of a routed flux is the routed change, and the flux routed with the change of the weights.
    """

    def __init__(self, model: Model, output: str, *, engine: str | None = None) -> None:
        self._model, self._output, self._engine = model, output, engine or "numba"
        self._tangent = TangentModel(model, output, traced=engine != "array")

    def __call__(
        self,
        forcings: Mapping[str, np.ndarray],
        parameters: Mapping[str, np.ndarray],
        slopes: Mapping[str, np.ndarray],
    ) -> np.ndarray:
        """Run all tangents from the first step.

        Parameters
        ----------
        forcings : mapping of str to ndarray of float64, (time, site)
        parameters : mapping of str to ndarray of float64, (site,)
            Every declared one, in declared units.
        slopes : mapping of str to ndarray of float64, (site,)
            How much each parameter moves: 1 for a sensitivity per unit of it.

        Returns
        -------
        ndarray of float64, (parameter, time, site)
            In units of the output, in the order of the parameters of the model.
        """
        model = self._model
        own = [p.name for p in model.step_parameters]
        shape = (len(own), next(iter(forcings.values())).shape[1])
        values = {k: torch.from_numpy(np.broadcast_to(parameters[k], shape).copy()) for k in own}
        moved = {k: torch.zeros(shape, dtype=torch.float64) for k in own}
        for i, k in enumerate(own):
            moved[k][i] = torch.from_numpy(slopes[k])
        inputs = values | {changed(k): v for k, v in moved.items()}
        series, _ = engines.run(
            self._engine,
            self._tangent,
            {k: torch.from_numpy(v) for k, v in forcings.items()},
            inputs,
            initial=self._tangent.start(values, moved),
            outputs=self._tangent.series,
            members=shape[0],
            average=False,
        )
        flux, changes = (series[k] for k in self._tangent.series)
        found = dict(zip(own, changes.unbind(dim=1), strict=True))
        for route in model.routes:
            if route.flux == self._output:
                found = _routed(route, flux[:, 0], found, parameters, slopes)
        none = torch.zeros_like(flux[:, 0])
        whole: np.ndarray = torch.stack([found.get(p.name, none) for p in model.parameters]).numpy()
        return whole


def _routed(
    route: GammaHydrograph,
    flux: Tensor,
    changes: Mapping[str, Tensor],
    parameters: Mapping[str, np.ndarray],
    slopes: Mapping[str, np.ndarray],
) -> dict[str, Tensor]:
    """Changes (time, site) of a flux after its route, with those of the parameters of the route."""
    names = [p.name for p in route.parameters]
    at = [torch.from_numpy(np.array(parameters[k])) for k in names]
    before = torch.zeros((route.length - 1, *flux.shape[1:]), dtype=flux.dtype)

    def weights(*p: Tensor) -> tuple[Tensor]:
        return (route.weights(xp, *p),)

    found = {k: convolve(xp, v, weights(*at)[0], before)[0] for k, v in changes.items()}
    for k in names:
        way = [slopes[n] if n == k else np.zeros_like(slopes[n]) for n in names]
        _, (bent,) = push(weights, at, [torch.from_numpy(np.array(v)) for v in way])
        found[k] = convolve(xp, flux, bent, before)[0]
    return found
