"""What contenders are called in tables and pictures."""

from __future__ import annotations

__all__ = ["NAMES"]

NAMES = {
    "affine": "scale and offset, regressed",
    "donors": "SCE-UA and similar donors",
    "dpl": "parameter learning",
    "lstm": "LSTM alone",
    "regression": "SCE-UA and regression",
    "uncalibrated": "uncalibrated",
}
