"""Kernels on a GPU, where there is one, against those of the CPU."""

import numpy as np
import pytest
import torch
from model_cases import MODELS, STEPS, random_inputs

from xdpl import engines
from xdpl.engines import fused

pytest.importorskip("numba_cuda", reason="numba-cuda compiles for GPUs")
pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")

DAYS, MEMBERS, SITES = 60, 3, 50


def results(model, device):
    """Series, final states and gradients of a run in float64."""
    forcings, theta, start = random_inputs(model, DAYS, MEMBERS * SITES)
    arrays = [{k: v[:, :SITES] + 0.01 for k, v in forcings.items()}]
    arrays += [{k: v.reshape(MEMBERS, SITES) for k, v in g.items()} for g in (theta, start)]
    # Strided, so that what must be copied is.
    groups = [
        {k: torch.tensor(np.repeat(v, 2, -1), device=device)[..., ::2].requires_grad_() for k, v in g.items()}
        for g in arrays
    ]
    series, final = fused.run(
        model, groups[0], groups[1], initial=groups[2], outputs=model.outputs[:2], members=MEMBERS
    )
    values = [*series.values(), *final.values()]
    gradients = torch.autograd.grad(
        sum(v.square().mean() for v in values), [v for g in groups for v in g.values()]
    )
    return [v.detach().cpu().numpy() for v in (*values, *gradients)]


@pytest.mark.parametrize("name", STEPS)
def test_results_are_those_of_the_cpu(name):
    for a, b in zip(results(STEPS[name], "cuda"), results(STEPS[name], "cpu"), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9 * np.abs(b).max())


def test_the_stream_of_the_caller_is_used():
    wanted = results(STEPS["hbv"], "cuda")
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        got = results(STEPS["hbv"], "cuda")
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(a, b)


def test_cupy_arrays():
    cupy = pytest.importorskip("cupy")
    model = MODELS["hbv"]
    forcings, theta, start = random_inputs(model, DAYS, SITES)
    wanted, _ = fused.run(model, forcings, theta, initial=start, outputs=("streamflow",))
    moved = [{k: cupy.asarray(v) for k, v in g.items()} for g in (forcings, theta, start)]
    got, _ = fused.run(model, *moved[:2], initial=moved[2], outputs=("streamflow",))
    assert isinstance(got["streamflow"], cupy.ndarray)
    np.testing.assert_allclose(cupy.asnumpy(got["streamflow"]), wanted["streamflow"], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("average", [True, False])
def test_routes_are_those_of_the_cpu(average):
    model = MODELS["hbv"]
    forcings, theta, _ = random_inputs(model, DAYS, MEMBERS * SITES)
    outputs = []
    for place in ("cuda", "cpu"):
        f = {k: torch.tensor(v[:, :SITES], device=place) for k, v in forcings.items()}
        p = {k: torch.tensor(v.reshape(MEMBERS, SITES), device=place) for k, v in theta.items()}
        p |= {k: p[k][0].clone() for k in ("route_a", "route_b")}
        leaves = [v.requires_grad_() for v in p.values()]
        series, final = engines.run(
            None, model, f, p, outputs=("streamflow",), members=MEMBERS, average=average
        )
        values = [series["streamflow"], final["unrouted_streamflow"]]
        gradients = torch.autograd.grad(sum(v.square().mean() for v in values), leaves)
        outputs.append([v.detach().cpu().numpy() for v in (*values, *gradients)])
    for got, wanted in zip(*outputs, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-9 * np.abs(wanted).max())
