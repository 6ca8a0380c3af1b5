"""Gradients by more runs, against the exact ones of the adjoint."""

import numpy as np
import pytest
import torch
from helpers_bucket import FORCINGS, PARAMETERS, Twin, bucket, called, compiled, run
from helpers_gradients import (
    SITES,
    STEPS,
    estimates,
    exact,
    setting,
    slopes,
    windows,
)
from helpers_learn import Stores

from xdpl.blackbox import Archive
from xdpl.gradients import SPSA, FiniteDifferences
from xdpl.models import BlackBox, Flux
from xdpl.models.ordering import Ordering
from xdpl.training.sources import FAILED


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("program"))


def by_runs(how, model, leaves=None, engine=None):
    """Gradient (series, parameter), the series, and the source."""
    leaves = estimates() if leaves is None else leaves
    source = how.source(setting(model, engine=engine))
    series = source(windows()[0], leaves, windows()[1])
    return slopes(series, leaves), series, source


@pytest.mark.parametrize(
    ("how", "within"), [(FiniteDifferences(0.002), 1e-3), (FiniteDifferences(0.0005, central=False), 1e-2)]
)
@pytest.mark.parametrize("engine", ["array", "numba"])
def test_of_a_native_model(how, within, engine):
    found, series, source = by_runs(how, Twin(), engine=engine)
    np.testing.assert_allclose(found, exact(), rtol=within)
    assert series["runoff"].shape == (STEPS, SITES) and not series[FAILED].any()
    assert source.failures.runs == how.runs(2) * SITES


@pytest.mark.parametrize("batch", [True, False])
def test_of_a_function(batch):
    found, *_ = by_runs(FiniteDifferences(0.002), called(run, batch=batch))
    np.testing.assert_allclose(found, exact(), rtol=1e-3)


def test_of_a_program(program):
    """Of its three parameters one does nothing as long as it is small."""
    leaves = estimates() | {"trouble": torch.full((SITES,), -0.9, dtype=torch.float64, requires_grad=True)}
    found, series, source = by_runs(FiniteDifferences(0.002), bucket(program), leaves)
    np.testing.assert_allclose(found[:, :2], exact(), rtol=1e-3)
    np.testing.assert_array_equal(found[:, 2], 0.0)
    assert source.failures.runs == 7 * SITES and not source.failures.messages
    # The series is that of the run at the parameters, to the last digit.
    alone = FiniteDifferences().source(setting(bucket(program)))
    with torch.no_grad():
        again = alone(windows()[0], leaves, windows()[1])
    assert alone.failures.runs == SITES
    for name in ("runoff", "evaporation"):
        np.testing.assert_array_equal(series[name].detach().numpy(), again[name].numpy())


def test_at_bounds_nothing_leaves_them():
    asked = []

    def watched(forcings, parameters):
        asked.append(np.stack([parameters[p.name].values for p in PARAMETERS], axis=-1))
        return run(forcings, parameters)

    ends = {"k": [0.001, 0.9, 0.001, 0.9], "capacity": [20.0, 400.0, 400.0, 20.0]}
    for how in (FiniteDifferences(0.0002), FiniteDifferences(0.01, central=False), SPSA(0.01)):
        leaves = {k: torch.tensor(v, dtype=torch.float64, requires_grad=True) for k, v in ends.items()}
        asked.clear()
        found, *_ = by_runs(how, called(watched), leaves)
        places = np.concatenate(asked)
        for i, p in enumerate(PARAMETERS):
            assert places[:, i].min() >= p.lower and places[:, i].max() <= p.upper
            assert len(np.unique(places[:, i])) > 2
        if how == FiniteDifferences(0.0002):
            # Secants on the inner side, some across days on which the bucket just fills up.
            np.testing.assert_allclose(found, exact(leaves), rtol=0.15)


def test_the_mean_of_many_draws_is_the_gradient():
    torch.manual_seed(4)
    few, *_ = by_runs(SPSA(0.002, draws=1), Twin(), engine="numba")
    many, _, source = by_runs(SPSA(0.002, draws=4000), Twin(), engine="numba")
    true = exact()
    assert source.failures.runs == 8001 * SITES
    size = np.abs(true * [1.0, 100.0]).max()
    # The error of one draw is about the other parameter's slope; that of 4000 is a sixtieth of it.
    errors = [np.abs((found - true) * [1.0, 100.0]).max() / size for found in (few, many)]
    assert errors[0] > 0.05 > 0.03 > errors[1]


def test_draws_are_those_of_the_seed():
    def drawn(seed):
        torch.manual_seed(seed)
        return by_runs(SPSA(), Twin(), engine="numba")[0]

    np.testing.assert_array_equal(drawn(1), drawn(1))
    assert (drawn(1) != drawn(2)).any()


def test_one_graph_has_several_gradients():
    """As the cosines between groups ask for."""
    leaves = estimates()
    source = FiniteDifferences().source(setting(Twin()))
    series = source(windows()[0], leaves, windows()[1])
    np.testing.assert_array_equal(slopes(series, leaves, retain=True), slopes(series, leaves))


def test_dates_are_those_of_each_window():
    """A program of which one number is the day of the year."""

    def told(forcings, parameters):
        day = forcings["time"].dt.dayofyear.values[:, None]
        return {"day": day + parameters["k"].values}

    model = BlackBox("calendar", FORCINGS, PARAMETERS, [Flux("day", "1")], told, workers=0)
    leaves = estimates()
    source = FiniteDifferences(0.01).source(setting(model, ("day",)))
    forcings, begins = windows()
    series = source(forcings, leaves, begins)["day"]
    days = np.arange(STEPS)[:, None] + begins.numpy() + 1
    np.testing.assert_allclose(series.detach().numpy(), days + leaves["k"].detach().numpy())
    slope = torch.autograd.grad(series.sum(), list(leaves.values()))
    np.testing.assert_allclose(slope[0].numpy(), STEPS, rtol=1e-3)
    np.testing.assert_array_equal(slope[1].numpy(), 0.0)


def test_an_order_is_kept():
    asked = []

    def watched(forcings, parameters):
        asked.append((parameters["slow"].values, parameters["fast"].values))
        return {"flow": forcings["precipitation"].values * parameters["fast"].values}

    slow, fast = Stores().parameters
    model = BlackBox("stores", FORCINGS, (slow, fast), [Flux("flow", "mm d-1")], watched, workers=0)
    leaves = {
        "slow": torch.tensor([0.2, 0.05, 0.4, 0.3], dtype=torch.float64, requires_grad=True),
        "fast": torch.tensor([0.201, 0.05, 0.8, 0.9], dtype=torch.float64, requires_grad=True),
    }
    source = FiniteDifferences(0.02).source(setting(model, ("flow",), ordering=Ordering(((slow, fast),))))
    flow = source(windows()[0], leaves, windows()[1])["flow"]
    assert all((small <= large).all() for small, large in asked)
    rain = windows()[0]["precipitation"].sum(dim=0).numpy()
    slope = torch.autograd.grad(flow.sum(), list(leaves.values()))
    # Where there is room between them.
    np.testing.assert_allclose(slope[1].numpy()[2], rain[2], rtol=0.01)
    np.testing.assert_allclose(slope[0].numpy()[2], 0.0, atol=0.01 * rain[2])


def test_archives_keep_what_was_run(tmp_path):
    model = called(run, archive=tmp_path / "runs.zarr")
    first, *_ = by_runs(FiniteDifferences(0.01), model)
    calls = []

    def counting(forcings, parameters):
        calls.append(1)
        return run(forcings, parameters)

    again, *_ = by_runs(FiniteDifferences(0.01), called(counting, archive=tmp_path / "runs.zarr"))
    np.testing.assert_array_equal(again, first)
    assert not calls
    kept = Archive(tmp_path / "runs.zarr").to_dataset()
    assert kept.sizes["run"] == 5 * SITES and kept.sizes["series"] == SITES
    # Of each series only its own dates.
    found = kept["precipitation"].isel(series=kept["series_of_run"].values[0])
    assert int(found.notnull().sum()) == STEPS
