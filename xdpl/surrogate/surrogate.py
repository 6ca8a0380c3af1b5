"""A network that imitates a model: from forcings and parameters to outputs, with gradients."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from xdpl import models
from xdpl.calibration.cube import Cube
from xdpl.errors import Problems
from xdpl.labelled import schema
from xdpl.labelled.attrs import model_hash, provenance
from xdpl.labelled.parameters import resolve
from xdpl.networks.base import Inputs
from xdpl.networks.reading import weather
from xdpl.surrogate.imitation import Imitation
from xdpl.surrogate.shares import readable, shares

if TYPE_CHECKING:
    from xdpl.fit import Fit
    from xdpl.models import Model
    from xdpl.training.sources import Setting

__all__ = ["Surrogate"]

# Of normalised forcings: a dataset whose mean or spread lies further off is another kind of data.
_FAR = 3.0


@dataclass(frozen=True, repr=False)
class Surrogate:
    """A network in place of a model, made by `xdpl.surrogate.emulate`.

    Parameters
    ----------
    model : Model
        What it imitates.
    fit : Fit
        The network, trained on runs of the model, with the statistics that normalise its inputs.
    identity : str
        Hash of the declarations of the model, of these statistics and of the weights.
    """

    model: Model
    fit: Fit
    identity: str

    #: Its runs are those of the network.
    runs_model: ClassVar[bool] = False

    @classmethod
    def of(cls, model: Model, fit: Fit) -> Surrogate:
        """With the identity that belongs to both."""
        return cls(model, fit, _identity(model, fit))

    @property
    def outputs(self) -> tuple[str, ...]:
        """What it imitates of the model."""
        return tuple(self.fit.targets)

    @property
    def unchanged(self) -> bool:
        """Whether its identity is that of its model, statistics and weights."""
        return self.identity == _identity(self.model, self.fit)

    def __repr__(self) -> str:
        runs = f"{self.fit.settings['training_sites']} runs"
        return f"<xdpl.Surrogate> of {self.model.name}, {', '.join(self.outputs)}, {runs}, {self.identity}"

    def check(self, model: str | Model, problems: Problems, targets: Collection[str] = ()) -> None:
        """Note a model or targets it does not imitate, or statistics or weights that were changed since."""
        owner = models.get(model, problems.call)
        if model_hash(owner) != model_hash(self.model):
            problems.add(
                "gradients",
                expected=f"one of the model {owner.name!r} as it is",
                got=f"one of {self.model.name!r} with other parameters, bounds or options",
                fix="xdpl.surrogate.emulate(ds, model, theta, runs)",
            )
        if not self.unchanged:
            problems.add(
                "gradients",
                expected="the statistics and weights of its training",
                got="others",
                fix="emulate again, or load it again",
            )
        if lacking := [name for name in targets if name not in self.outputs]:
            problems.add(
                "gradients",
                expected=f"one that imitates {', '.join(lacking)}",
                got=", ".join(self.outputs),
                fix="emulate it",
            )

    def source(self, setting: Setting) -> Imitation:
        """Its network, as `xdpl.learn` runs it in place of the model."""
        return Imitation.on(self, setting.device)

    def simulate(
        self,
        ds: xr.Dataset,
        parameters: xr.Dataset | Mapping[str, Any] | None = None,
        *,
        forcings: Mapping[str, str] | None = None,
    ) -> xr.Dataset:
        """What the model would give, as the network imitates it.

        Parameters
        ----------
        ds : Dataset
            As for `xdpl.simulate`.
        parameters : Dataset or mapping, optional
            As for `xdpl.simulate`, on site dims and ``draw``.
        forcings : mapping of str to str, optional
            As in `xdpl.simulate`.

        Returns
        -------
        Dataset
            The outputs it imitates, in declared units, over (time, [draw,] *site dims); NaN where a forcing
            or parameter is.

        Raises
        ------
        InputErrors
            With every problem of the input; if statistics were changed, or forcings are of another kind than
            those it was trained with.
        """
        problems = Problems("Surrogate.simulate")
        self.check(self.model, problems)
        found = schema.forcings(ds, self.model, forcings, problems)
        theta, _ = resolve(self.model, parameters, problems)
        problems.raise_if_any()
        plain = {k: f.data for k, f in found.items()}
        self._check_forcings(plain, problems)
        declared = {f.name: f.units for f in self.model.forcings}
        sites = next(iter(plain.values())).isel(time=0, drop=True)
        part = shares(self.model, {k: v.broadcast_like(sites) for k, v in theta.items()})
        out = self.fit.simulate(readable(plain, declared, part))
        out.attrs = provenance(f"{self.model.name} as imitated by a surrogate", self.model)
        return out

    def series(self, forcings: Mapping[str, Tensor], parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Outputs (time, series) of forcings (time, series) and parameters (series,), with gradients.

        Parameters
        ----------
        forcings, parameters : mapping of str to Tensor
            In declared units.
        """
        scaling = self.fit.scaling
        place: Tensor = Cube(tuple(self.model.parameters)).points(parameters)
        mean, std = (
            torch.as_tensor(v, dtype=place.dtype, device=place.device)
            for v in (scaling.attributes.mean, scaling.attributes.std)
        )
        ordered = {f.name: forcings[f.name] for f in self.model.forcings}
        found: dict[str, Tensor] = self.fit.network(
            Inputs(((place - mean) / std).float(), weather(ordered, scaling))
        )
        return found

    def save(self, path: str | Path) -> None:
        """Write a zarr store with the network, its statistics and the identity; `xdpl.load` reads it back.

        Raises
        ------
        InputErrors
            If something exists at `path`.
        """
        from xdpl.surrogate import storage

        storage.save(self, Path(path))

    def _check_forcings(self, found: Mapping[str, xr.DataArray], problems: Problems) -> None:
        moments = self.fit.scaling.forcings
        for i, (name, array) in enumerate(found.items()):
            values = (np.asarray(array.values, np.float64) - moments.mean[i]) / moments.std[i]
            mean, std = float(np.nanmean(values)), float(np.nanstd(values))
            if abs(mean) > _FAR or std > _FAR:
                problems.add(
                    name,
                    expected="forcings like those of the runs it was trained on",
                    got=f"a mean {mean:.1f} and a spread {std:.1f} of their standard deviations off",
                    fix="emulate with runs on these data too",
                )
        problems.raise_if_any()


def _identity(model: Model, fit: Fit) -> str:
    scaling = fit.scaling
    digest = hashlib.sha256(json.dumps([model_hash(model), list(fit.targets)]).encode())
    for moments in (scaling.attributes, scaling.forcings, scaling.responses):
        for values in (moments.mean, moments.std):
            digest.update(np.ascontiguousarray(values, np.float64).tobytes())
    for name, weights in sorted(fit.network.state_dict().items()):
        digest.update(name.encode() + weights.detach().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
