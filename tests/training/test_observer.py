"""Operators as modules: their formula, what they cost, what they report."""

import numpy as np
import pytest
import torch

from xdpl.observation import Anomaly, Frozen, GlobalAffine, Identity, SiteAffine
from xdpl.training.losses import Spread
from xdpl.training.objective import Answers, Objective, departures
from xdpl.training.observer import PENALTY, Level, Observer
from xdpl.training.observing import cost_unit

LEVEL = Level(np.array([1.0, 2.0, 4.0, 100.0]), np.array([True, True, True, False]), 0.5)
SITES = torch.tensor([2, 0, 2])


def moved(operator, unit=1.0):
    torch.manual_seed(1)
    observer = Observer({"q": operator}, {"q": LEVEL}, {}, {"q": unit})
    with torch.no_grad():
        for values in observer.parameters():
            values.copy_(torch.randn(values.shape))
    return observer


@pytest.mark.parametrize("operator", [SiteAffine(), GlobalAffine()])
def test_scale_and_offset_are_what_is_applied(operator):
    observer = moved(operator)
    simulated = torch.rand(5, 3)
    found = observer({"q": simulated}, SITES)["q"].detach()
    values = observer.values()["q"]
    own = SITES.numpy() if operator.per_site else np.zeros(3, int)
    expected = values["scale"][own] * simulated.numpy() + values["offset"][own]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    alpha, beta = (v.detach().numpy() for v in observer.parameters())
    pivot = LEVEL.mean if operator.per_site else np.array([2.0])
    np.testing.assert_allclose(values["scale"], np.exp(alpha), rtol=1e-6)
    np.testing.assert_allclose(
        values["offset"], pivot * (1 - np.exp(alpha)) + 0.5 * beta, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("operator", [SiteAffine(), GlobalAffine(), Identity(), Anomaly()])
def test_fresh_ones_change_nothing(operator):
    observer = Observer({"q": operator}, {"q": LEVEL}, {}, {"q": 1.0})
    simulated = torch.rand(5, 3)
    np.testing.assert_allclose(observer({"q": simulated}, SITES)["q"].detach(), simulated, atol=1e-5)


def test_frozen_is_not_trained():
    given = {"q": (np.array([2.0, 3.0, 4.0, 5.0]), np.array([0.1, 0.2, 0.3, 0.4]))}
    observer = Observer({"q": Frozen(2.0, 1.0)}, {"q": LEVEL}, given, {"q": 1.0})
    assert list(observer.parameters()) == []
    found = observer({"q": torch.ones(1, 3)}, SITES)["q"]
    np.testing.assert_allclose(found, [[4.3, 2.1, 4.3]], rtol=1e-6)


def test_cost_is_the_mean_over_series_of_squares():
    observer = moved(SiteAffine(penalty=3.0), unit=0.5)
    alpha, beta = (v.detach().numpy() for v in observer.parameters())
    out = observer({"q": torch.zeros(4, 3)}, SITES)
    spread = Spread(torch.ones(3), 1.0)
    answers = Answers({"q": torch.zeros(4, 3)}, {"q": spread})
    objective = Objective({"q": "rmse"}, {"q": 1.0})
    whole, alone = objective(out, answers), objective({"q": out["q"]}, answers)
    expected = 0.5 * 3.0 * np.mean((alpha**2 + beta**2)[[2, 0, 2]])
    assert float((whole - alone).detach()) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("operator", [SiteAffine(penalty=0.0), GlobalAffine(), Identity()])
def test_without_a_penalty_nothing_is_added(operator):
    assert set(moved(operator)({"q": torch.zeros(4, 3)}, SITES)) == {"q"}


def test_validation_has_no_penalty():
    observer = moved(SiteAffine())
    assert PENALTY in observer({"q": torch.zeros(4, 3)}, SITES)
    assert PENALTY not in observer.eval()({"q": torch.zeros(4, 3)}, SITES)


@pytest.mark.parametrize(("loss", "unit"), [("nrmse", 2.0), ("kge", 2.0), ("rmse", 1.0), ("site_rmse", 1.0)])
def test_a_strength_is_in_units_of_the_loss(loss, unit):
    assert cost_unit(loss, 2.0, LEVEL) == unit


def test_operators_do_not_decay_and_have_their_own_rate():
    (group,) = moved(SiteAffine(rate=4.0)).groups(0.1)
    assert (group["lr"], group["weight_decay"], len(group["params"])) == (0.4, 0.0, 2)


def test_departures_are_those_of_days_with_an_observation():
    simulated = torch.tensor([[1.0, 1.0], [2.0, 5.0], [6.0, 9.0]])
    observed = torch.tensor([[4.0, float("nan")], [float("nan"), float("nan")], [8.0, float("nan")]])
    s, o = departures(simulated, observed)
    np.testing.assert_allclose(s[:, 0], [-2.5, -1.5, 2.5])
    np.testing.assert_allclose(o[:, 0], [-2.0, np.nan, 2.0])
    assert torch.isnan(o[:, 1]).all()


def test_centred_targets_are_compared_so():
    simulated, observed = torch.rand(6, 2), torch.rand(6, 2)
    answers = Answers({"q": observed + 3.0}, {"q": Spread(torch.ones(2), 1.0)})
    found = Objective({"q": "rmse"}, {"q": 1.0}, centred=("q",))({"q": simulated}, answers)
    s, o = simulated - simulated.mean(0), observed - observed.mean(0)
    assert float(found) == pytest.approx(float(((s - o) ** 2).mean() ** 0.5), rel=1e-4)
