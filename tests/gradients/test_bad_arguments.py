"""What gradients by runs cannot be had of, or with."""

import numpy as np
import pytest
from helpers_bucket import FLUXES, FORCINGS, PARAMETERS, Twin, called, run
from helpers_gradients import learn
from helpers_learn import problems, quick

from xdpl.errors import InputErrors
from xdpl.gradients import SPSA, FiniteDifferences
from xdpl.models import BlackBox, Command, NetworkOnly
from xdpl.training import entry
from xdpl.training.parallel import Team


def refused(call):
    with pytest.raises(InputErrors) as raised:
        call()
    return problems(raised)


@pytest.mark.parametrize("kind", [FiniteDifferences, SPSA])
@pytest.mark.parametrize("step", [0.0, -0.1, 0.6, float("nan"), True, "0.1", None])
def test_steps(kind, step):
    assert "above 0, at most 0.5, got" in refused(lambda: kind(step))["step"]


@pytest.mark.parametrize("draws", [0, 1.5, True, None])
def test_draws(draws):
    assert "an integer of at least 1" in refused(lambda: SPSA(draws=draws))["draws"]


def test_several_at_once():
    assert set(refused(lambda: SPSA(2.0, draws=0))) == {"step", "draws"}
    assert set(refused(lambda: FiniteDifferences(2.0, central=1))) == {"step", "central"}


def test_numbers_of_other_kinds_are_those_of_python():
    assert repr(SPSA(np.float32(0.25), np.int64(2))) == "SPSA(step=0.25, draws=2)"
    assert FiniteDifferences(np.float64(0.5)) == FiniteDifferences(0.5)


@pytest.mark.parametrize("given", [3, "spsa", SPSA, FiniteDifferences])
def test_what_is_no_specification(given):
    said = refused(lambda: quick(gradients=given))["gradients"]
    assert "Loop or Surrogate of xdpl.surrogate, or FiniteDifferences or SPSA of xdpl.gradients, got" in said


def test_what_they_cannot_be_had_for():
    call = {"gradients": SPSA(), "network": "lstm", "dynamic": ["leak"], "warmup_gradient": False}
    with pytest.raises(InputErrors) as raised:
        quick(**call)
    said = [str(e) for e in raised.value.exceptions if e.subject == "gradients"]
    assert len(said) == 2 and "static parameters" in said[0] and "through the warm-up" in said[1]


def test_a_model_without_parameters():
    alone = NetworkOnly(Twin())
    said = refused(lambda: learn(alone, SPSA(), network="lstm"))["gradients"]
    assert "a model with parameters, to move them, got" in said and "which has none" in said


def test_a_team(monkeypatch):
    monkeypatch.setattr(entry, "join", lambda device: Team(0, 2))
    said = refused(lambda: quick(gradients=SPSA()))["gradients"]
    assert "got 2 processes of torchrun" in said and "without torchrun" in said


def test_engines():
    said = refused(lambda: learn(called(run), SPSA(), engine="numba"))["engine"]
    assert "'process' or None" in said
    assert learn(called(run), SPSA(), engine="process", epochs=1).settings["engine"] == "process"
    assert (
        "'array', 'cuda', 'numba' or None"
        in refused(lambda: quick(gradients=SPSA(), engine="process"))["engine"]
    )


def test_a_program_that_is_not_there():
    command = Command(["./no-such-program", "{forcing}", "{parameters}", "{output}"])
    model = BlackBox("bucket", FORCINGS, PARAMETERS, FLUXES, command)
    found = refused(lambda: learn(model, SPSA(), epochs=0))
    assert "a program that exists" in found["run"] and "epochs" in found
