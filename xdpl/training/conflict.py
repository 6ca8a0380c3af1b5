"""Whether groups of sites pull the network the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from xdpl.training.loop import Course

__all__ = ["cosines", "measured"]

# Epochs at which it is measured: each costs a gradient for every group.
_TIMES = 20


def measured(epoch: int, epochs: int) -> bool:
    """Whether an epoch is one of those, the first among them."""
    return epoch % max(1, epochs // _TIMES) == 0


def cosines(course: Course) -> Tensor:
    """Cosines of the angles between the gradients of the losses of groups, (group, group).

    Of one batch, the same every time: training sites at equal distances in their order, in the
    first window. Negative where a step that helps one group harms the other (Yu et al. 2020, Gradient
    surgery for multi-task learning, arXiv:2001.06782); NaN for groups that have no site in the batch.
    Nothing random is drawn, so training is the same with and without it.
    """
    windows, samples = course.windows, course.samples
    places = torch.linspace(0, len(windows.sites) - 1, min(len(windows.sites), windows.batch)).round().long()
    sites = windows.sites[places]
    starts = torch.full_like(sites, windows.first)
    course.network.eval()
    batch = samples.cut(sites, starts, windows.warmup, windows.window)
    losses = course.objective.of_groups(course.forward(batch), samples.answers(sites, starts, windows.window))
    weights = [w for w in course.network.network.parameters() if w.requires_grad]
    directions = []
    for loss in losses:
        if torch.isnan(loss):
            directions.append(torch.full((1,), torch.nan).expand(sum(w.numel() for w in weights)))
            continue
        found = torch.autograd.grad(loss, weights, retain_graph=True, allow_unused=True)
        parts = [torch.zeros_like(w) if g is None else g for w, g in zip(weights, found, strict=True)]
        direction = torch.cat([p.flatten() for p in parts]).double().cpu()
        directions.append(direction / direction.norm())
    stacked = torch.stack([d.double() for d in directions])
    return stacked @ stacked.T
