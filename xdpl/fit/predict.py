"""From attributes to parameters, on arrays of any namespace."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from array_api_compat import array_namespace, device, is_numpy_array, to_device

from xdpl.errors import Problems

if TYPE_CHECKING:
    from xdpl.networks.bounded import ParameterNetwork

__all__ = ["Prediction", "predict"]

Array = Any


@dataclass(frozen=True)
class Prediction:
    """`predict` with all but the columns; dask knows it by its values, in any process.

    Parameters
    ----------
    network : ParameterNetwork
    names : tuple of str
    mean, std : ndarray, (attribute,)
    """

    network: ParameterNetwork
    names: tuple[str, ...]
    mean: np.ndarray
    std: np.ndarray

    def __call__(self, *columns: Array) -> Array | tuple[Array, ...]:
        """Parameters of a block, as `predict` gives them; not in a tuple if there is one only."""
        values = predict(self.network, self.names, self.mean, self.std, columns)
        return tuple(values) if len(values) > 1 else values[0]

    def __dask_tokenize__(self) -> tuple[str, ...]:
        digest = hashlib.sha256(repr((self.names, self.network.names)).encode())
        for values in (self.mean, self.std, *(v.cpu().numpy() for v in self.network.state_dict().values())):
            digest.update(np.ascontiguousarray(values).tobytes())
        return ("xdpl.fit.Prediction", digest.hexdigest())


# Matrix products of other sizes round differently: with one size, a site has the same
# parameters in whatever company it is.
_TILE = 512


def predict(
    network: ParameterNetwork,
    names: Sequence[str],
    mean: np.ndarray,
    std: np.ndarray,
    columns: Sequence[Array],
) -> list[Array]:
    """Parameters of every site.

    Parameters
    ----------
    network : ParameterNetwork
    names : sequence of str
        Of the attributes.
    mean, std : ndarray, (attribute,)
    columns : sequence of array, broadcastable
        One per attribute, in the units of the training.

    Returns
    -------
    list of array
        One per parameter, float32, of the namespace and device of the columns; NaN where
        all attributes are.

    Raises
    ------
    InputErrors
        If some but not all attributes of a site are NaN.
    """
    xp = array_namespace(*columns)
    shape = np.broadcast_shapes(*(c.shape for c in columns))
    flat = xp.stack([xp.reshape(xp.broadcast_to(c, shape), (-1,)) for c in columns], axis=1)
    missing = xp.isnan(flat)
    absent = xp.all(missing, axis=1)
    _check(xp, names, missing, absent)
    centre, spread = (xp.asarray(v, dtype=flat.dtype, device=device(flat)) for v in (mean, std))
    normal = xp.astype((xp.where(missing, 0.0, flat) - centre) / spread, xp.float32)
    values = _in_tiles(network, _tensor(normal))
    return [xp.reshape(xp.where(absent, xp.nan, _array(xp, v, flat)), shape) for v in values]


def _check(xp: Any, names: Sequence[str], missing: Array, absent: Array) -> None:
    partly = xp.any(missing, axis=1) & ~absent
    if not bool(xp.any(partly)):
        return
    some = [bool(xp.any(missing[:, i] & partly)) for i in range(len(names))]
    gaps = [name for name, is_missing in zip(names, some, strict=True) if is_missing]
    problems = Problems("Fit.parameters")
    problems.add(
        ", ".join(gaps),
        expected="attributes without NaN (all of them NaN marks a site to leave out)",
        got=f"NaN at {int(xp.sum(xp.astype(partly, xp.int64)))} of {partly.shape[0]} sites",
        fix=f'ds = ds.where(ds["{gaps[0]}"].notnull()), or fill them',
    )
    problems.raise_all()


def _in_tiles(network: ParameterNetwork, inputs: torch.Tensor) -> list[torch.Tensor]:
    if inputs.device != next(network.parameters()).device:
        # The fit itself stays where it is.
        network = copy.deepcopy(network).to(inputs.device)
    network.eval()
    count = inputs.shape[0]
    padded = torch.nn.functional.pad(inputs, (0, 0, 0, -count % _TILE))
    with torch.no_grad():
        tiles = [list(network(tile).values()) for tile in padded.split(_TILE)]
    return [torch.cat(parts)[:count] for parts in zip(*tiles, strict=True)]


def _tensor(values: Array) -> torch.Tensor:
    if is_numpy_array(values):
        return torch.from_numpy(np.ascontiguousarray(values))
    tensor: torch.Tensor = torch.from_dlpack(values)
    return tensor


def _array(xp: Any, values: torch.Tensor, like: Array) -> Array:
    if is_numpy_array(like):
        return values.numpy()
    # A device that torch does not know, it reads from the host.
    return to_device(xp.from_dlpack(values), device(like))
