"""Parameters of programs, learned without a surrogate."""

import functools

import numpy as np
import pytest
from helpers_bucket import FLUXES, FORCINGS, PARAMETERS, Twin, bucket, called, compiled, run
from helpers_gradients import SETTINGS, basins, learn, score
from helpers_learn import Bucket, assert_same_fit, quick, world

import xdpl
from xdpl.blackbox import session
from xdpl.errors import InputErrors
from xdpl.gradients import SPSA, FiniteDifferences
from xdpl.models import BlackBox
from xdpl.networks import MLP
from xdpl.training.progress import Progress


@functools.cache
def of_the_adjoint():
    """What the twin learns with its own gradients."""
    return score(learn(Twin()))


@pytest.mark.parametrize("how", [FiniteDifferences(), FiniteDifferences(central=False), SPSA()])
def test_parameters_of_a_function_are_learned(how):
    ds, truth = basins()
    model = called(run)
    fit = learn(model, how)
    start = xdpl.evaluation.metrics(xdpl.simulate(ds, model)["runoff"], ds["runoff"])["nse"]
    # Of runs of the black box itself.
    assert float(start.median()) < 0.8
    assert score(fit) > 0.95 and score(fit) > of_the_adjoint() - 0.02
    theta = fit.parameters(ds)
    for name in ("k", "capacity"):
        assert np.corrcoef(theta[name], truth[name])[0, 1] > 0.9
    # 30 epochs of an update of 24 series.
    assert fit.settings["model_runs"] == 30 * 24 * how.runs(2)
    assert fit.settings["failed_runs"] == 0
    assert fit.settings["gradients"] == repr(how) and fit.settings["engine"] == "process"


def test_parameters_of_a_program_are_learned(tmp_path, monkeypatch):
    """Few updates, each of many processes, all from one pool."""
    made, begin = [], session._begin
    monkeypatch.setattr(session, "_begin", lambda model: made.append(model) or begin(model))
    command = bucket(compiled(tmp_path)).run
    model = BlackBox("bucket", FORCINGS, PARAMETERS, FLUXES, command, batch=False, workers=2)
    few = {"epochs": 15, "batch": 12, "window": 120, "learning_rate": 0.1, "schedule": "linear"}
    fit = learn(model, SPSA(), **few)
    assert len(made) == 1
    assert fit.settings["model_runs"] == 15 * 12 * 3
    assert score(fit) > 0.9


def test_a_native_model_with_members_and_two_targets():
    ds = world()
    ds["wet"] = xdpl.simulate(ds, Bucket(), {"leak": 0.2, "split": 0.3}, outputs=["wetness"])["wetness"]
    options = {"target": {"runoff": "runoff", "wetness": "wet"}, "members": 2, "epochs": 5}
    near, direct = (quick(ds, gradients=g, **options) for g in (FiniteDifferences(0.002), None))
    assert near.settings["engine"] == direct.settings["engine"] == "numba"
    theta, exact = (fit.parameters(ds) for fit in (near, direct))
    assert theta["leak"].sizes["member"] == 2
    for name in ("leak", "split"):
        np.testing.assert_allclose(theta[name], exact[name], rtol=0.01)
    np.testing.assert_allclose(near.history["loss"], direct.history["loss"], rtol=1e-3)


def test_priors_operators_and_other_objectives():
    """Together with all that is done to the series afterwards."""
    options = {
        "observation": "site_affine",
        "loss": "kge",
        "priors": xdpl.priors.around_defaults(Bucket()),
        "objective": "stratified",
        "groups": (world()["sand"] > 50.0).astype(int),
        "validate": slice("2001-05-01", None),
        "epochs": 4,
    }
    near, direct = (quick(gradients=g, **options) for g in (FiniteDifferences(0.002), None))
    for name in ("loss", "validation_loss", "group_cosine"):
        np.testing.assert_allclose(near.history[name], direct.history[name], rtol=1e-2, atol=1e-3)
    # Of four epochs of five updates, of four cosines, and of validation.
    assert near.settings["model_runs"] == 4 * (5 * 4 * 5 + 4 * 5 + 6)


def test_the_same_seed_gives_the_same_fit():
    def fit(seed):
        return quick(gradients=SPSA(), seed=seed)

    assert_same_fit(fit(1), fit(1))
    assert not np.array_equal(fit(1).history["loss"], fit(2).history["loss"])


GROUPED = {"groups": (world()["sand"] > 50.0).astype(int), "network": MLP((8,), dropout=0.3)}


@pytest.mark.parametrize("gradients", [SPSA(draws=2), FiniteDifferences()])
def test_resumed_exactly(tmp_path, monkeypatch, gradients):
    options = {"epochs": 5, "gradients": gradients, **GROUPED}
    whole = quick(**options)
    update = Progress.update

    def stopping(self, row):
        update(self, row)
        raise KeyboardInterrupt

    for _ in range(3):
        with monkeypatch.context() as patch:
            patch.setattr(Progress, "update", stopping)
            part = quick(checkpoint=tmp_path / "c", **options)
    assert part.history.sizes["epoch"] == 3 and part.settings["stopped"] == "interrupted"
    resumed = quick(checkpoint=tmp_path / "c", **options)
    assert_same_fit(resumed, whole)
    assert resumed.settings == whole.settings


def test_several_seeds_and_folds():
    ensemble = quick(gradients=SPSA(), seed=[0, 1], epochs=2)
    assert [fit.settings["model_runs"] for fit in ensemble.fits] == [2 * 5 * 4 * 3] * 2
    options = {k: v for k, v in SETTINGS.items() if k not in ("target", "attributes", "progress")}
    result = xdpl.cross_validate(
        basins()[0],
        called(run),
        protocol=xdpl.evaluation.Ungauged(k=2),
        train=slice("2001-02-01", "2001-04-15"),
        test=slice("2001-04-16", None),
        target="runoff",
        attributes=["slope", "soil"],
        gradients=SPSA(),
        progress=False,
        **(options | {"epochs": 2}),
    )
    assert (result["nse"].notnull().sum("fold") == 1).all()


def test_a_checkpoint_of_other_gradients_is_refused(tmp_path):
    quick(checkpoint=tmp_path / "c", gradients=SPSA())
    for other in (SPSA(0.1), SPSA(draws=2), FiniteDifferences(), None):
        with pytest.raises(InputErrors, match="a checkpoint of this run"):
            quick(checkpoint=tmp_path / "c", gradients=other)


def test_saved_and_loaded(tmp_path):
    fit = quick(gradients=FiniteDifferences(0.02, central=False))
    fit.save(tmp_path / "fit")
    assert xdpl.load(tmp_path / "fit", model=Bucket()).settings == fit.settings
