"""What contenders are called in tables and pictures."""

from __future__ import annotations

__all__ = ["NAMES"]

NAMES = {
    "affine": "scale and offset, regressed",
    "calibrated": "calibration at each site",
    "donors": "calibration and similar donors",
    "dpl": "parameter learning",
    "ensemble": "ensemble",
    "ensemble-tuned": "ensemble, tuned",
    "random-ensemble": "ensemble, random priors",
    "random-ensemble-tuned": "ensemble, random priors, tuned",
    "gradient": "gradient descent at each site",
    "group-dro": "the worst group counts most",
    "history": "parameter learning with a history",
    "laplace": "Laplace",
    "laplace-tuned": "Laplace, tuned",
    "lstm": "LSTM alone",
    "mixed": "ensemble and Laplace",
    "mixed-tuned": "ensemble and Laplace, tuned",
    "per-site": "each site by itself",
    "pooled": "all sites alike",
    "regression": "calibration and regression",
    "site-affine": "scale and offset of each site",
    "stratified": "all groups alike",
    "surrogate": "parameter learning through a surrogate",
    "truth": "truth",
    "uncalibrated": "uncalibrated",
}
