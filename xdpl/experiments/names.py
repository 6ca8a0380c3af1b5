"""What contenders are called in tables and pictures."""

from __future__ import annotations

__all__ = ["NAMES"]

NAMES = {
    "affine": "scale and offset, regressed",
    "calibrated": "calibration at each site",
    "donors": "calibration and similar donors",
    "dpl": "parameter learning",
    "gradient": "gradient descent at each site",
    "history": "parameter learning with a history",
    "lstm": "LSTM alone",
    "group-dro": "the worst group counts most",
    "per-site": "each site by itself",
    "pooled": "all sites alike",
    "regression": "calibration and regression",
    "stratified": "all groups alike",
    "uncalibrated": "uncalibrated",
}
