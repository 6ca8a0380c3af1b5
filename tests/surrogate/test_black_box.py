"""From a program without gradients to its learned parameters, as good as with the gradients of its twin."""

import numpy as np
from helpers_bucket import FLUXES, FORCINGS, PARAMETERS, Twin, compiled, learnable

import xdpl
from xdpl.models import BlackBox, Command
from xdpl.networks import LSTM, MLP
from xdpl.surrogate import Loop

LATE = slice("2001-02-01", None)


def test_a_program_in_c_is_learned_as_well_as_its_twin(tmp_path):
    # An error of a fifth of the spread, as discharge has.
    ds, truth = learnable(240, error=0.2)
    command = Command([str(compiled(tmp_path)), "{forcing}", "{parameters}", "{output}"])
    program = BlackBox(
        "bucket",
        FORCINGS,
        PARAMETERS,
        FLUXES,
        command,
        version="1",
        batch=False,
        workers=2,
        archive=tmp_path / "runs.zarr",
    )
    call = {
        "target": "runoff",
        "attributes": ["slope", "soil"],
        "network": MLP((16,)),
        "epochs": 80,
        "window": 100,
        "warmup": 30,
        "learning_rate": 0.02,
        "progress": False,
    }
    emulator = {"network": LSTM(24), "window": 100, "batch": 48, "epochs": 60, "learning_rate": 0.02}
    fit = xdpl.learn(ds, program, **call, gradients=Loop(draws=24, rounds=3, emulator=emulator))
    direct = xdpl.learn(ds, Twin(), **call)
    found, native = (float(f.evaluate(ds, time=LATE)["pooled_rmse"]) for f in (fit, direct))
    uncalibrated = fit.history["uncalibrated_rmse"].item()
    runs = int(fit.history["model_runs"][-1]) / ds.sizes["basin"]
    print(
        f"program {found:.4f}, native {native:.4f}, uncalibrated {uncalibrated:.4f}, {runs:.0f} runs a basin"
    )
    assert found <= 1.15 * native < 0.5 * uncalibrated
    assert runs <= 400
    theta = fit.parameters(ds)
    for name in ("k", "capacity"):
        assert np.corrcoef(theta[name], truth[name])[0, 1] > 0.9
