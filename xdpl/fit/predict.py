"""What a trained network gives for a block of sites, on arrays of any namespace."""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from array_api_compat import array_namespace, device, is_numpy_array, to_device
from torch import Tensor

from xdpl.errors import Problems
from xdpl.fit.attributes import without_attributes
from xdpl.networks.base import Inputs, Network
from xdpl.networks.reading import past, weather
from xdpl.networks.scaling import Scaling

__all__ = ["Prediction"]

Array = Any

# Matrix products of other sizes round differently: with one size, a site has the same
# parameters in whatever company it is. A recurrent network holds all days of a tile at once.
_TILE = 512
_RECURRENT_TILE = 32


@dataclass(frozen=True)
class Prediction:
    """A network with all it needs but the data; dask knows it by its values, in any process.

    Parameters
    ----------
    network : Module
        `Inputs` to a dict of tensors ([time,] [member,] site).
    spec : Network
    attributes, forcings, responses : tuple of str
        Names of what it is called with, in that order.
    scaling : Scaling
    end : int
        Time index that the history ends before.
    """

    network: torch.nn.Module
    spec: Network
    attributes: tuple[str, ...]
    forcings: tuple[str, ...]
    responses: tuple[str, ...]
    scaling: Scaling
    end: int = 0

    def __call__(self, *values: Array) -> Array | tuple[Array, ...]:
        """Outputs of a block of sites.

        Parameters
        ----------
        *values : array, broadcastable (*sites), or (*sites, time)
            Attributes in the units of the training, forcings and responses in declared ones.

        Returns
        -------
        tuple of array, (*sites, [time,] [member])
            Single precision, of the namespace and device of the values; NaN where all
            attributes are, or a forcing throughout. Not in a tuple if there is one only.

        Raises
        ------
        InputErrors
            If some but not all attributes of a site are NaN, or forcings have gaps.
        """
        first = len(self.attributes)
        columns, series = values[:first], values[first:]
        xp = array_namespace(*columns)
        shape = np.broadcast_shapes(*(c.shape for c in columns), *(v.shape[:-1] for v in series))
        flat = xp.stack([xp.reshape(xp.broadcast_to(c, shape), (-1,)) for c in columns], axis=1)
        missing = xp.isnan(flat)
        absent = without_attributes(xp, missing, self.attributes, "Fit.parameters")
        lines = [xp.reshape(xp.broadcast_to(v, (*shape, v.shape[-1])), (-1, v.shape[-1])) for v in series]
        absent = self._check_forcings(xp, lines, absent)
        lines = [xp.where(absent[:, None], 0.0, v) for v in lines]
        results = self._outputs(xp, self._normal(xp, flat, missing), lines)
        found = tuple(self._shaped(xp, v, absent, shape, flat) for v in results)
        return found if len(found) > 1 else found[0]

    def _outputs(self, xp: Any, normal: Array, lines: Sequence[Array]) -> list[Tensor]:
        attributes = _tensor(normal)
        series = [_tensor(v).T for v in lines]
        count = len(self.forcings)
        named = dict(zip(self.forcings, series[:count], strict=True))
        responses = dict(zip(self.responses, series[count:], strict=True))
        read = weather(named, self.scaling) if self.spec.reads_forcings else None
        before = None
        if self.spec.steps:
            whole = past(named, responses, self.scaling, self.spec.steps)
            before = whole[self.end : self.end + self.spec.steps]
        return self._in_tiles(attributes, read, before)

    def _in_tiles(self, attributes: Tensor, read: Tensor | None, before: Tensor | None) -> list[Tensor]:
        network = self.network
        if attributes.device != _device_of(network):
            # The fit itself stays where it is.
            network = copy.deepcopy(network).to(attributes.device)
        network.eval()
        size = _TILE if read is None and before is None else _RECURRENT_TILE
        count = attributes.shape[0]
        with torch.no_grad():
            tiles = [
                list(network(Inputs(_padded(attributes, at, size, 0), *rest)).values())
                for at, rest in _tiles(count, size, read, before)
            ]
        return [torch.cat(parts, dim=-1)[..., :count] for parts in zip(*tiles, strict=True)]

    def _normal(self, xp: Any, flat: Array, missing: Array) -> Array:
        """Attributes as the network takes them, (site, attribute)."""
        values = xp.where(missing, 0.0, flat)
        if self.spec.transform == "log":
            self._check_positive(xp, values, missing)
            values = xp.log(xp.where(missing, 1.0, values))
        moments = self.scaling.attributes
        mean, std = (
            xp.asarray(v, dtype=flat.dtype, device=device(flat)) for v in (moments.mean, moments.std)
        )
        return xp.astype((values - mean) / std, xp.float32)

    def _check_positive(self, xp: Any, values: Array, missing: Array) -> None:
        problems = Problems("Fit.parameters")
        for i, name in enumerate(self.attributes):
            wrong = ~missing[:, i] & ~(values[:, i] > 0.0)
            if bool(xp.any(wrong)):
                problems.add(
                    name,
                    expected="attributes above zero, for power relations",
                    got=f"others at {int(xp.sum(xp.astype(wrong, xp.int64)))} sites",
                    fix=f'ds = ds.where(ds["{name}"] > 0)',
                )
        problems.raise_if_any()

    def _check_forcings(self, xp: Any, lines: Sequence[Array], absent: Array) -> Array:
        """Sites to leave out: also those where a forcing is NaN throughout."""
        problems = Problems("Fit.parameters")
        for name, v in zip(self.forcings, lines, strict=False):
            unknown = xp.isnan(v)
            never = xp.all(unknown, axis=1)
            gaps = xp.any(unknown, axis=1) & ~never & ~absent
            if bool(xp.any(gaps)):
                problems.add(
                    name,
                    expected="no gaps in time (a site may be NaN throughout)",
                    got=f"NaN at some times at {int(xp.sum(xp.astype(gaps, xp.int64)))} sites",
                    fix='fill them, for example with .interpolate_na("time"), or mask the whole site',
                )
            absent = absent | never
        problems.raise_if_any()
        return absent

    def _shaped(self, xp: Any, v: Tensor, absent: Array, shape: tuple[int, ...], like: Array) -> Array:
        """Values ([time,] [member,] site) as (*sites, [time,] [member])."""
        array = _array(xp, v.movedim(-1, 0).contiguous(), like)
        blank = xp.reshape(absent, (-1,) + (1,) * (array.ndim - 1))
        return xp.reshape(xp.where(blank, xp.nan, array), (*shape, *array.shape[1:]))

    def __dask_tokenize__(self) -> tuple[str, ...]:
        known = (self.spec.to_dict(), self.attributes, self.forcings, self.responses, self.end)
        # The layers of a module of the user's own are not in the specification.
        what = getattr(self.network, "columns", None) or getattr(self.network, "targets", None)
        digest = hashlib.sha256(repr((self.network, what, known)).encode())
        moments = (self.scaling.attributes, self.scaling.forcings, self.scaling.responses)
        weights = [v.cpu().numpy() for v in self.network.state_dict().values()]
        for values in (*(v for m in moments for v in (m.mean, m.std)), *weights):
            digest.update(np.ascontiguousarray(values).tobytes())
        return ("xdpl.fit.Prediction", digest.hexdigest())


def _tiles(
    count: int, size: int, read: Tensor | None, before: Tensor | None
) -> Iterator[tuple[int, tuple[Tensor | None, ...]]]:
    """Where each tile of sites starts, and its series padded to the size of all."""
    for tile in range(max(1, math.ceil(count / size))):
        at = tile * size
        yield at, tuple(None if v is None else _padded(v, at, size, 1) for v in (read, before))


def _padded(v: Tensor, at: int, size: int, dim: int) -> Tensor:
    part = v.narrow(dim, at, min(size, v.shape[dim] - at))
    return torch.nn.functional.pad(part, (0, 0) * (v.ndim - 1 - dim) + (0, size - part.shape[dim]))


def _device_of(network: torch.nn.Module) -> torch.device:
    return next(network.parameters()).device


def _tensor(values: Array) -> Tensor:
    if is_numpy_array(values):
        return torch.from_numpy(np.ascontiguousarray(values))
    tensor: Tensor = torch.from_dlpack(values)
    return tensor


def _array(xp: Any, values: Tensor, like: Array) -> Array:
    if is_numpy_array(like):
        return values.numpy()
    # A device that torch does not know, it reads from the host.
    return to_device(xp.from_dlpack(values), device(like))
