"""A progress bar over epochs that shows the loss."""

from __future__ import annotations

from collections.abc import Mapping

from tqdm.auto import tqdm

__all__ = ["Progress"]


class Progress:
    """Bar over epochs.

    Parameters
    ----------
    total, done : int
        Epochs in all, and behind us in a resumed run.
    show : bool
    """

    def __init__(self, total: int, done: int, show: bool) -> None:
        self._bar = tqdm(total=total, initial=done, desc="learn", unit="epoch", disable=not show)

    def update(self, row: Mapping[str, float]) -> None:
        """Advance by one epoch and show its losses."""
        shown = {k: f"{row[k]:.4f}" for k in ("loss", "validation_loss") if row[k] == row[k]}
        self._bar.set_postfix(shown, refresh=False)
        self._bar.update()

    def close(self) -> None:
        """Leave the bar as it stands."""
        self._bar.close()
