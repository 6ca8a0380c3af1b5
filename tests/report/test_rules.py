"""Each rule warns of what it is for, with the number, and of nothing else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from xdpl.observation import SiteAffine
from xdpl.report import rules
from xdpl.report.facts import Period
from xdpl.report.gather import main_metric
from xdpl.report.sections.warnings import warnings

ROOT = Path(__file__).parents[2]


def trained(facts, history=None, operators=None, **settings):
    """Facts of a fit with another history or other settings."""
    fit = facts.fit
    changed = fit.history if history is None else fit.history.assign(history)
    fit = replace(
        fit, history=changed, settings=fit.settings | settings, operators=operators or fit.operators
    )
    return replace(facts, fit=fit)


def targeted(facts, **parts):
    """Facts whose only target has other parts."""
    return replace(facts, targets=(replace(facts.targets[0], **parts),))


def epochs(*values):
    return ("epoch", np.array(values, float))


def transferred(facts, **numbers):
    return targeted(facts, transfer=facts.targets[0].transfer.assign(numbers))


def medians(facts, value, default):
    """Facts with this NSE at all sites, of the fit and of the defaults."""
    name = facts.targets[0].main.name
    assert name == "nse"
    scores = facts.targets[0].scores
    flat = xr.full_like(scores[name], value)
    return targeted(
        facts,
        scores=scores.assign({name: flat}),
        uncalibrated=scores.assign({name: xr.full_like(flat, default)}),
    )


def found(rule, facts):
    """The only finding of a rule."""
    (one,) = rule(facts)
    assert one.todo
    return one.found


def test_gradients_that_are_not_finite(facts):
    assert rules.diverged(facts) == []
    assert found(rules.diverged, trained(facts, {"loss": epochs(1, np.nan, np.nan)})) == (
        "the loss is not finite in 2 epochs"
    )
    assert "gradient norm is not finite in 1 " in found(
        rules.diverged, trained(facts, {"gradient_norm": epochs(1, np.inf, 1)})
    )
    assert "after epoch 3" in found(rules.diverged, trained(facts, stopped="diverged"))


def test_gradients_that_jump(facts):
    assert rules.spiked(trained(facts, {"gradient_norm": epochs(1, 99, 1)})) == []
    assert "250 times" in found(rules.spiked, trained(facts, {"gradient_norm": epochs(1, 250, 1)}))
    assert rules.spiked(trained(facts, {"gradient_norm": epochs(np.nan, np.nan, np.nan)})) is None


def test_transfer_test(facts):
    assert rules.transfer_failed(facts) == []
    text = found(rules.transfer_failed, transferred(facts, failed=True, ratio=2.5))
    assert "FAIL for soil_moisture" in text and "2.50 times" in text and "1.30" in text
    assert rules.transfer_failed(targeted(facts, transfer=None)) is None


@pytest.mark.parametrize(("share", "warns"), [(0.79, False), (0.8, True), (1.4, True), (np.nan, False)])
def test_affine_share(facts, share, warns):
    findings = rules.affine(transferred(facts, affine_share=share))
    assert bool(findings) == warns
    assert not warns or f"affine share {share:.3g}" in findings[0].found.replace("0.800", "0.8")


def test_no_gain(facts):
    assert rules.no_gain(medians(facts, 0.5, 0.4)) == []
    text = found(rules.no_gain, medians(facts, 0.4, 0.5))
    assert "median 0.400" in text and "default parameters 0.500" in text
    assert rules.no_gain(targeted(facts, uncalibrated=None)) is None


def test_no_gain_in_an_error(facts):
    scores = facts.targets[0].scores
    worse = scores.assign(rmse=(2.0 * scores["rmse"]).assign_attrs(scores["rmse"].attrs))
    main = main_metric("rmse")
    assert rules.no_gain(targeted(facts, main=main, scores=scores, uncalibrated=worse)) == []
    assert "m3 m-3" in found(rules.no_gain, targeted(facts, main=main, scores=worse, uncalibrated=scores))


def test_days_that_were_trained_on(facts):
    assert rules.trained_on(facts) == []
    inside = replace(facts, period=Period("2001-08-31", "2002-01-01", "as asked for"))
    assert "2001-08-31 to 2002-01-01" in found(rules.trained_on, inside)
    after = replace(facts, period=Period("2001-09-01", "2002-01-01", "as asked for"))
    assert rules.trained_on(after) == []
    assert rules.trained_on(replace(facts, period=None)) is None


def test_overfitting(facts):
    training = facts.targets[0].transfer["training_rmse"]
    scores = facts.targets[0].scores

    def times(factor):
        rmse = xr.full_like(scores["rmse"], factor * float(training.median()))
        return targeted(facts, scores=scores.assign(rmse=rmse))

    assert rules.overfitted(times(1.29)) == []
    assert "2.00 times" in found(rules.overfitted, times(2.0))
    # The training RMSE is that through the operator.
    affine = trained(times(2.0), operators={"soil_moisture": SiteAffine()})
    assert rules.overfitted(affine) is None


def test_worst_group(facts):
    target = facts.targets[0]
    nse = xr.where(target.groups == 2, 0.4, 0.8)
    assert float(nse.median()) == 0.8
    text = found(rules.worst_group, targeted(facts, scores=target.scores.assign(nse=nse)))
    assert "dry: median nse 0.400, of all sites 0.800" in text and "3.00 times" in text
    nse = xr.where(target.groups == 2, 0.75, 0.8)
    assert rules.worst_group(targeted(facts, scores=target.scores.assign(nse=nse))) == []
    assert rules.worst_group(targeted(facts, groups=None)) is None


def test_bounds(facts):
    shares = facts.at_bounds.map(lambda v: v * 0.0 + 0.1)
    assert rules.bounded(replace(facts, at_bounds=shares)) == []
    shares["ksat"], shares["d3"] = shares["ksat"] + 0.15, shares["d3"] + 0.55
    text = found(rules.bounded, replace(facts, at_bounds=shares))
    assert text == "at a bound: d3 (65 % of the sites), ksat (25 % of the sites)"
    assert rules.bounded(replace(facts, at_bounds=None)) is None


def test_parameters_that_are_not_seen(facts):
    told = facts.targets[0].told

    def unseen(names):
        return targeted(facts, told=told.assign_attrs(unseen_at_most_sites=names))

    assert rules.unseen(unseen("[]")) == []
    assert "d3, ws (2 parameters)" in found(rules.unseen, unseen('["d3", "ws"]'))
    # What one target sees is seen.
    both = replace(facts, targets=(*unseen('["d3", "ws"]').targets, *unseen('["d3"]').targets))
    assert ": d3 (1 parameter)" in found(rules.unseen, both)
    assert rules.unseen(targeted(facts, told=None)) is None


def test_sites_without_a_score(facts):
    assert rules.unscored(facts) == []
    rmse = facts.targets[0].scores["rmse"]
    few = rmse.where(rmse["lat"] > float(rmse["lat"][1]))
    text = found(rules.unscored, targeted(facts, scores=facts.targets[0].scores.assign(rmse=few)))
    assert "at 10 of 20 sites" in text


def test_stopped_by_hand(facts):
    assert rules.interrupted(facts) == []
    assert "3 of 200 epochs" in found(rules.interrupted, trained(facts, stopped="interrupted", epochs=200))


def test_best_epoch(facts):
    assert "best epoch, 3," in found(rules.still_falling, trained(facts, best_epoch=3))
    assert rules.still_falling(trained(facts, best_epoch=2)) == []
    assert rules.still_falling(trained(facts, validate=None, best_epoch=3)) is None


def test_loss_that_does_not_fall(facts):
    assert rules.no_progress(trained(facts, {"loss": epochs(3, 4, 2)})) == []
    text = found(rules.no_progress, trained(facts, {"loss": epochs(1, 0.5, 1.25)}))
    assert "from 1.00 in the first epoch to 1.25" in text
    assert rules.no_progress(trained(facts, {"loss": epochs(1, 0.5, np.nan)})) != []


def test_a_surrogate_that_does_not_answer(facts):
    failed = xr.DataArray(
        [[[[False], [True]], [[False], [False]]]],
        {"round": [1], "where": ["range", "estimate"], "parameter": ["ksat", "d1"], "target": ["runoff"]},
        ["round", "where", "parameter", "target"],
    )
    said = {"rounds": 1, "best_round": 1}
    text = found(rules.untrusted_surrogate, trained(facts, {"audit_failed": failed}, **said))
    assert "over the bounds the surrogate does not answer d1 as the model does" in text
    assert rules.untrusted_surrogate(trained(facts, {"audit_failed": failed & False}, **said)) == []
    assert rules.untrusted_surrogate(facts) == []


def test_no_validation(facts):
    assert rules.no_validation(facts) == []
    assert "no validation" in found(rules.no_validation, trained(facts, validate=None))


def test_every_rule_is_looked_at():
    own = {
        v for k, v in vars(rules).items() if callable(v) and getattr(v, "__module__", "") == rules.__name__
    }
    looking = {v for v in own if not isinstance(v, type) and not v.__name__.startswith("_")}
    assert {rule.look for rule in rules.RULES} == looking
    assert len({rule.says for rule in rules.RULES}) == len(rules.RULES)


@pytest.mark.skipif(not (ROOT / "mkdocs.yml").exists(), reason="pages are not part of a source distribution")
def test_pages_are_there():
    text = (ROOT / "mkdocs.yml").read_text("utf8")
    for rule in rules.RULES:
        assert f"- {rule.page}: " in text or f'- "{rule.page}": ' in text


def test_what_is_said_of_rules(facts):
    text = warnings(trained(facts, validate=None))
    assert "<strong>There was no validation" in text
    assert "1 check could not be made" in text
    quiet = trained(transferred(facts, affine_share=0.0), best_epoch=1)
    quiet = targeted(quiet, told=facts.targets[0].told.assign_attrs(unseen_at_most_sites="[]"))
    quiet = targeted(quiet, groups=None)
    findings = [f for rule in rules.RULES for f in rule.look(quiet) or ()]
    assert findings == []
    text = warnings(quiet)
    assert "<ol" not in text and "Nothing was found by the 15 checks" in text
