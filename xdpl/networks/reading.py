"""Series as a recurrent network reads them: normalised, with a mark where nothing was observed.

Normalised values go through asinh, which leaves what is usual as it is and keeps a rare storm,
tens of standard deviations away, from driving all gates into saturation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from xdpl.networks.scaling import Moments, Scaling

__all__ = ["past", "weather"]


def weather(forcings: Mapping[str, Tensor], scaling: Scaling) -> Tensor:
    """Normalised forcings, (time, site, forcing), in single precision.

    Parameters
    ----------
    forcings : mapping of str to Tensor, (time, site)
        In the order of the model.
    scaling : Scaling
    """
    return torch.stack(_normal(list(forcings.values()), scaling.forcings), dim=2)


def past(
    forcings: Mapping[str, Tensor], responses: Mapping[str, Tensor], scaling: Scaling, steps: int
) -> Tensor:
    """What a network with a history reads, (steps + time, site, forcing + 2 response).

    Row t holds the moment `steps` before t of the series: the rows from t to t + steps are
    the history of t. Before the record, and where no response was observed, are zeros.

    Parameters
    ----------
    forcings, responses : mapping of str to Tensor, (time, site)
        Responses are NaN where there is no observation.
    scaling : Scaling
    steps : int
    """
    observed = _normal(list(responses.values()), scaling.responses)
    seen = [~torch.isnan(v) for v in observed]
    known = [torch.where(s, v, 0.0) for s, v in zip(seen, observed, strict=True)]
    marks = [s.to(torch.float32) for s in seen]
    rows = torch.cat([weather(forcings, scaling), torch.stack([*known, *marks], dim=2)], dim=2)
    return torch.nn.functional.pad(rows, (0, 0, 0, 0, steps, 0))


def _normal(series: Sequence[Tensor], moments: Moments) -> list[Tensor]:
    pairs = zip(moments.mean, moments.std, strict=True)
    return [
        torch.asinh((v - float(mean)) / float(std)).to(torch.float32)
        for v, (mean, std) in zip(series, pairs, strict=True)
    ]
