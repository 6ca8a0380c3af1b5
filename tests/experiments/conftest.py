"""A case small enough for a test."""

import pytest

import xdpl
from xdpl.experiments import Case


@pytest.fixture(scope="session")
def small_case():
    return Case(
        "small",
        xdpl.data.twin(shape=(4, 5), years=2),
        "vic",
        "soil_moisture",
        ("sand", "clay", "ndvi"),
        slice("2001", "2001"),
        slice("2002", None),
        learn={"epochs": 3, "window": 90},
        alone={"epochs": 2, "window": 90, "network": xdpl.networks.LSTM(4)},
        history={"network": xdpl.networks.History(30, 4)},
        calibrate={"objective": "rmse", "warmup": 30, "evaluations": 60},
    )
