"""Calibration: parameters searched for at each site by itself."""
