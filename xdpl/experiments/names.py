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
    "per-site": "each site by itself",
    "regression": "calibration and regression",
    "uncalibrated": "uncalibrated",
}
