from dataclasses import dataclass

import numpy as np
import pytest
import xarray as xr
from helpers_cross_validate import EARLY, LATE, run
from helpers_learn import Bucket, world

from xdpl.cross_validation import cell
from xdpl.errors import InputErrors
from xdpl.evaluation import Density, Protocol, Split, Temporal, Ungauged


@pytest.fixture(autouse=True)
def no_training(monkeypatch):
    monkeypatch.setattr(cell, "learn", lambda *a, **k: pytest.fail("something was trained"))


def refused(*args, **options):
    with pytest.raises(InputErrors, match="cross_validate cannot run") as caught:
        run(*args, **options)
    return {e.subject: e for e in caught.value.exceptions}


@pytest.mark.parametrize("protocol", [Ungauged, "pub", None, {"k": 5}])
def test_protocol(protocol):
    (problem,) = refused(protocol=protocol).values()
    assert problem.subject == "protocol"
    assert ("protocol=Ungauged()" == problem.fix) == (protocol is Ungauged)


@pytest.mark.parametrize("seeds", [0, (), (1, 1), (0.5,), (True,), "12", (-1,)])
def test_seeds(seeds):
    assert list(refused(seeds=seeds)) == ["seeds"]


def test_options_of_models():
    found = refused(
        models={
            "a": {"epochs": 3},
            "": "vic",
            "c": {"model": "vic", "epoch": 3},
            "d": {"model": "vic", "seed": 1},
        },
        learning_rat=0.1,
        sites=None,
    )
    assert list(found) == ["learning_rat", "sites", "models", "c: epoch", "d: seed"]
    assert found["c: epoch"].fix == "epochs=..." and found["learning_rat"].fix == "learning_rate=..."
    assert found["d: seed"].fix == "seeds=(0, 1)"
    assert list(refused(models=3)) == ["models"]
    assert list(refused(models=[{}])) == ["models"]


def test_options_that_learn_needs():
    from xdpl import cross_validate

    with pytest.raises(InputErrors) as caught:
        cross_validate(world(), "vic", protocol=Temporal(), train=EARLY, test=LATE)
    assert [e.subject for e in caught.value.exceptions] == ["target", "attributes"]


def test_problems_of_models_name_them():
    models = {
        "a": "vix",
        "b": {"model": Bucket(), "epochs": 0},
        "c": {"model": Bucket(), "attributes": ["silt"]},
    }
    found = refused(models=models, train=slice("1990", "1991"))
    assert list(found) == ["a: model", "b: epochs", "c: silt", "train"]
    # One that all have is said once.
    assert list(refused(models={"a": Bucket(), "b": Bucket()}, loss="mse")) == ["loss"]


@pytest.mark.parametrize("name", ["train", "test"])
@pytest.mark.parametrize(
    "period", [slice("1999", "2000"), slice("2001-05", "2001-04"), slice("2001-02-01", "2031"), "2001", 3]
)
def test_periods(name, period):
    found = refused(**{name: period})
    assert list(found) == [name]
    assert found[name].expected == "a slice of dates inside the data, 2001-01-01 to 2001-07-19"


def test_the_same_sites_need_another_period():
    found = refused(protocol=Temporal(), test=slice("2001-04-21", "2001-06"))
    assert "of which 10 steps are in the test period 2001-04-21 to 2001-06-30" in found["train"].got
    assert list(refused(protocol=Temporal(), train=None)) == ["train"]
    found = refused(protocol=Temporal(), models={"a": Bucket(), "b": {"model": Bucket(), "validate": LATE}})
    assert list(found) == ["b: validate"]


def test_validation_sites_are_not_tested():
    mask = world()["sand"] > 50
    assert list(refused(validate=mask)) == ["validate"]


def test_one_target():
    ds = world()
    ds["other"] = ds["runoff"].copy()
    models = {"a": Bucket(), "b": {"model": Bucket(), "target": {"runoff": "other"}}}
    assert list(refused(ds, models=models)) == ["target"]


def test_gaps_at_sites_of_any_fold():
    ds = world()
    ds["precipitation"][40, 0, 0] = np.nan
    ds["sand"][1, 1] = np.nan
    assert set(refused(ds)) == {"precipitation", "sand"}


def test_partly_missing_attributes_of_a_site_that_takes_no_part():
    ds = world()
    ds["runoff"][:, 0, 0] = np.nan
    ds["clay"][0, 0] = np.nan
    assert list(refused(ds)) == ["clay"]


def test_folds_without_observations():
    ds = world()
    (split,) = Density(2).splits(ds["sand"])
    ds["runoff"] = ds["runoff"].where(~split.train | (ds["time"] > np.datetime64("2001-05-01")))
    assert list(refused(ds, protocol=Density(2))) == ["train"]
    ds = world()
    ds["runoff"] = ds["runoff"].where(ds["time"] < np.datetime64("2001-05-01"))
    assert list(refused(ds)) == ["test"]
    assert list(refused(ds.assign(runoff=(np.nan * ds["runoff"]).assign_attrs(units="mm d-1")))) == ["ds"]


def test_problems_of_a_protocol():
    assert list(refused(protocol=Ungauged(k=7))) == ["k"]
    assert list(refused(world().isel(lat=0, lon=0, drop=True))) == ["template", "k"]


def test_names_that_the_scores_need():
    found = refused(world().rename(lat="seed").assign_coords(model=("lon", [1, 2, 3])))
    assert list(found) == ["model", "seed"]


@dataclass(frozen=True)
class Given(Protocol):
    found: list

    def splits(self, template):
        return self.found


def masks(*where):
    return [world()["sand"].copy(data=np.array(w, bool)).rename(None) for w in where]


def test_splits_of_own_protocols():
    half, rest, none = masks([[1, 1, 1], [0, 0, 0]], [[0, 0, 0], [1, 1, 1]], [[0, 0, 0], [0, 0, 0]])
    assert list(refused(protocol=Given([]))) == ["protocol"]
    assert list(refused(protocol=Given([Split("a", half, rest), Split("a", rest, half)]))) == ["protocol"]
    found = refused(protocol=Given([Split("a", half, rest), Split("b", half, rest)]))
    assert found["protocol"].got == "3 sites tested in several"
    found = refused(protocol=Given([Split("a", half.astype(int), none), Split("b", half, rest.isel(lat=0))]))
    assert list(found) == ["protocol: train of 'a'", "protocol: test of 'a'", "protocol: test of 'b'"]
    found = refused(protocol=Given([Split("a", half, rest.assign_coords(lat=[1.0, 2.0]))]))
    assert list(found) == ["protocol: test of 'a'"]


@pytest.mark.parametrize(
    ("scores", "subject"),
    [
        (3, "scores"),
        (lambda s, o: (s - o).mean("time"), "scores"),
        (lambda s, o: xr.Dataset({"mean": o.mean()}), "scores: mean"),
        (lambda s, o: xr.Dataset({"epochs": o.mean("time")}), "scores: epochs"),
        (lambda s, o: xr.Dataset({"m": o.mean("time").astype(str)}), "scores: m"),
        (lambda s, o: xr.Dataset({"m": o.mean("time").assign_coords(lat=[1.0, 2.0])}), "scores"),
    ],
)
def test_own_scores(scores, subject):
    assert list(refused(scores=scores)) == [subject]


def test_trees():
    with pytest.raises(InputErrors, match="a Dataset, got a DataTree"):
        run(xr.DataTree(world()))
