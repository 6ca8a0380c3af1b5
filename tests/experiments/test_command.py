"""The command: a table, a file, a picture; and names that agree."""

from dataclasses import replace

import pytest
import xarray as xr
from helpers_towers import station

import xdpl
from xdpl import cli
from xdpl.experiments import command
from xdpl.experiments.cases import CASES, twin
from xdpl.experiments.contenders import CONTENDERS
from xdpl.experiments.global_constraint import CONTENDERS as ON_FEW_DATA
from xdpl.experiments.headroom import CONTENDERS as ANYTHING
from xdpl.experiments.history import CONTENDERS as WITH_A_HISTORY
from xdpl.experiments.maps import MAPS
from xdpl.experiments.names import NAMES
from xdpl.experiments.perturbation import CONTENDERS as PERTURBED
from xdpl.experiments.regimes import CONTENDERS as OBJECTIVES
from xdpl.experiments.surrogate import CONTENDERS as BOTH_WAYS
from xdpl.experiments.tower_contenders import CONTENDERS as AT_TOWERS
from xdpl.experiments.uncertainty import CONTENDERS as UNCERTAIN
from xdpl.observation import SiteAffine
from xdpl.surrogate import Loop

# Of a surrogate that is none.
ANY = {"slope": (-99.0, 99.0), "correlation": 0.0, "effect": 1.0}


def small():
    full = twin(xdpl.data.twin(shape=(4, 5), years=3))
    few = {"epochs": 2, "window": 90}
    return replace(
        full,
        **{
            "learn": few,
            "alone": few | {"network": xdpl.networks.LSTM(4)},
            "history": {"network": xdpl.networks.History(30, 4)},
            "calibrate": full.calibrate | {"evaluations": 40},
            "loop": Loop(draws=2, more=1, rounds=1, emulator={"epochs": 1}, audit=ANY),
        },
    )


def test_names_agree():
    assert tuple(command.EXPERIMENTS) == cli.EXPERIMENTS
    groups = (
        CONTENDERS,
        MAPS,
        AT_TOWERS,
        ON_FEW_DATA,
        WITH_A_HISTORY,
        OBJECTIVES,
        ANYTHING,
        PERTURBED,
        UNCERTAIN,
        BOTH_WAYS,
    )
    assert set(NAMES) == {name for group in groups for name in group}
    assert {e.data for e in command.EXPERIMENTS.values()} <= set(CASES)


@pytest.mark.parametrize("name", cli.EXPERIMENTS)
def test_an_experiment_prints_and_writes(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(command.CASES, "twin", small)
    chosen = command.EXPERIMENTS[name]
    monkeypatch.setitem(command.EXPERIMENTS, name, SMALL[name](chosen))
    assert (
        cli.main(["experiment", name, "--data", "twin", "--seeds", "2", "--quiet", "--out", str(tmp_path)])
        == 0
    )
    printed = capsys.readouterr().out
    assert "parameter learning" in printed and f"{name}-twin.nc" in printed
    assert (tmp_path / f"{name}-twin.txt").read_text("utf8").strip() in printed
    with xr.open_dataset(tmp_path / f"{name}-twin.nc") as result:
        assert result.sizes["seed"] == 2
        assert f"experiment {name} on twin" in result.attrs["title"]
    assert "<svg" in (tmp_path / f"{name}-twin.svg").read_text()


def smaller(chosen, **options):
    """The same experiment at few sites."""
    return command.Experiment(
        lambda case, **more: chosen.run(case, **options, **more), chosen.report, chosen.data, chosen.files
    )


SMALL = {
    "coherence": lambda chosen: smaller(chosen, neighbours=4),
    "cost": lambda chosen: smaller(chosen, sizes=(3, 6), batch=4, updates=(1, 2), evaluations=(10, 20)),
    "data-efficiency": lambda chosen: smaller(chosen, sizes=(3, 6), days=(200, 365), held_out=5),
    "data-fraction": lambda chosen: smaller(chosen, sizes=(3, 6), held_out=5),
    "global-constraint": lambda chosen: smaller(chosen, days=100),
    "headroom": smaller,
    "history": lambda chosen: smaller(chosen, held_out=5),
    "observation": lambda chosen: smaller(chosen, operators={"free": SiteAffine(penalty=0.0)}),
    "perturbation": smaller,
    "regimes": smaller,
    "scaling": lambda chosen: smaller(chosen, sizes=(3, 6), held_out=5),
    "surrogate": smaller,
    "towers": lambda chosen: smaller(chosen, at=[station(small().ds)], gradient={"evaluations": 20}),
    "transfer": smaller,
    "uncertainty": lambda chosen: smaller(chosen, held_out=8, fits=2),
}


def test_an_error_is_a_line_and_a_status(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(command.CASES, "twin", small)
    assert cli.main(["experiment", "scaling", "--data", "twin", "--quiet", "--out", str(tmp_path)]) == 2
    assert "held_out: expected" in capsys.readouterr().err
