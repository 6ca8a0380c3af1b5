"""Losses written for TensorBoard while training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xdpl.errors import Problems

__all__ = ["Logbook", "check_log"]


class Logbook:
    """Writes each epoch as scalars that TensorBoard shows; nothing without a folder.

    Parameters
    ----------
    folder : Path, optional
    """

    def __init__(self, folder: Path | None) -> None:
        self._writer: Any = None
        if folder is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(folder)

    def write(self, row: Mapping[str, float], epoch: int) -> None:
        """Add an epoch, counted from 1; what is not known is left out."""
        if self._writer is not None:
            for name, value in row.items():
                if value == value:
                    self._writer.add_scalar(name, value, epoch)
            self._writer.flush()

    def close(self) -> None:
        """Finish the files."""
        if self._writer is not None:
            self._writer.close()


def check_log(folder: Path | None, problems: Problems) -> None:
    """Note that TensorBoard is not installed, if it is wanted."""
    if folder is None:
        return
    try:
        import torch.utils.tensorboard  # noqa: F401
    except ImportError as error:
        problems.add("log", expected="TensorBoard installed", got=str(error), fix="pip install 'xdpl[log]'")
