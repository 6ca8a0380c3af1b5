"""How to train, as plain values that a fit stores."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Plan"]


@dataclass(frozen=True)
class Plan:
    """Settings of a training run.

    Parameters
    ----------
    epochs : int
    learning_rate : float
        Of AdamW at the start (Loshchilov and Hutter 2019, arXiv:1711.05101).
    schedule : str
        How it falls.
    pretrain : int
        Epochs at the start with static parameters only; the rate then starts anew.
    weight_decay : float
        Zero makes it Adam.
    clip : float
        Largest norm of the gradient.
    patience : int
        Epochs without a better validation loss before stopping.
    seed : int
    """

    epochs: int
    learning_rate: float
    schedule: str
    pretrain: int
    weight_decay: float
    clip: float
    patience: int
    seed: int
