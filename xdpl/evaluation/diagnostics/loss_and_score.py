"""What a training on one kind of loss costs in a score of another kind, at a given correlation."""

from __future__ import annotations

import numpy as np

__all__ = ["KGE", "SQUARED", "best_ratio", "cost", "kge", "kind_of", "rmse"]

SQUARED, KGE = "squared", "kge"
_KINDS = {"kge": KGE, "nrmse": SQUARED, "nse": SQUARED, "rmse": SQUARED, "site_rmse": SQUARED}


def kind_of(loss: str) -> str | None:
    """Whether a loss is one of squared errors or KGE; None for a mix, of which nothing general is known."""
    return _KINDS.get(loss)


def rmse(correlation: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """RMSE of an unbiased simulation, as a share of the standard deviation of the observed.

    Parameters
    ----------
    correlation : ndarray
        r, of simulated and observed.
    ratio : ndarray
        α, of their standard deviations.

    Returns
    -------
    ndarray
        √(1 + α² - 2 α r), from Murphy (1988), doi:10.1175/1520-0493(1988)116<2417:SSBOTM>2.0.CO;2.
    """
    return np.sqrt(np.maximum(1.0 + ratio**2 - 2.0 * ratio * correlation, 0.0))


def kge(correlation: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """KGE of an unbiased simulation, Gupta et al. (2009), doi:10.1016/j.jhydrol.2009.08.003."""
    return 1.0 - np.sqrt((correlation - 1.0) ** 2 + (ratio - 1.0) ** 2)


def best_ratio(kind: str, correlation: np.ndarray) -> np.ndarray:
    """Ratio of standard deviations that is best where the correlation cannot be helped.

    For squared errors it is r, 0 if that is negative; for KGE 1.
    """
    return np.maximum(correlation, 0.0) if kind == SQUARED else np.ones_like(correlation)


def cost(loss: str, score: str, correlation: np.ndarray) -> np.ndarray:
    """What is lost in the score where the loss is at its best, for each correlation.

    Parameters
    ----------
    loss, score : str
        Names of losses, as in `xdpl.learn`.
    correlation : ndarray

    Returns
    -------
    ndarray
        Of a score of squared errors how much larger the RMSE is than it could be, as a share of that,
        √(2 / (1 + r)) - 1 for r from 0 up to 1; of KGE how much lower it is, (√2 - 1)(1 - r). Zero where
        both are of a kind, NaN where one is a mix.
    """
    trained, scored = kind_of(loss), kind_of(score)
    if trained is None or scored is None:
        return np.full_like(correlation, np.nan)
    got, best = (best_ratio(kind, correlation) for kind in (trained, scored))
    if scored == KGE:
        return kge(correlation, best) - kge(correlation, got)
    lowest = rmse(correlation, best)
    return rmse(correlation, got) / np.where(lowest > 0.0, lowest, np.nan) - 1.0
