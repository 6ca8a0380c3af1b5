"""Scores say where they differ in kind from what was trained on."""

import pytest
from helpers_learn import quick, world

from xdpl.fit.consistency import notes
from xdpl.training.losses import LOSSES


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_has_a_note(loss):
    (note,) = notes({"runoff": loss})
    assert note.startswith("trained on ")
    assert ("KGE scores are lower" in note) == (loss in ("nrmse", "nse", "rmse", "site_rmse"))
    assert ("RMSE and NSE are worse" in note) == (loss == "kge")


def test_targets_are_named_where_they_differ():
    assert notes({"a": "nse", "b": "rmse"}) == notes({"a": "nse"})
    first, second = notes({"a": "nse", "b": "kge", "c": "rmse"})
    assert first.startswith("a, c: trained on squared errors") and second.startswith("b: trained on KGE")


def test_scores_carry_it_with_what_metrics_say():
    comment = quick(epochs=1, loss="kge").evaluate(world()).attrs["comment"]
    assert comment.startswith("pairs with NaN are left out") and "; trained on KGE" in comment
