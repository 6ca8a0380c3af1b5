import numpy as np
import pytest
import torch
from helpers_learn import Bucket, quick, world
from hypothesis import given
from hypothesis import strategies as st

import xdpl
from xdpl.models import Parameter
from xdpl.models.hbv import HBV
from xdpl.networks import MLP
from xdpl.networks.base import Inputs, Outputs, Sizes
from xdpl.networks.bounded import ParameterNetwork
from xdpl.networks.columns import Columns

MODELS = [xdpl.models.get(name) for name in xdpl.models.available()] + [
    HBV(variant="capillary"),
    Bucket(),
]
RAW = torch.tensor([-1e30, -1e4, -100.0, -20.0, -1.0, 0.0, 1.0, 20.0, 100.0, 1e4, 1e30])


def assert_default(values, parameter):
    """Within 1 %, and where the default is zero within a millionth of the range."""
    slack = 0.01 * abs(parameter.default) + 1e-6 * (parameter.upper - parameter.lower)
    assert np.all(np.abs(np.asarray(values) - parameter.default) <= slack), parameter.name


def inside(values, parameter):
    """Strictly for what is stored: float32 has no number between a bound and its neighbour."""
    lower, upper = np.float32(parameter.lower), np.float32(parameter.upper)
    return bool(np.all((values >= lower) & (values <= upper)))


class Through(torch.nn.Module):
    """The attributes are the outputs."""

    def forward(self, inputs):
        return Outputs(inputs.attributes)


def identity(parameters):
    """Bounds alone: the raw value of each parameter is the input."""
    network = ParameterNetwork(Through(), Columns(tuple(parameters)))
    return lambda raw: network(Inputs(raw))


@pytest.mark.parametrize("model", MODELS, ids=str)
@given(scale=st.sampled_from([0.0, 1.0, 1e6]), seed=st.integers(0, 99))
def test_fresh_network_returns_defaults(model, scale, seed):
    torch.manual_seed(seed)
    columns = Columns.of(model)
    body = MLP().build(Sizes(("a", "b", "c"), columns=columns.names))
    out = ParameterNetwork(body, columns)(Inputs(scale * torch.randn(7, 3)))
    assert list(out) == [p.name for p in model.parameters]
    for parameter in model.parameters:
        assert_default(out[parameter.name].detach(), parameter)


@pytest.mark.parametrize("model", ["vic", "hbv", Bucket()], ids=str)
def test_fit_that_learned_nothing_returns_defaults(model):
    ds = world()
    for name in ("air_temperature", "potential_evapotranspiration"):
        units = "degC" if name == "air_temperature" else "mm d-1"
        ds[name] = ds["precipitation"].assign_attrs(units=units)
    ds["evapotranspiration"] = ds["runoff"]
    target = "runoff" if isinstance(model, Bucket) else "evapotranspiration"
    fit = quick(ds, model=model, target=target, epochs=1, warmup=0, window=5, learning_rate=1e-9)
    theta = fit.parameters(ds)
    for parameter in fit.model.parameters:
        assert_default(theta[parameter.name], parameter)


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_extreme_raw_values_stay_in_bounds(model):
    out = identity(model.parameters)(RAW[:, None].expand(-1, len(model.parameters)))
    for parameter in model.parameters:
        assert inside(out[parameter.name].numpy(), parameter), parameter.name


@given(
    raw=st.floats(width=32, allow_nan=False, allow_infinity=False),
    lower=st.floats(1e-3, 1e3),
    ratio=st.floats(1.01, 1e4),
    share=st.floats(0.01, 0.99),
    scale=st.sampled_from(["linear", "log"]),
)
def test_any_range_any_raw_value(raw, lower, ratio, share, scale):
    upper = lower * ratio
    parameter = Parameter("x", lower, upper, "1", lower + share * (upper - lower), scale=scale)
    value = identity([parameter])(torch.tensor([[raw]]))["x"].numpy()
    assert np.isfinite(value).all()
    assert inside(value, parameter)


@given(raw=st.floats(-8.0, 8.0), scale=st.sampled_from(["linear", "log"]))
def test_known_relation(raw, scale):
    parameter = Parameter("x", 2.0, 50.0, "1", 10.0, scale=scale)
    value = float(identity([parameter])(torch.tensor([[raw]], dtype=torch.float64))["x"])
    to, back = (np.log, np.exp) if scale == "log" else (lambda v: v, lambda v: v)
    start = (to(10.0) - to(2.0)) / (to(50.0) - to(2.0))
    odds = start / (1 - start) * np.exp(raw)
    assert value == pytest.approx(back(to(2.0) + (to(50.0) - to(2.0)) * odds / (1 + odds)), rel=1e-9)


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_gradients_finite(model):
    raw = RAW[:, None].repeat(1, len(model.parameters)).requires_grad_()
    sum(v.sum() for v in identity(model.parameters)(raw).values()).backward()
    assert torch.isfinite(raw.grad).all()
    middle = (RAW.abs() <= 1.0)[:, None]
    assert (raw.grad[middle.expand_as(raw)] > 0).all()


def test_gradcheck():
    raw = torch.linspace(-3, 3, 14, dtype=torch.float64).reshape(7, 2).requires_grad_()
    network = identity(Bucket().parameters)
    assert torch.autograd.gradcheck(lambda x: tuple(network(x).values()), raw)
