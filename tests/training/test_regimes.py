"""Objectives over groups of sites: what they minimise, and what they say of the groups."""

import numpy as np
import pytest
import torch
import xarray as xr
from helpers_learn import Bucket, assert_same_fit, quick, weights, world

import xdpl
from xdpl.errors import InputErrors
from xdpl.objectives import GroupDRO
from xdpl.training.losses import LOSSES, PER_SITE, Spread
from xdpl.training.objective import Answers, Objective
from xdpl.training.regimes import Emphasis

LATE = slice("2001-05-01", "2001-06-30")


def halves():
    """Group 4 in the south, group 7 in the north."""
    sand = world()["sand"]
    south = sand["lat"] < float(sand["lat"].mean())
    labels = xr.where(south, 4, 7).broadcast_like(sand).transpose(*sand.dims)
    return labels.drop_attrs()


def series(seed=0, count=6):
    rng = torch.Generator().manual_seed(seed)
    observed = torch.rand((30, count), generator=rng)
    observed[torch.rand(observed.shape, generator=rng) < 0.3] = torch.nan
    simulated = torch.rand((30, count), generator=rng, requires_grad=True)
    spread = Spread(torch.linspace(0.5, 1.5, count), 1.0)
    return simulated, observed, spread


@pytest.mark.parametrize("loss", LOSSES)
def test_per_site_is_the_mean_of_each_site_by_itself(loss):
    simulated, observed, spread = series()
    alone = [
        LOSSES[loss](simulated[:, [i]], observed[:, [i]], Spread(spread.std[[i]], spread.typical))
        for i in range(simulated.shape[1])
    ]
    found = PER_SITE[loss](simulated, observed, spread)
    torch.testing.assert_close(found, torch.stack(alone).mean())


def test_groups_are_lost_each_by_itself():
    simulated, observed, spread = series()
    groups = torch.tensor([0, 2, 0, 2, 2, 0])
    answers = Answers({"a": observed}, {"a": spread}, groups)
    objective = Objective({"a": "rmse"}, {"a": 2.0}, "stratified", Emphasis(3))
    loss, of_groups = objective.training({"a": simulated}, answers)
    own = [2.0 * LOSSES["rmse"](simulated[:, groups == g], observed[:, groups == g], spread) for g in (0, 2)]
    torch.testing.assert_close(loss, torch.stack(own).mean())
    assert torch.isnan(of_groups[1])
    torch.testing.assert_close(of_groups[[0, 2]], torch.stack(own).detach())
    torch.testing.assert_close(objective({"a": simulated}, answers), loss)
    loss.backward()
    assert torch.isfinite(simulated.grad).all()
    worst = Objective({"a": "rmse"}, {"a": 2.0}, "group-dro", Emphasis(3, GroupDRO()))
    torch.testing.assert_close(worst({"a": simulated}, answers), torch.stack(own).max())


def test_weights_go_to_the_group_that_loses_more():
    emphasis = Emphasis(3, GroupDRO(step=0.1))
    losses = torch.tensor([0.2, 0.1, 0.3])
    emphasis.learn(losses)
    expected = np.exp(0.1 * (np.array([1.0, 0.5, 1.5]) - 1.0))
    np.testing.assert_allclose(emphasis.weights, expected / expected.sum(), rtol=1e-6)
    for _ in range(200):
        emphasis.learn(losses)
    assert float(emphasis.weights[2]) > 0.99
    assert float(emphasis.total(losses)) == pytest.approx(0.3, abs=1e-3)


def test_a_group_that_is_not_in_the_batch_keeps_its_share():
    emphasis = Emphasis(3, GroupDRO(step=0.5))
    emphasis.learn(torch.tensor([0.2, torch.nan, 0.2]))
    np.testing.assert_allclose(emphasis.weights, 1 / 3, rtol=1e-6)
    assert float(emphasis.total(torch.tensor([0.2, torch.nan, 0.4]))) == pytest.approx(0.3)


def test_a_floor_is_kept_by_every_group():
    emphasis = Emphasis(2, GroupDRO(step=1.0, floor=0.4))
    for _ in range(100):
        emphasis.learn(torch.tensor([0.1, 1.0]))
    np.testing.assert_allclose(emphasis.shares(), [0.2, 0.8], atol=1e-6)


@pytest.mark.parametrize("options", [{"step": 0.0}, {"step": float("inf")}, {"floor": 1.0}, {"floor": -0.1}])
def test_rules_out_of_range(options):
    with pytest.raises(ValueError, match=f"{next(iter(options))} must be"):
        GroupDRO(**options)


def test_looking_at_groups_changes_nothing():
    plain, looked = quick(epochs=4), quick(epochs=4, groups=halves())
    assert_same_fit(looked.__class__(**{**vars(looked), "history": plain.history}), plain)
    assert list(looked.history["group"].values) == [4, 7]
    for name in plain.history.drop_vars("seconds"):
        np.testing.assert_array_equal(looked.history[name], plain.history[name])


def test_per_site_of_pooled_errors_is_another_loss():
    one, other = quick(epochs=3, loss="rmse", objective="per-site"), quick(epochs=3, loss="site_rmse")
    np.testing.assert_allclose(weights(one), weights(other), rtol=1e-6)
    assert one.settings["objective"] == "per-site"


def test_the_history_has_the_groups():
    fit = quick(epochs=4, objective=GroupDRO(step=0.3), groups=halves())
    history = fit.history
    assert history["group_loss"].dims == ("epoch", "group")
    np.testing.assert_allclose(history["group_weight"].sum("group"), 1.0, rtol=1e-6)
    np.testing.assert_allclose(history["group_weight"][0], 0.5)
    worst = history["group_loss"].mean("epoch").idxmax()
    assert (history["group_weight"].sel(group=worst)[1:] > 0.5).all()
    cosine = history["group_cosine"]
    np.testing.assert_allclose(cosine.sel(group=4, other=4), 1.0)
    np.testing.assert_allclose(cosine, cosine.rename(group="other", other="group").transpose(*cosine.dims))
    assert fit.settings["group_dro"] == {"step": 0.3, "floor": 0.0}


def test_the_weights_reach_the_worst_group():
    """One group is observed where the model cannot go along with the other."""
    ds, groups = world(), halves()
    shifted = ds["runoff"] * xr.where(groups == 7, 3.0, 1.0)
    ds["runoff"] = shifted.astype("float32").assign_attrs(ds["runoff"].attrs)
    options = {"epochs": 40, "loss": "rmse", "groups": groups, "attributes": ["clay"], "learning_rate": 0.02}
    even = quick(ds, **options)
    worst = quick(ds, objective=GroupDRO(step=0.5), **options)
    losses = [fit.history["group_loss"][-5:].mean("epoch") for fit in (even, worst)]
    assert float(losses[1].max()) < float(losses[0].max())
    assert float(worst.history["group_weight"].sel(group=7)[-1]) > 0.6


def test_gradients_of_opposite_errors_are_opposed():
    """Too much in one group and too little in the other, with nothing to tell them apart."""
    ds, groups = world(), halves()
    default = xdpl.simulate(ds, Bucket())
    flow = default["runoff"] * xr.where(groups == 7, 1.4, 0.6)
    ds["runoff"] = flow.astype("float32").assign_attrs(ds["runoff"].attrs)
    ds["same"] = xr.zeros_like(ds["sand"]) + ds["sand"].mean()
    ds["same"] = (ds["same"] + 1e-3 * ds["clay"]).assign_attrs(units="percent")
    against = quick(ds, epochs=1, groups=groups, loss="rmse")
    assert float(against.history["group_cosine"].sel(group=4, other=7)[0]) < -0.3
    with_each_other = ds.assign(
        runoff=(default["runoff"] * 1.4).astype("float32").assign_attrs(units="mm d-1")
    )
    along = quick(with_each_other, epochs=1, groups=groups, loss="rmse")
    assert float(along.history["group_cosine"].sel(group=4, other=7)[0]) > 0.3


def test_saved_with_the_fit(tmp_path):
    fit = quick(epochs=2, objective="stratified", groups=halves())
    fit.save(tmp_path / "fit")
    again = xdpl.load(tmp_path / "fit", model=fit.model)
    xr.testing.assert_equal(again.history, fit.history)
    assert again.settings["objective"] == "stratified"


def test_validated_by_the_worst_group():
    fit = quick(epochs=3, objective="group-dro", groups=halves(), validate=LATE)
    even = quick(epochs=3, objective="stratified", groups=halves(), validate=LATE)
    assert float(fit.history["validation_loss"][0]) > float(even.history["validation_loss"][0])


def test_every_problem_is_named():
    with pytest.raises(InputErrors) as caught:
        quick(objective="worst", groups=halves().astype(float))
    assert [e.subject for e in caught.value.exceptions] == ["objective", "groups"]
    with pytest.raises(InputErrors, match="groups: expected a label for each site, got none"):
        quick(objective="stratified")
    with pytest.raises(InputErrors, match=r"groups: expected .* labels"):
        quick(groups=halves().isel(lat=0))
    with pytest.raises(InputErrors, match="groups: expected at every site a label"):
        quick(groups=xr.where(halves() == 4, -1, 7))


def test_sites_without_a_group_can_be_left_out():
    groups = xr.where(halves() == 4, -1, 7)
    fit = quick(epochs=1, groups=groups, sites=groups >= 0)
    assert list(fit.history["group"].values) == [7]
