"""Kernels in numba's simulator against the engine `array`; `test_cuda_simulator.py` runs this file."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import xarray as xr
from cuda_everything import Everything, inputs
from model_cases import STEPS, random_inputs, weather

import xdpl
from xdpl.engines.array import run as run_array
from xdpl.engines.canonical import Arrays, canonical
from xdpl.engines.cuda.kernels import simulated
from xdpl.engines.cuda.run import Segments, backward, forward
from xdpl.engines.tracing.order import Order
from xdpl.engines.tracing.trace import step_of

DAYS, MEMBERS, SITES = 5, 2, 3
MOVING = {"vic": ("infilt", "ksat"), "noah": ("ksat", "lai"), "hbv": ("beta", "tt", "k1")}


class Case:
    """Inputs of a run, as leaves of torch."""

    def __init__(self, model, moving=(), days=DAYS, seed=0):
        rng = np.random.default_rng(seed)
        assert set(moving) <= {p.name for p in model.parameters}
        self.model = model
        if isinstance(model, Everything):
            forcings, still, start = inputs(days, (MEMBERS, SITES), seed)
        else:
            forcings, theta, start = random_inputs(model, days, SITES * MEMBERS, seed)
            forcings = {k: v[:, :SITES] for k, v in forcings.items()}
            # Without rain, minimum and maximum tie, and any split of the gradient is right.
            forcings["precipitation"] = rng.gamma(1.0, 6.0, (days, SITES)) + 0.1
            still = {k: v.reshape(MEMBERS, SITES) for k, v in theta.items()}
        parameters = {
            k: v * rng.uniform(0.95, 1.05, (days, MEMBERS, SITES)) if k in moving else v
            for k, v in still.items()
        }
        self.forcings = self.leaves(forcings)
        self.parameters = self.leaves(parameters)
        self.start = self.leaves({k: v.reshape(MEMBERS, SITES) for k, v in start.items()})
        self.rng = rng

    @staticmethod
    def leaves(arrays):
        return {k: torch.tensor(np.array(v), requires_grad=True) for k, v in arrays.items()}

    def reference(self, outputs, average):
        """Series and final states of the engine `array`."""
        series, final = run_array(
            self.model,
            self.forcings,
            self.parameters,
            initial=self.start,
            outputs=outputs,
            members=MEMBERS,
            average=average,
        )
        kept = 1 if average else MEMBERS
        return [series[k].reshape(-1, kept, SITES) for k in outputs], [
            final[s.name] for s in self.model.states
        ]

    def arrays(self, convert=torch.Tensor.detach):
        c = canonical(self.model, self.forcings, self.parameters, self.start, MEMBERS)
        a = c.arrays
        groups = [tuple(map(convert, group)) for group in (a.forcings, a.parameters, a.start)]
        return Arrays(*groups, a.steps, a.members, a.sites), c.moving

    def inputs(self):
        """Leaves in the order of gradients."""
        m = self.model
        return (
            [self.forcings[d.name] for d in m.forcings],
            [self.parameters[d.name] for d in m.parameters],
            [self.start[d.name] for d in m.states],
        )

    def weights(self, like):
        return [torch.tensor(self.rng.normal(size=tuple(a.shape))) for a in like]


def order_of(model, outputs, moving, dtype="float64"):
    return Order(step_of(model, outputs), dtype, moving)


def close(got, wanted, tolerance):
    for a, b in zip(got, wanted, strict=True):
        b = torch.as_tensor(b).detach()
        assert tuple(a.shape) == tuple(b.shape)
        scale = (b.abs().max().item() if b.numel() else 0.0) or 1.0
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * scale)


def check(case, *, average, every, d_final=True, block=128, outputs=None):
    outputs = outputs or case.model.outputs[:2]
    series, final = case.reference(outputs, average)
    arrays, moving = case.arrays()
    order = order_of(case.model, outputs, moving)
    got = forward(order, arrays, average=average, every=every, block=block)
    close(got.series, series, 1e-12)
    close(got.final, final, 1e-12)

    w_series = case.weights(series)
    w_final = case.weights(final) if d_final else [None] * len(final)
    loss = sum((w * a).sum() for w, a in zip(w_series, series, strict=True))
    if d_final:
        loss = loss + sum((w * a).sum() for w, a in zip(w_final, final, strict=True))
    groups = case.inputs()
    wanted = torch.autograd.grad(loss, [a for g in groups for a in g])
    gradients = backward(
        replace(order, backward=True, forcings=True),
        arrays,
        got,
        w_series,
        w_final,
        average=average,
        block=block,
    )
    shapes = [(arrays.steps, 1, SITES)] * len(groups[0])
    shapes += [(arrays.steps if p.ndim == 3 else 1, MEMBERS, SITES) for p in groups[1]]
    shapes += [(MEMBERS, SITES)] * len(groups[2])
    close(
        [a for g in gradients for a in g],
        [a.reshape(s) for a, s in zip(wanted, shapes, strict=True)],
        1e-10,
    )


def test_the_simulator_runs():
    assert simulated()


@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("varies", [False, True])
@pytest.mark.parametrize("name", STEPS)
def test_run_and_gradients_are_those_of_the_array_engine(name, varies, average):
    model = STEPS[name]
    check(Case(model, MOVING[model.name] if varies else ()), average=average, every=2)


def test_all_operations():
    check(Case(Everything(), ("a",)), average=True, every=2, outputs=Everything.outputs)


@pytest.mark.parametrize("every", [None, 1, 3, 5, 100])
def test_gradients_do_not_depend_on_what_is_kept(every):
    check(Case(STEPS["hbv"], ("beta",)), average=True, every=every)


def test_absent_cotangents_are_zeros_and_blocks_may_be_small():
    case = Case(STEPS["hbv"])
    check(case, average=False, every=2, d_final=False, block=4)
    arrays, moving = case.arrays()
    order = order_of(case.model, ("streamflow",), moving)
    run = forward(order, arrays, average=True, every=None)
    gradients = backward(
        replace(order, backward=True), arrays, run, [None], [None] * len(run.final), average=True
    )
    assert gradients[0] == []
    assert all(float(a.abs().max()) == 0.0 for g in gradients for a in g)


def test_forward_keeps_nothing_unless_asked():
    case = Case(STEPS["hbv"])
    arrays, moving = case.arrays()
    run = forward(order_of(case.model, ("streamflow",), moving), arrays, average=True)
    close(run.series, case.reference(("streamflow",), True)[0], 1e-12)
    assert run.checkpoints.shape[0] == 0
    assert run.tiling == Segments(0)
    with pytest.raises(ValueError, match="kept no states"):
        order = replace(order_of(case.model, ("streamflow",), moving), backward=True)
        backward(order, arrays, run, run.series, run.final, average=True)


def test_least_memory():
    assert Segments.of(730, None).every == 27
    assert Segments.of(0, None) == Segments.of(1, None) == Segments(1)
    assert Segments.of(730, 0).count(730) == 0
    assert Segments.of(730, 27).count(730) == 28


def test_views_and_numpy_arrays():
    """Every other site, a part of the time, one state for all members: strides of all kinds."""
    case = Case(STEPS["hbv"], ("beta",))
    wanted = forward(
        order_of(case.model, ("streamflow",), frozenset({"beta"})), case.arrays()[0], average=False
    )

    def wide(a):
        a = a.detach().numpy()
        buffer = np.full((a.shape[0] + 2, *(n + 3 for n in a.shape[1:])), np.nan)
        inside = (slice(1, 1 + a.shape[0]), *(slice(1, n + 1) for n in a.shape[1:]))
        buffer[inside] = a
        view = buffer[inside]
        view.flags.writeable = False
        return view

    def spread(a):
        return a.detach().repeat_interleave(2, -1)[..., ::2]

    def backwards(a):
        return np.array(a.detach().numpy()[::-1], "float32").astype("float64")[::-1]

    for convert, tolerance in ((wide, 0.0), (spread, 0.0), (backwards, 1e-5)):
        arrays, moving = case.arrays(convert)
        got = forward(order_of(case.model, ("streamflow",), moving), arrays, average=False)
        assert type(got.series[0]) is type(arrays.forcings[0])
        close(map(torch.as_tensor, got.series), wanted.series, tolerance)


def test_what_has_one_member_serves_all():
    case = Case(STEPS["hbv"])
    arrays, moving = case.arrays()
    order = order_of(case.model, ("streamflow",), moving)
    one = replace(
        arrays,
        parameters=tuple(a[:, :1] for a in arrays.parameters),
        start=tuple(a[:1] for a in arrays.start),
    )
    repeated = replace(
        one,
        parameters=tuple(a.repeat(1, MEMBERS, 1) for a in one.parameters),
        start=tuple(a.repeat(MEMBERS, 1) for a in one.start),
    )
    close(forward(order, one, average=False).series, forward(order, repeated, average=False).series, 0.0)


def test_nan_stays_at_its_site():
    case = Case(STEPS["vic"])
    with torch.no_grad():
        case.forcings["precipitation"][2, 1] = float("nan")
    arrays, moving = case.arrays()
    order = order_of(case.model, case.model.outputs, moving)
    run = forward(order, arrays, average=True, every=2)
    ones = [torch.ones_like(a) for a in run.series]
    gradients = backward(
        replace(order, backward=True, forcings=True), arrays, run, ones, run.final, average=True
    )
    for a in (*run.series, *run.final, *(a for g in gradients for a in g)):
        assert not a[..., [0, 2]].isnan().any()
    assert all(a[..., 1].isnan().any() for a in run.final)
    assert any(a[..., 1].isnan().any() for a in gradients[1])


def test_float32_stays_float32():
    case = Case(STEPS["hbv"])
    wanted = case.reference(("streamflow",), True)[0]
    arrays, moving = case.arrays(lambda a: a.detach().float())
    order = order_of(case.model, ("streamflow",), moving, "float32")
    run = forward(order, arrays, average=True, every=2)
    gradients = backward(replace(order, backward=True), arrays, run, run.series, run.final, average=True)
    everything = (*run.series, *run.final, run.checkpoints, *(a for g in gradients for a in g))
    assert {a.dtype for a in everything} == {torch.float32}
    close([a.double() for a in run.series], wanted, 1e-4)


@pytest.mark.parametrize("empty", ["steps", "sites"])
def test_nothing_to_do(empty):
    case = Case(STEPS["hbv"])
    arrays, moving = case.arrays()
    if empty == "steps":
        arrays = replace(arrays, steps=0, forcings=tuple(a[:0] for a in arrays.forcings))
    else:
        arrays = Arrays(
            *(tuple(a[..., :0] for a in g) for g in (arrays.forcings, arrays.parameters, arrays.start)),
            arrays.steps,
            MEMBERS,
            0,
        )
    order = order_of(case.model, ("streamflow",), moving)
    run = forward(order, arrays, average=True, every=None)
    assert run.series[0].shape == (arrays.steps, 1, arrays.sites)
    close(run.final, arrays.start, 0.0)
    d_final = [torch.ones_like(a) for a in run.final]
    order = replace(order, backward=True, forcings=True)
    d_forcings, d_parameters, d_start = backward(order, arrays, run, [None], d_final, average=True)
    assert {tuple(a.shape) for a in d_forcings} == {(arrays.steps, 1, arrays.sites)}
    close(d_start, d_final, 0.0)
    assert all((a == 0.0).all() for a in d_parameters)


def test_tensors_are_differentiated(monkeypatch):
    """The way of `learn`, with the kernels of a GPU where it takes those of the CPU."""
    import xdpl.engines.cuda.run as kernels
    from xdpl.engines import differentiable, fused

    monkeypatch.setattr(fused, "kernels_for", lambda a: kernels)
    monkeypatch.setattr(differentiable, "kernels_for", lambda a: kernels)
    case = Case(STEPS["hbv"], ("k1",))
    leaves = [a for group in case.inputs() for a in group]

    def loss(run, **options):
        series, final = run(
            case.model,
            case.forcings,
            case.parameters,
            initial=case.start,
            outputs=("streamflow",),
            members=MEMBERS,
            **options,
        )
        return (series["streamflow"] ** 2).sum() + final["lower_zone"].sum()

    got = torch.autograd.grad(loss(fused.run, every=2, progress=True), leaves)
    close(got, torch.autograd.grad(loss(run_array), leaves), 1e-10)


@pytest.mark.parametrize("members", [False, True])
@pytest.mark.parametrize("name", ["vic", "hbv"])
def test_datasets(name, members, monkeypatch):
    """The way of `simulate`, where arrays count as those of a GPU: a site is missing, states come back."""
    import xdpl.engines.cuda.run as kernels
    from xdpl.engines import fused
    from xdpl.labelled import prepare

    model = STEPS[name]
    ds = weather(days=DAYS)
    ds["precipitation"][:, 1] = np.nan
    rng = np.random.default_rng(6)
    lead = ("member",) * members
    theta = xr.Dataset()
    for p in model.parameters:
        values = np.clip(
            p.default * rng.uniform(0.95, 1.05, (MEMBERS,) * members + (SITES,)), p.lower, p.upper
        )
        theta[p.name] = ((*lead, "basin"), values, {"units": p.units})
    options = {"outputs": list(model.all_outputs()), "return_states": True}
    wanted = xdpl.simulate(ds, model, theta, engine="numba", **options)

    launched = []

    def forward(*args, **kwargs):
        launched.append(args)
        return kernels.forward(*args, **kwargs)

    monkeypatch.setattr(fused, "kernels_for", lambda a: SimpleNamespace(forward=forward))
    monkeypatch.setattr(prepare, "_on_gpu", lambda a: True)
    got = xdpl.simulate(ds, model, theta, engine="cuda", **options)
    assert len(launched) == 1
    for a, b in zip(got, wanted, strict=True):
        assert a.sizes.get("member") == (MEMBERS if members else None)
        xr.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
        assert a.isel(basin=1).to_array().isnull().all()
        assert a.isel(basin=[0, 2]).to_array().notnull().all()


def test_errors_show_the_line_of_the_kernel():
    import linecache

    from xdpl.engines.cuda.kernels import kernel

    made = kernel(order_of(STEPS["hbv"], ("streamflow",), frozenset()))
    name = next(n for n in linecache.cache if n.startswith("<xdpl kernel"))
    linecache.checkcache()
    assert linecache.getline(name, 1).startswith("def kernel(sites, steps, members, every")
    assert "for begun in range(0, steps, every):" in made.source
