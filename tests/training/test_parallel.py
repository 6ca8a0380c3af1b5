"""Two processes of torchrun give what one process gives."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers_learn import quick, weights, world

from xdpl.training.parallel import Team

LATE = slice("2001-05-01", None)

# Odd batches are padded; dropout would draw other numbers in each process.
OPTIONS = {"epochs": 2, "batch": 7, "seed": 3}

SCRIPT = """
import json, sys, warnings
sys.path.insert(0, "tests")
import numpy as np
import torch, torch.distributed as dist
from helpers_learn import quick, weights, world
from xdpl.training import loop

seen = []
step = torch.optim.AdamW.step
def recording(self, *args, **kwargs):
    gradients = [(w, w.grad) for g in self.param_groups for w in g["params"]]
    seen.append([torch.zeros_like(w) if g is None else g.clone() for w, g in gradients])
    return step(self, *args, **kwargs)
torch.optim.AdamW.step = recording

out, cases = sys.argv[1], json.loads(sys.argv[2])
results = {}
for name, options in cases.items():
    seen.clear()
    fit = quick(validate=slice("2001-05-01", None), **options)
    results[name] = (fit, [torch.cat([g.ravel() for g in grads]).numpy() for grads in seen])
size = dist.get_world_size() if dist.is_initialized() else 1
rank = dist.get_rank() if size > 1 else 0
for name, (fit, gradients) in results.items():
    np.savez(
        f"{out}/{name}-{size}-{rank}.npz",
        weights=weights(fit),
        gradients=np.stack(gradients),
        loss=fit.history["loss"].values,
        scale=fit.observation.get("runoff_scale", np.zeros(1)),
        validation=fit.history["validation_loss"].values,
    )
if size > 1:
    dist.destroy_process_group()
"""

CASES = {loss: {**OPTIONS, "loss": loss} for loss in ("nrmse", "rmse", "kge")} | {
    "members": {**OPTIONS, "members": 3},
    "site affine": {**OPTIONS, "observation": "site_affine"},
    "anomaly": {**OPTIONS, "observation": "anomaly"},
    # Half of the weights have no gradient in the first epoch.
    "hybrid": {**OPTIONS, "network": "hybrid", "dynamic": ["leak"], "pretrain": 1, "weight_decay": 0.5},
    "checkpoint": OPTIONS,
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """What each process of a run of one and of a run of two left."""
    folder = tmp_path_factory.mktemp("parallel")
    script = folder / "script.py"
    script.write_text(SCRIPT)
    cases = {k: v for k, v in CASES.items() if k != "checkpoint"}
    cases["checkpoint"] = CASES["checkpoint"] | {"checkpoint": str(folder / "run")}
    root = Path(__file__).parents[2]
    arguments = [str(script), str(folder), json.dumps(cases)]
    for launcher in ([], ["-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"]):
        (folder / "run").unlink(missing_ok=True)
        command = [sys.executable, *launcher, *arguments]
        subprocess.run(command, check=True, cwd=root, capture_output=True, timeout=300)
    return {p.stem: dict(np.load(p)) for p in folder.glob("*.npz")}


@pytest.mark.parametrize("case", CASES)
def test_gradients_are_those_of_one_process(runs, case):
    one = runs[f"{case}-1-0"]["gradients"]
    assert len(one) == 2 * -(-6 * 3 // 7)
    for rank in (0, 1):
        two = runs[f"{case}-2-{rank}"]["gradients"]
        # The first update starts from equal weights.
        np.testing.assert_allclose(two[0], one[0], rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(two, one, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_all_processes_have_the_same_fit(runs, case):
    first, second = (runs[f"{case}-2-{rank}"] for rank in (0, 1))
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
    for name in ("weights", "loss", "validation", "scale"):
        np.testing.assert_allclose(first[name], runs[f"{case}-1-0"][name], rtol=1e-4, atol=1e-5)


def test_without_a_launcher_there_is_one_process(runs):
    fit = quick(validate=LATE, **OPTIONS)
    np.testing.assert_array_equal(weights(fit), runs["nrmse-1-0"]["weights"])


@pytest.mark.parametrize("size", [1, 2, 3])
def test_parts_are_every_series_once(size):
    series = torch.arange(7)
    parts = [Team(rank, size).part(series) for rank in range(size)]
    assert sorted(torch.cat(parts).tolist()) == series.tolist()
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_batch_smaller_than_the_team_is_refused(monkeypatch):
    from xdpl.errors import InputErrors
    from xdpl.training import entry

    monkeypatch.setattr(entry, "join", lambda device: Team(0, 4))
    with pytest.raises(InputErrors, match="4 processes"):
        quick(world(), batch=3)
