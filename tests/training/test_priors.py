"""`learn(..., priors=...)`: what is known of parameters beforehand."""

import numpy as np
import pytest
import torch
import xarray as xr
from helpers_learn import Bucket, assert_same_fit, quick, weights, world

import xdpl
from xdpl.errors import InputErrors
from xdpl.priors import LogNormal, Normal
from xdpl.training.observer import Level
from xdpl.training.observing import cost_unit
from xdpl.training.priors import Departures


def known(**variables):
    """The world, with maps of what is known beforehand."""
    ds = world()
    for name, (values, units) in variables.items():
        ds[name] = (0.0 * ds["sand"] + values).drop_attrs(deep=False).assign_attrs(units=units)
    return ds


def off(fit, name, value):
    return float(np.abs(fit.parameters(world())[name] - value).max())


def test_what_is_known_holds_a_parameter_that_would_go_elsewhere():
    # In the truth it is 0.1 to 0.7.
    free = quick(epochs=40)
    held = quick(epochs=40, priors={"split": Normal(0.9, sd=0.05, weight=5.0)})
    assert off(free, "split", 0.9) > 0.3
    assert off(held, "split", 0.9) < 0.1


def test_a_weaker_one_holds_less():
    found = [
        off(quick(epochs=40, priors={"split": Normal(0.9, 0.05, weight)}), "split", 0.9)
        for weight in (1e-4, 1e-2, 1.0)
    ]
    assert found[0] > found[1] > found[2]


def test_a_variable_in_other_units_and_dims():
    ds = known(told=(90.0, "percent"))
    one = quick(priors={"split": Normal(0.9, 0.05)}, epochs=10)
    other = quick(ds.transpose(), priors={"split": Normal("told", 0.05)}, epochs=10)
    np.testing.assert_allclose(weights(other), weights(one), rtol=1e-4, atol=1e-5)


def test_where_it_is_nan_nothing_is_known():
    ds = known(told=(0.9, "1"), error=(0.05, "1"))
    ds["told"] = ds["told"].where(ds["lat"] < 0).assign_attrs(units="1")
    ds["told"][0, 0] = 0.9
    some = quick(ds, priors={"split": Normal("told", "error", 5.0)}, epochs=40)
    every = quick(priors={"split": Normal(0.9, 0.05, 5.0)}, epochs=40)
    split = some.parameters(world())["split"]
    assert float(split.min()) < float(every.parameters(world())["split"].min()) - 0.1


def test_departures_of_logarithms():
    cost = Departures({"k": (np.log([0.1, 0.2]), np.array([0.5, 0.5]), True, 2.0)}, 3.0)
    found = cost({"k": torch.tensor([0.1 * np.e, 0.2])}, torch.tensor([0, 1]))
    np.testing.assert_allclose(found, [2.0 * 3.0 * 4.0, 0.0], atol=1e-5)
    members = cost({"k": torch.tensor([[0.1 * np.e], [0.1]])}, torch.tensor([0]))
    np.testing.assert_allclose(members, [12.0], rtol=1e-5)


def test_gradients_are_finite_where_nothing_is_known():
    cost = Departures({"k": (np.array([np.nan, 1.0]), np.array([1.0, 1.0]), False, 1.0)}, 1.0)
    values = torch.tensor([3.0, 3.0], requires_grad=True)
    cost({"k": values}, torch.tensor([0, 1])).sum().backward()
    np.testing.assert_allclose(values.grad, [0.0, 4.0])


def test_it_is_stored_and_not_needed_afterwards(tmp_path):
    ds = known(told=(0.9, "1"))
    fit = quick(ds, priors={"split": Normal("told", 0.05), "leak": LogNormal(0.1, 0.7)})
    said = {"kind": "normal", "mean": "told", "sd": 0.05, "weight": 0.01}
    assert fit.settings["priors"]["split"] == said
    assert "split normal told ± 0.05, weight 0.01; leak log_normal" in repr(fit)
    fit.save(tmp_path / "fit.zarr")
    again = xdpl.load(tmp_path / "fit.zarr", model=Bucket())
    assert again.settings["priors"]["leak"]["kind"] == "log_normal"
    xr.testing.assert_equal(again.parameters(world()), fit.parameters(world()))


def test_a_checkpoint_belongs_to_its_priors(tmp_path):
    ds = known(told=(0.9, "1"))
    call = {"priors": {"split": Normal("told", 0.05)}, "checkpoint": tmp_path / "c"}
    whole = quick(ds, **call)
    assert_same_fit(quick(ds, **call), whole)
    with pytest.raises(InputErrors, match="checkpoint"):
        quick(
            ds.assign(told=ds["told"] * 0.5 + 0.0).assign(told=lambda d: d["told"].assign_attrs(units="1")),
            **call,
        )


@pytest.mark.parametrize(("loss", "size"), [("rmse", 3.0), ("site_rmse", 3.0), ("nrmse", 1.0), ("kge", 1.0)])
def test_a_departure_is_as_large_as_the_loss(loss, size):
    """In units of the target where the loss is, so that weights compare; twice as much of a weight of 2."""
    level = Level(np.zeros(2), np.ones(2, bool), 3.0)
    assert cost_unit(loss, 2.0, level) == 2.0 * size


@pytest.mark.parametrize(
    ("priors", "said"),
    [
        ({"x": Normal(0.5, 0.1)}, "parameters of 'bucket': leak, split, got 'x'"),
        ({"split": 0.5}, "a prior of xdpl.priors, got 0.5"),
        ([Normal(0.5, 0.1)], "a mapping of parameters to priors"),
        ({"split": Normal("nothing", 0.1)}, "no such variable"),
        ({"split": Normal("told", 0.1)}, "units convertible to '1', got 'mm'"),
        ({"split": Normal("runoff", 0.1)}, "a variable of a prior with dims among"),
        ({"split": Normal(7.0, 0.1)}, "a mean within 0 to 1 1, got 7 to 7"),
        ({"split": Normal(0.5, "none")}, "standard deviations above 0, got others at 6 of 6"),
    ],
)
def test_what_is_refused(priors, said):
    ds = known(told=(0.5, "mm"), none=(0.0, "1"))
    with pytest.raises(InputErrors, match=said):
        quick(ds, priors=priors)


@pytest.mark.parametrize(
    "wrong", [{"sd": 0.0}, {"sd": "s", "weight": -1.0}, {"mean": np.nan}, {"weight": "w"}]
)
def test_numbers_that_are_none(wrong):
    with pytest.raises(ValueError, match="must be a finite number"):
        Normal(**{"mean": 0.5, "sd": 0.1} | wrong)
    with pytest.raises(ValueError, match="above 0"):
        LogNormal(-1.0, 0.5)


def test_around_the_defaults():
    found = xdpl.priors.around_defaults("vic", sd=0.5, weight=2.0)
    assert list(found) == list(xdpl.models.get("vic").defaults())
    said = {"kind": "normal", "mean": 0.45, "sd": pytest.approx(0.15), "weight": 2.0}
    assert found["porosity"].to_dict() == said
    said = {"kind": "log_normal", "mean": 500.0, "sd": pytest.approx(0.5 * np.log(500.0)), "weight": 2.0}
    assert found["ksat"].to_dict() == said
    with pytest.raises(ValueError, match="sd"):
        xdpl.priors.around_defaults("vic", sd=0.0)


def test_what_nothing_tells_stays_near_the_defaults():
    one, other = (
        quick(epochs=30, learning_rate=0.1, priors=p)
        for p in (None, xdpl.priors.around_defaults(Bucket(), weight=5.0))
    )
    assert off(other, "split", 0.4) < off(one, "split", 0.4)
