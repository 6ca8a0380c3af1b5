"""Runs that fail while learning: left out, counted, and told of once."""

import numpy as np
import pytest
import torch
from helpers_bucket import called, run
from helpers_gradients import SETTINGS, SITES, basins, estimates, exact, learn, setting, slopes, windows

import xdpl
from xdpl.gradients import SPSA, FiniteDifferences
from xdpl.training.losses import LOSSES, Spread
from xdpl.training.objective import Answers, Objective
from xdpl.training.regimes import Emphasis
from xdpl.training.sources import FAILED


def above(limit):
    """A bucket that breaks where it is larger."""

    def breaks(forcings, parameters):
        if parameters["capacity"].values.max() > limit:
            msg = "the bucket bursts"
            raise ValueError(msg)
        return run(forcings, parameters)

    return breaks


def by_runs(how, limit):
    leaves = estimates()
    source = how.source(setting(called(above(limit))))
    series = source(windows()[0], leaves, windows()[1])
    return slopes(series, leaves), series, source.failures


def test_of_a_series_whose_run_has_failed_nothing_counts():
    """The fourth has a capacity of 300."""
    found, series, failures = by_runs(FiniteDifferences(0.002), 200.0)
    np.testing.assert_array_equal(series[FAILED][0].numpy(), [0.0, 0.0, 0.0, 1.0])
    np.testing.assert_array_equal(series["runoff"].detach()[:, 3].numpy(), 0.0)
    np.testing.assert_array_equal(found[3], 0.0)
    np.testing.assert_allclose(found[:3], exact()[:3], rtol=1e-3)
    assert (len(failures.messages), failures.runs) == (5, 5 * SITES)
    assert "the bucket bursts" in failures.messages[0]


def test_of_a_slope_with_a_run_that_has_failed_only_that_counts_nothing():
    """The run at 300 + 0.76 has failed, and that at 300 has not."""
    found, series, failures = by_runs(FiniteDifferences(0.002), 300.5)
    assert not series[FAILED].any() and len(failures.messages) == 1
    assert found[3, 1] == 0.0
    found[3, 1] = exact()[3, 1]
    np.testing.assert_allclose(found, exact(), rtol=1e-3)
    # Of those that move all at once every slope is lost.
    torch.manual_seed(0)
    found, series, failures = by_runs(SPSA(0.002, draws=3), 300.5)
    assert not series[FAILED].any() and len(failures.messages) == 3
    assert (found[:3] != 0).all() and not found[3].any()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("how", ["pooled", "per-site", "stratified"])
def test_the_loss_is_that_of_the_other_series(loss, how):
    torch.manual_seed(1)
    simulated, observed = torch.rand(20, 5), torch.rand(20, 5)
    failed = torch.tensor([False, True, False, False, True])
    groups = torch.tensor([0, 1, 0, 1, 2])
    emphasis = Emphasis(3) if how == "stratified" else None
    objective = Objective({"q": loss}, {"q": 1.0}, how, emphasis, ("q",) if loss == "rmse" else ())
    whole = Answers({"q": observed}, {"q": Spread(torch.ones(5), 1.0)}, groups)
    zeroed = torch.where(failed, 0.0, simulated).requires_grad_()
    found = objective({"q": zeroed, FAILED: failed[None].float()}, whole)
    kept = torch.nonzero(~failed).squeeze(1)
    part = Answers({"q": observed[:, kept]}, {"q": Spread(torch.ones(3), 1.0)}, groups[kept])
    torch.testing.assert_close(found, objective({"q": simulated[:, kept]}, part))
    (slope,) = torch.autograd.grad(found, [zeroed])
    assert not slope[:, failed].any() and slope[:, kept].any()


def test_learning_goes_on_and_says_so():
    limit = 130.0
    _, truth = basins()
    assert 3 <= int((truth["capacity"] > limit).sum()) <= 8
    with pytest.warns(UserWarning, match="runs failed and are left out") as caught:
        fit = learn(called(above(limit)), FiniteDifferences())
    assert len(caught) == 1 and caught[0].filename == learn.__code__.co_filename
    failed, runs = fit.settings["failed_runs"], fit.settings["model_runs"]
    assert str(caught[0].message).startswith(
        f"learn('bucket'): {failed} of {runs} runs failed and are left out of loss and gradient; the first: "
    )
    assert "the bucket bursts" in str(caught[0].message)
    assert 0 < failed < 0.5 * runs
    # Sites that are far from where it breaks are learned all the same.
    small = truth["capacity"] < 100.0
    found = fit.parameters(basins()[0])["capacity"]
    np.testing.assert_allclose(found[small.values], truth["capacity"][small.values], rtol=0.2)


def test_a_site_that_always_fails():
    """In training and in validation: what is left has a loss."""

    def dry(forcings, parameters):
        if (forcings["precipitation"].values.sum(axis=0) == 0.0).any():
            msg = "no water"
            raise ValueError(msg)
        return run(forcings, parameters)

    ds = basins()[0].copy(deep=True)
    ds["precipitation"][:, 3] = 0.0
    call = SETTINGS | {"epochs": 3, "validate": slice("2001-04-01", None)}
    with pytest.warns(UserWarning, match="33 of 396 runs failed .* no water"):
        fit = xdpl.learn(ds, called(dry), gradients=FiniteDifferences(), **call)
    # Two windows of each of twelve sites in an epoch, and each site in validation.
    assert fit.settings["model_runs"] == 3 * (5 * 24 + 12)
    assert fit.settings["failed_runs"] == 3 * (5 * 2 + 1)
    assert np.isfinite(fit.history["validation_loss"]).all()
    assert float(fit.history["loss"][-1]) < float(fit.history["loss"][0])


def test_a_model_that_always_fails_is_no_loss_of_zero():
    with pytest.raises(FloatingPointError, match=r"none of 24 runs of the model has succeeded; .*bursts"):
        learn(called(above(0.0)), FiniteDifferences())
