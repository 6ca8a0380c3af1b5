"""A model that is run several times for one gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from xdpl import engines
from xdpl.blackbox.failures import Failures
from xdpl.calibration.cube import Cube
from xdpl.gradients.moves import Moves
from xdpl.models import BlackBox
from xdpl.training.sources import FAILED

if TYPE_CHECKING:
    from xdpl.training.sources import Setting

__all__ = ["Runs"]


@dataclass(frozen=True)
class Runs:
    """Series of a model, with gradients from runs around the parameters; a `xdpl.training.sources.Source`.

    Parameters
    ----------
    setting : Setting
    moves : callable
        Estimates (series, parameter), as shares of the distance between bounds, to where else to run.
    failures : Failures
        Of all runs until now.
    """

    setting: Setting
    moves: Callable[[Tensor], Moves]
    failures: Failures = field(default_factory=Failures)

    def __call__(
        self, forcings: Mapping[str, Tensor], parameters: Mapping[str, Tensor], begins: Tensor | None
    ) -> dict[str, Tensor]:
        """Outputs (time, series), and whether the run at the parameters has failed, (1, series).

        All runs are one call, in double precision: what differences are made of has to be exact. Without
        a gradient to be had the model is run at the parameters only. A run that has failed, or is not
        finite, has neither a value nor a gradient: its series is zero.

        Parameters
        ----------
        forcings : mapping of str to Tensor, (time, series)
        parameters : mapping of str to Tensor, (series,)
        begins : Tensor of int, (series,), optional
            Position of the first step in the dates of the record; its beginning if not given.

        Raises
        ------
        FloatingPointError
            If there is not one series whose run has succeeded.
        """
        model = self.setting.model
        exact = {p.name: parameters[p.name].double() for p in model.parameters}
        cube = Cube(model.parameters, self.setting.ordering)
        place = cube.points(exact)
        wanted = torch.is_grad_enabled() and place.requires_grad
        with torch.no_grad():
            moves = self.moves(place.detach()) if wanted else None
            values = {k: v[None, :] for k, v in exact.items()}
            if moves is not None:
                values = {k: torch.cat([values[k], v]) for k, v in cube.values(moves.points).items()}
            series = self._run({k: v.double() for k, v in forcings.items()}, values, begins)
            sound = torch.stack([torch.isfinite(v).all(dim=0) for v in series.values()]).all(dim=0)
        self._check(sound)
        kind = next(iter(forcings.values())).dtype
        out = {
            k: torch.where(sound[0], v[:, 0], 0.0) if moves is None else moves.carried(v, sound, place)
            for k, v in series.items()
        }
        return {k: v.to(kind) for k, v in out.items()} | {FAILED: (~sound[:1]).to(kind)}

    def _run(
        self, forcings: Mapping[str, Tensor], values: Mapping[str, Tensor], begins: Tensor | None
    ) -> dict[str, Tensor]:
        """Outputs (time, run, series) of parameters (run, series): runs are members that are kept apart."""
        setting, options = self.setting, dict[str, Any]()
        black = isinstance(setting.model, BlackBox)
        if black:
            options = {"time": setting.dates, "failures": self.failures}
            options["begins"] = None if begins is None else begins.cpu().numpy()
        series, _ = engines.run(
            setting.engine,
            setting.model,
            {k: v.cpu().numpy() for k, v in forcings.items()} if black else forcings,
            {k: v.cpu().numpy() for k, v in values.items()} if black else values,
            outputs=setting.outputs,
            members=len(next(iter(values.values()))),
            average=False,
            states=False,
            **options,
        )
        if black:
            return {k: torch.as_tensor(v, device=setting.device) for k, v in series.items()}
        odd = ~torch.stack([torch.isfinite(v).all(dim=0) for v in series.values()]).all(dim=0)
        self.failures.runs += odd.numel()
        self.failures.messages += ["outputs are not finite"] * int(odd.sum())
        return series

    def _check(self, sound: Tensor) -> None:
        if not sound[0].any():
            last = self.failures.messages[-1:] or ["parameters are not finite"]
            msg = f"none of {sound.shape[1]} runs of the model has succeeded; the last: {last[0]}"
            raise FloatingPointError(msg)
