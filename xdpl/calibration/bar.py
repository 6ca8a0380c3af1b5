"""A progress bar over runs of the model that shows the median objective."""

from __future__ import annotations

import numpy as np
from tqdm.auto import tqdm

from xdpl.calibration.optimisers.base import Optimiser

__all__ = ["Bar"]


class Bar:
    """Bar over runs.

    Parameters
    ----------
    total : int
        The most runs there can be.
    show : bool
    """

    def __init__(self, total: int, show: bool) -> None:
        self._bar = tqdm(total=total, desc="calibrate", unit="run", unit_scale=True, disable=not show)

    def update(self, optimiser: Optimiser) -> None:
        """Advance to the runs so far, and show the median over sites."""
        self._bar.set_postfix(median=f"{np.median(optimiser.best_values):.4f}", refresh=False)
        self._bar.update(int(optimiser.evaluations.sum()) - self._bar.n)

    def close(self) -> None:
        """Leave the bar as it stands."""
        self._bar.close()
