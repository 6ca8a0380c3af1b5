"""Learning in rounds with data of many kinds, programs that fail, and calls that are wrong or cut short."""

import json

import numpy as np
import pytest
import xarray as xr
from helpers_bucket import FLUXES, FORCINGS, PARAMETERS, Twin, days
from helpers_bucket import run as run_bucket
from helpers_learn import ATTRIBUTES, Bucket, Stores, assert_same_fit, problems, weights, world

import xdpl
from xdpl.errors import InputErrors
from xdpl.models import BlackBox, NetworkOnly
from xdpl.networks import LSTM, MLP, History
from xdpl.surrogate import AuditError, Loop, audit, design, emulate, rounds

EMULATOR = {"network": LSTM(8), "window": 90, "batch": 48, "epochs": 2, "learning_rate": 0.02}
LOOSE = {"slope": (-99.0, 99.0), "correlation": 0.0, "effect": 1.0}
SHORT = {"draws": 4, "more": 2, "emulator": EMULATOR, "audit": LOOSE, "rounds": 2, "tolerance": 0.0}

pytestmark = pytest.mark.filterwarnings("ignore:what was learned")


def learn(ds=None, model=None, loop=None, **options):
    defaults = {
        "target": "runoff",
        "attributes": ATTRIBUTES,
        "network": MLP((8,)),
        "window": 60,
        "warmup": 20,
        "epochs": 2,
        "progress": False,
    }
    model, ds = Bucket() if model is None else model, world() if ds is None else ds
    return xdpl.learn(ds, model, gradients=Loop(**SHORT) if loop is None else loop, **(defaults | options))


def basins():
    ds = days(sites=5, length=120)
    for name, seed in (("sand", 1), ("clay", 2)):
        ds[name] = ("basin", np.random.default_rng(seed).random(5), {"units": "1"})
    ds["runoff"] = xdpl.simulate(ds, Twin(), {"k": 0.3, "capacity": 60.0})["runoff"]
    return ds


def box(program):
    return BlackBox("bucket", FORCINGS, PARAMETERS, FLUXES, program, workers=0)


class Failing:
    """The bucket, which gives NaN where a condition on parameters is met, and counts sites."""

    def __init__(self, condition=lambda p: p["k"] < 0.0):
        self.condition, self.sites = condition, 0

    def __call__(self, forcings, parameters):
        self.sites += parameters.sizes["site"]
        return run_bucket(forcings, parameters).where(~self.condition(parameters))


def interrupting(monkeypatch, name, call):
    """Ctrl-C at some call of a function of the rounds."""
    whole, calls = getattr(rounds, name), []

    def one(*args, **options):
        calls.append(None)
        if len(calls) == call:
            raise KeyboardInterrupt
        return whole(*args, **options)

    monkeypatch.setattr(rounds, name, one)


@pytest.fixture(scope="module")
def plain():
    return learn()


def test_a_transposed_dataset_gives_the_same(plain):
    assert_same_fit(learn(world().transpose("lon", "lat", "time")), plain)


def test_a_dataset_in_chunks_gives_the_same_with_as_many_runs():
    fits, counts = [], []
    for ds in (basins(), basins().chunk({"basin": 2})):
        program = Failing()
        fits.append(learn(ds, box(program)))
        counts.append(program.sites)
    np.testing.assert_array_equal(*map(weights, fits))
    # Sums of blocks round otherwise.
    xr.testing.assert_allclose(*(f.history.drop_vars(["seconds", "round_seconds"]) for f in fits))
    assert counts == [int(fits[0].history["model_runs"][-1])] * 2


def test_quantities_give_the_same(plain):
    pint = pytest.importorskip("pint")
    registry, ds = pint.UnitRegistry(), world()
    names = {"sand": "percent", "clay": "dimensionless", "precipitation": "mm/day", "runoff": "mm/day"}
    for name, unit in names.items():
        ds[name] = (ds[name].dims, registry.Quantity(ds[name].values, unit))
    xr.testing.assert_allclose(
        learn(ds).history.drop_vars(["seconds", "round_seconds"]),
        plain.history.drop_vars(["seconds", "round_seconds"]),
    )


def test_volumes_under_other_names(plain):
    ds = world().rename(precipitation="rain")
    ds["area"] = (("lat", "lon"), np.full((2, 3), 100.0), {"units": "km2"})
    # From mm a day over 100 km2.
    ds["discharge"] = (ds["runoff"] * 1e5 / 86400.0).assign_attrs(units="m3 s-1")
    call = {"target": {"runoff": "discharge"}, "forcings": {"precipitation": "rain", "area": "area"}}
    found = learn(ds.drop_vars("runoff"), **call).history
    np.testing.assert_allclose(found["model_rmse"], plain.history["model_rmse"], rtol=1e-3)
    assert found["target_units"].item() == "mm d-1"


def test_one_site_without_dims():
    fit = learn(world().isel(lat=0, lon=0))
    # It is audited with other parameters.
    assert int(fit.history["model_runs"][0]) == 4 + (40 + 1) * 5 + 1 + 1


def test_one_site_is_left_to_train_on():
    fit = learn(loop=Loop(**SHORT | {"held_out": 0.99, "sites": 2}))
    assert int(fit.history["model_runs"][0]) == 4 * 1 + (40 + 2) * 5 + 6 + 6


@pytest.mark.parametrize("observation", ["site_affine", "anomaly"])
def test_scores_are_of_what_the_operator_compares(observation):
    fit = learn(observation=observation, loop=Loop(**SHORT | {"rounds": 1}))
    ds = world()
    scored = fit.evaluate(ds, time=slice(ds["time"].values[20], None), operator=True)
    np.testing.assert_allclose(fit.history["model_rmse"].item(), float(scored["pooled_rmse"]), rtol=1e-5)


def test_a_history_ends_before_what_is_scored():
    late = slice("2001-05-01", "2001-06-30")
    call = {"train": slice("2001-01-01", "2001-04-30"), "validate": late}
    fit = learn(network=History(steps=30), loop=Loop(**SHORT | {"rounds": 1}), **call)
    scored = fit.evaluate(world(), time=late)
    np.testing.assert_allclose(fit.history["model_rmse"].item(), float(scored["pooled_rmse"]), rtol=1e-5)


def test_an_order_holds():
    theta = learn(model=Stores(), order=[("slow", "fast")]).parameters(world())
    assert (theta["slow"] <= theta["fast"]).all()


@pytest.mark.filterwarnings("ignore:at what was learned")
def test_a_target_that_never_changes():
    ds = basins()
    ds["runoff"] = (0.0 * ds["runoff"] + 1.0).assign_attrs(units="mm d-1")
    fit = learn(ds, Twin(), loss="rmse")
    np.testing.assert_allclose(fit.history["model_score"], fit.history["model_rmse"].sel(target="runoff"))


@pytest.mark.filterwarnings("ignore:simulate")
def test_nothing_compared_is_nothing_passed():
    """The model fails wherever it is audited."""
    ds = basins()
    theta = design(ds, Twin(), 6)
    runs = xdpl.simulate(ds, Twin(), theta)[["runoff"]]
    options = EMULATOR | {"epochs": 1, "warmup": 20, "progress": False}
    fails = box(Failing(lambda p: p["k"] > 0.0))
    found = audit(emulate(ds, fails, theta, runs, **options), ds)
    assert found.attrs["failures"] == "no run of the model gives runoff there"
    with pytest.raises(AuditError, match="no run of the model gives runoff there"):
        program = Failing(lambda p: (p["k"] > 0.0) & (program.sites > 8))
        learn(ds, box(program), Loop(**SHORT | {"draws": 8, "sites": 2}))


@pytest.mark.filterwarnings("ignore:simulate")
def test_sites_that_fail_are_said():
    """Near its defaults, where it is learned with hardly an update."""
    model = box(Failing(lambda p: np.abs(p["capacity"] - 100.0) < 10.0))
    with pytest.warns(RuntimeWarning) as caught:
        fit = learn(basins(), model, Loop(**SHORT | {"draws": 12, "rounds": 1}), epochs=1)
    said = [str(w.message) for w in caught]
    assert any("'bucket' fails at 5 sites, which no score has" in text for text in said)
    assert not any("worse" in text for text in said)
    assert fit.history["failed_sites"].item() == 5 and np.isnan(fit.history["model_rmse"].item())


def test_the_last_round_is_audited_too(monkeypatch):
    found = []

    def stricter(*args, **options):
        found.append(None)
        return audit(*args, **options | ({"slope": (0.0, 1e-6), "effect": 0.0} if len(found) > 1 else {}))

    monkeypatch.setattr(rounds, "audit", stricter)
    with pytest.warns(RuntimeWarning, match="at what was learned the surrogate of 'bucket'"):
        fit = learn(loop=Loop(**SHORT | {"rounds": 1}))
    assert fit.settings["rounds_stopped"] == "audit"


@pytest.mark.parametrize(("name", "call"), [("audit", 3), ("audit", 4), ("emulate", 2), ("design", 4)])
def test_an_interruption_after_the_first_round(monkeypatch, name, call):
    interrupting(monkeypatch, name, call)
    fit = learn()
    assert fit.settings["rounds"] == 1
    assert fit.settings["stopped"] == fit.settings["rounds_stopped"] == "interrupted"


@pytest.mark.parametrize(("call", "seeds"), [(3, [0]), (5, [0]), (7, [0, 1])])
def test_an_interruption_ends_all_seeds(monkeypatch, tmp_path, call, seeds):
    """Four audits of each: in the second round of the first, before and after a round of the second."""
    interrupting(monkeypatch, "audit", call)
    found = learn(seed=[0, 1, 2], checkpoint=tmp_path / "c")
    assert found.seeds == seeds
    found.save(tmp_path / "fits")
    xr.testing.assert_equal(xdpl.load(tmp_path / "fits", model=Bucket()).history, found.history)


def test_a_seed_that_fails_is_named():
    with pytest.raises(AuditError) as caught:
        learn(seed=[4, 5], loop=Loop(**SHORT | {"audit": {}}))
    assert caught.value.__notes__ == ["with seed 4"]


def test_a_later_seed_that_fails_takes_no_other_with_it(monkeypatch):
    """Four audits of the first seed; that of the second meets limits that none can, the third is whole."""
    calls, real = [], rounds.audit

    def strict(*args, **options):
        calls.append(None)
        return real(*args, **options | ({"slope": (0.0, 1e-9), "effect": 0.0} if len(calls) == 5 else {}))

    monkeypatch.setattr(rounds, "audit", strict)
    with pytest.warns(RuntimeWarning, match="seed 1 is left out: over the full bounds"):
        found = learn(seed=[0, 1, 2])
    assert found.seeds == [0, 2]
    assert len(calls) == 4 + 1 + 4


def test_settings_are_plain():
    given = {"draws": np.int64(4), "spread": np.float32(0.2), "rounds": np.int64(1)}
    emulator = EMULATOR | {"train": slice("2001-02", None), "batch": np.int64(16)}
    fit = learn(loop=Loop(**SHORT | given | {"emulator": emulator}))
    said = json.loads(json.dumps(fit.settings))["gradients"]["loop"]
    assert said["draws"] == 4 and said["emulator"]["train"] == ["2001-02", None]
    assert said["emulator"]["network"] == LSTM(8).to_dict()


WRONG = [
    ({"epochs": -1}, "epochs"),
    ({"window": 0}, "window"),
    ({"batch": "many"}, "batch"),
    ({"network": "mlp"}, "network"),
    ({"schedule": "steep"}, "schedule"),
    ({"warmup": 500}, "warmup"),
    ({"members": 2}, "members"),
    ({"train": slice("1990", "1991")}, "train"),
]


@pytest.mark.parametrize(("emulator", "subject"), WRONG)
def test_options_of_the_emulator_are_checked_before_a_run(emulator, subject):
    program = Failing()
    with pytest.raises(InputErrors, match=r"Loop\(emulator=\.\.\.\) cannot run") as caught:
        learn(basins(), box(program), Loop(**SHORT | {"emulator": EMULATOR | emulator}))
    assert list(problems(caught)) == [subject] and program.sites == 0


def test_data_are_checked_before_a_run():
    """What only values say: an attribute of one site, observations of a period."""
    ds, program = basins(), Failing()
    ds["sand"][2] = np.nan
    with pytest.raises(InputErrors, match="sand"):
        learn(ds, box(program))
    ds = basins()
    ds["runoff"] = ds["runoff"].where(ds["time"] > ds["time"][60]).assign_attrs(units="mm d-1")
    with pytest.raises(InputErrors, match="runoff"):
        learn(ds, box(program), train=slice(None, "2001-02-15"))
    assert program.sites == 0


@pytest.mark.parametrize(
    "loop", [{"audit": 3}, {"emulator": None}, {"method": "grid"}, {"method": ["sobol"]}]
)
def test_settings_of_another_kind(loop):
    with pytest.raises(InputErrors) as caught:
        learn(loop=Loop(**loop))
    assert list(problems(caught)) == [f"Loop.{next(iter(loop))}"]


def test_a_loop_has_no_loop_and_a_network_alone_none():
    with pytest.raises(InputErrors, match=r"Loop\.emulator: expected .* without .*gradients"):
        learn(loop=Loop(emulator={"gradients": Loop()}))
    with pytest.raises(InputErrors, match="expected a model with parameters"):
        learn(model=NetworkOnly(Bucket()), network=LSTM(8))
